/* Arming syscall user dispatch: in this thread, and in others of this process. */
#include "signal_path.h"

CORDON_SIGNAL_PATH_BEGIN

#define PR_SET_SYSCALL_USER_DISPATCH 59
#define FUTEX_WAIT_PRIVATE 128
#define FUTEX_WAKE_PRIVATE 129
#define CLOCK_MONOTONIC 1

typedef struct {
  int64_t seconds, nanoseconds;
} Timespec;

static long set_dispatch(uint64_t operation, uint64_t offset, uint64_t length, volatile uint8_t *selector) {
  return cordon_engine.call(CORDON_NR_prctl, PR_SET_SYSCALL_USER_DISPATCH, (long)operation, (long)offset, (long)length,
                            (long)selector, 0);
}

/* The dispatch of one generation. It is overwritten CORDON_DISPATCHES generations later, so whoever reads one reads it
   whole, or sees by the generation that it is not the newest any more. */
static CordonDispatch *dispatch_of(uint64_t generation) {
  return &cordon_engine.dispatches[generation % CORDON_DISPATCHES];
}

void cordon_dispatch_configure(const CordonDispatch *dispatch) {
  uint64_t generation = cordon_dispatch_generation() + 1;
  cordon_copy_words(dispatch_of(generation), dispatch, sizeof *dispatch);
  __atomic_store_n((uint64_t *)&cordon_engine.dispatch_generation, generation, __ATOMIC_RELEASE);
}

uint64_t cordon_dispatch_generation(void) {
  return __atomic_load_n((uint64_t *)&cordon_engine.dispatch_generation, __ATOMIC_ACQUIRE);
}

long cordon_dispatch_arm(volatile uint8_t *selector) {
  for (;;) {
    uint64_t generation = cordon_dispatch_generation();
    const CordonDispatch *dispatch = dispatch_of(generation);
    long result = dispatch->operation == 0
                      ? set_dispatch(0, 0, 0, NULL)
                      : set_dispatch(dispatch->operation, dispatch->offset, dispatch->length, selector);
    /* Whoever changes it meanwhile may have come to this thread before it got here. */
    if (generation == cordon_dispatch_generation()) return result;
  }
}

long cordon_dispatch_probe(uint64_t operation) {
  /* Inclusive of a range that holds no code, or exclusive of everything: nothing is dispatched in between. */
  long result = operation == 2 ? set_dispatch(2, 0, 1, NULL) : set_dispatch(operation, 0, UINT64_MAX / 2, NULL);
  if (result == 0) set_dispatch(0, 0, 0, NULL);
  return result;
}

static int64_t now(void) {
  Timespec time;
  cordon_engine.call(CORDON_NR_clock_gettime, CLOCK_MONOTONIC, (long)&time, 0, 0, 0, 0);
  return time.seconds * 1000000000 + time.nanoseconds;
}

static uint32_t load(const void *word) { return __atomic_load_n((const uint32_t *)word, __ATOMIC_ACQUIRE); }
static void store(void *word, uint32_t value) { __atomic_store_n((uint32_t *)word, value, __ATOMIC_RELEASE); }

/* What a request carries: an address that nobody else sends. */
static uint64_t request_value(void) { return (uint64_t)&cordon_engine.requests; }

int cordon_is_request(const KernelSiginfo *info) {
  return info->code == CORDON_SI_QUEUE && info->queued.value == request_value() &&
         info->queued.pid == (int32_t)cordon_engine.call(CORDON_NR_getpid, 0, 0, 0, 0, 0, 0);
}

/* A request may be answered late, when it has been given up, and stands for a later one that the kernel did not queue since
   this one was pending. So it does not say what to do: whoever gets it does what is wanted now, and looks again whether
   that is still so. Only an answer that is waited for is given. */
void cordon_answer_request(KernelUcontext *context) {
  CordonRequests *requests = &cordon_engine.requests;
  long result;
  uint32_t arms;
  do {
    arms = load(&requests->arms);
    result = arms ? cordon_dispatch_arm(NULL) : set_dispatch(0, 0, 0, NULL);
  } while (load(&requests->arms) != arms);
  uint32_t thread = (uint32_t)cordon_engine.call(CORDON_NR_gettid, 0, 0, 0, 0, 0, 0);
  if (load(&requests->thread) == thread) {
    __atomic_store_n((uint64_t *)&requests->answer, (uint64_t)thread << 32 | (uint32_t)-result, __ATOMIC_RELEASE);
    __atomic_fetch_add((uint32_t *)&requests->answered, 1, __ATOMIC_RELEASE);
    cordon_engine.call(CORDON_NR_futex, (long)&requests->answered, FUTEX_WAKE_PRIVATE, INT32_MAX, 0, 0, 0);
  }
  cordon_go_on_waiting(context);
}

static long wait_for_answer(long pid, int32_t tid, uint32_t timeout_ms) {
  CordonRequests *requests = &cordon_engine.requests;
  int64_t deadline = now() + (int64_t)timeout_ms * 1000000;
  for (;;) {
    uint32_t answered = load(&requests->answered);
    uint64_t answer = __atomic_load_n((uint64_t *)&requests->answer, __ATOMIC_ACQUIRE);
    if (answer >> 32 == (uint32_t)tid) return -(long)(uint32_t)answer;
    int64_t left = deadline - now();
    if (left <= 0) return -CORDON_ETIMEDOUT;
    /* A thread that ends before it answers never will: look again now and then. */
    if (left > 10000000) left = 10000000;
    Timespec timeout = {0, left};
    cordon_engine.call(CORDON_NR_futex, (long)&requests->answered, FUTEX_WAIT_PRIVATE, answered, (long)&timeout, 0, 0);
    if (cordon_engine.call(CORDON_NR_tgkill, pid, tid, 0, 0, 0, 0) == -CORDON_ESRCH) return -CORDON_ESRCH;
  }
}

static long request(int32_t tid, uint32_t timeout_ms) {
  CordonRequests *requests = &cordon_engine.requests;
  __atomic_store_n((uint64_t *)&requests->answer, 0, __ATOMIC_RELEASE);
  store(&requests->thread, (uint32_t)tid);
  KernelSiginfo info;
  cordon_clear_words(&info, sizeof info);
  long pid = cordon_engine.call(CORDON_NR_getpid, 0, 0, 0, 0, 0, 0);
  info.signo = CORDON_SIGSYS;
  info.code = CORDON_SI_QUEUE;
  info.queued.pid = (int32_t)pid;
  info.queued.value = request_value();
  long result =
      cordon_engine.call(CORDON_NR_rt_tgsigqueueinfo, pid, tid, CORDON_SIGSYS, (long)&info, 0, 0);
  if (result == 0) result = wait_for_answer(pid, tid, timeout_ms);
  store(&requests->thread, 0);
  return result;
}

long cordon_dispatch_arm_thread(int32_t tid, uint32_t timeout_ms) {
  store(&cordon_engine.requests.arms, 1);
  return request(tid, timeout_ms);
}

void cordon_dispatch_give_up(void) {
  store(&cordon_engine.requests.given_up, 1);
  store(&cordon_engine.requests.arms, 0);
}

int cordon_requests_are_pending(void) { return load(&cordon_engine.requests.given_up) != 0; }

long cordon_dispatch_disarm_thread(int32_t tid, uint32_t timeout_ms) { return request(tid, timeout_ms); }

CORDON_SIGNAL_PATH_END
