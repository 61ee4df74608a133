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

/* The dispatch of one generation. It is overwritten CORDON_DISPATCHES generations later. */
static CordonDispatch *dispatch_of(uint64_t generation) {
  CordonDispatch *dispatches = (CordonDispatch *)(cordon_engine.gate + CORDON_GATE_SIZE + CORDON_DATA_DISPATCHES);
  return &dispatches[generation % CORDON_DISPATCHES];
}

void cordon_dispatch_configure(const CordonDispatch *dispatch) {
  uint64_t generation = cordon_dispatch_generation() + 1;
  cordon_copy_words(dispatch_of(generation), dispatch, sizeof *dispatch);
  __atomic_store_n((uint64_t *)&cordon_engine.dispatch_generation, generation, __ATOMIC_RELEASE);
  if (cordon_engine.configuration.dispatch_follows)
    __atomic_store_n((uint64_t *)(cordon_engine.gate + CORDON_GATE_SIZE + CORDON_DATA_DISPATCH),
                     (uint64_t)dispatch_of(generation), __ATOMIC_RELEASE);
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

static uint32_t current_attempt(void) { return __atomic_load_n((uint32_t *)&cordon_engine.attempt, __ATOMIC_ACQUIRE); }

/* A request's value is an address that nobody else sends, plus the attempt that it belongs to. */
static uint64_t request_value(uint32_t attempt) { return (uint64_t)&cordon_engine.answered + attempt; }

int cordon_is_request(const KernelSiginfo *info) {
  return info->code == CORDON_SI_QUEUE && info->queued.value >= request_value(0) &&
         info->queued.value <= request_value(current_attempt()) &&
         info->queued.pid == (int32_t)cordon_engine.call(CORDON_NR_getpid, 0, 0, 0, 0, 0, 0);
}

void cordon_answer_request(const KernelSiginfo *info, KernelUcontext *context) {
  if (context->registers.rip > cordon_engine.child_arms && context->registers.rip < cordon_engine.child_armed)
    context->registers.rip = cordon_engine.child_arms;
  int arms = info->queued.value == request_value(current_attempt());
  long result = arms ? cordon_dispatch_arm(NULL) : set_dispatch(0, 0, 0, NULL);
  __atomic_store_n((int64_t *)&cordon_engine.answer, result, __ATOMIC_RELEASE);
  __atomic_fetch_add((uint32_t *)&cordon_engine.answered, 1, __ATOMIC_RELEASE);
  cordon_engine.call(CORDON_NR_futex, (long)&cordon_engine.answered, FUTEX_WAKE_PRIVATE, INT32_MAX, 0, 0, 0);
}

static long request(int32_t tid, uint32_t attempt, uint32_t timeout_ms) {
  uint32_t before = __atomic_load_n((uint32_t *)&cordon_engine.answered, __ATOMIC_ACQUIRE);
  KernelSiginfo info;
  cordon_clear_words(&info, sizeof info);
  long pid = cordon_engine.call(CORDON_NR_getpid, 0, 0, 0, 0, 0, 0);
  info.signo = CORDON_SIGSYS;
  info.code = CORDON_SI_QUEUE;
  info.queued.pid = (int32_t)pid;
  info.queued.value = request_value(attempt);
  long result =
      cordon_engine.call(CORDON_NR_rt_tgsigqueueinfo, pid, tid, CORDON_SIGSYS, (long)&info, 0, 0);
  if (result != 0) return result;
  int64_t deadline = now() + (int64_t)timeout_ms * 1000000;
  while (__atomic_load_n((uint32_t *)&cordon_engine.answered, __ATOMIC_ACQUIRE) == before) {
    int64_t left = deadline - now();
    if (left <= 0) return -CORDON_ETIMEDOUT;
    /* A thread that ends before it answers never will: look again now and then. */
    if (left > 10000000) left = 10000000;
    Timespec timeout = {0, left};
    cordon_engine.call(CORDON_NR_futex, (long)&cordon_engine.answered, FUTEX_WAIT_PRIVATE, before, (long)&timeout, 0, 0);
    if (cordon_engine.call(CORDON_NR_tgkill, pid, tid, 0, 0, 0, 0) == -CORDON_ESRCH) return -CORDON_ESRCH;
  }
  return __atomic_load_n((int64_t *)&cordon_engine.answer, __ATOMIC_ACQUIRE);
}

long cordon_dispatch_arm_thread(int32_t tid, uint32_t timeout_ms) { return request(tid, current_attempt(), timeout_ms); }

void cordon_dispatch_give_up(void) {
  __atomic_fetch_add((uint32_t *)&cordon_engine.attempt, 1, __ATOMIC_ACQ_REL);
}

long cordon_dispatch_disarm_thread(int32_t tid, uint32_t timeout_ms) {
  return request(tid, current_attempt() - 1, timeout_ms);
}

CORDON_SIGNAL_PATH_END
