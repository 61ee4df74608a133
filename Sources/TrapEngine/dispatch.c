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

/* Requests come by the signal that libc has for its setuid(2): no program uses it, and libc keeps it out of all masks. Not
   by SIGSYS, which would lose calls: the kernel forces one for a trap (force_sig_info), but does not queue it where one is
   pending already (legacy_queue, for signals below the realtime ones); and the call, which it has taken back, is neither
   made nor trapped. */
#define REQUEST_SIGNAL 33 /* SIGSETXID of glibc's nptl */

/* What a request carries: an address that nobody else sends. */
static uint64_t request_value(void) { return (uint64_t)&cordon_engine.requests; }

static int is_request(const KernelSiginfo *info) {
  return info->code == CORDON_SI_QUEUE && info->queued.value == request_value() &&
         info->queued.pid == (int32_t)cordon_engine.call(CORDON_NR_getpid, 0, 0, 0, 0, 0, 0);
}

/* A request says who is asked (its thread) and which request it is, so that an answer is never taken for one to a later
   question; an answer adds the negated error. */
#define THREAD_BITS 22 /* the kernel's PID_MAX_LIMIT */
#define ERROR_BITS 12
#define SERIAL_BITS (64 - THREAD_BITS - ERROR_BITS)
static uint32_t thread_of(uint64_t asked) { return (uint32_t)(asked & ((1u << THREAD_BITS) - 1)); }

/* A request may be answered late, when it has been given up. So it does not say what to do: whoever gets it does what is
   wanted now, and looks again whether that is still so. Only an answer that is waited for is given; who asks has said
   before what is wanted. */
static void answer_request(void) {
  CordonRequests *requests = &cordon_engine.requests;
  uint64_t asked = __atomic_load_n((uint64_t *)&requests->asked, __ATOMIC_ACQUIRE);
  long result;
  uint32_t arms;
  do {
    arms = load(&requests->arms);
    result = arms ? cordon_dispatch_arm(NULL) : set_dispatch(0, 0, 0, NULL);
  } while (load(&requests->arms) != arms);
  if (thread_of(asked) != (uint32_t)cordon_engine.call(CORDON_NR_gettid, 0, 0, 0, 0, 0, 0)) return;
  /* Never over the answer to a later request. */
  uint64_t answer = asked << ERROR_BITS | (uint64_t)-result, before;
  do {
    before = __atomic_load_n((uint64_t *)&requests->answer, __ATOMIC_ACQUIRE);
    if (__atomic_load_n((uint64_t *)&requests->asked, __ATOMIC_ACQUIRE) != asked) return;
  } while (!__atomic_compare_exchange_n((uint64_t *)&requests->answer, &before, answer, 0, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE));
  __atomic_fetch_add((uint32_t *)&requests->answered, 1, __ATOMIC_RELEASE);
  cordon_engine.call(CORDON_NR_futex, (long)&requests->answered, FUTEX_WAKE_PRIVATE, INT32_MAX, 0, 0, 0);
}

/* One that is not ours goes where it would go without us: to libc's handler. */
static void forward(int signal, KernelSiginfo *info, KernelUcontext *context) {
  uint64_t handler = __atomic_load_n(&cordon_engine.requests.own.handler, __ATOMIC_ACQUIRE);
  if (handler == CORDON_SIG_IGN) {
    cordon_go_on_waiting(context);
  } else if (handler != CORDON_SIG_DFL) {
    /* Three arguments or one: whoever takes one does not look at the others. */
    ((void (*)(int, KernelSiginfo *, KernelUcontext *))handler)(signal, info, context);
  } else {
    /* Ends the process once this returns and the signal is open again. */
    KernelSigaction fatal = {CORDON_SIG_DFL, CORDON_SA_RESTORER, cordon_engine.restorer, 0};
    cordon_engine.call(CORDON_NR_rt_sigaction, signal, (long)&fatal, 0, 8, 0, 0);
    long pid = cordon_engine.call(CORDON_NR_getpid, 0, 0, 0, 0, 0, 0);
    long tid = cordon_engine.call(CORDON_NR_gettid, 0, 0, 0, 0, 0, 0);
    cordon_engine.call(CORDON_NR_tgkill, pid, tid, signal, 0, 0, 0);
  }
}

void cordon_request_signal(int signal, KernelSiginfo *info, KernelUcontext *context) {
  if (!is_request(info)) {
    forward(signal, info, context);
    return;
  }
  answer_request();
  cordon_go_on_waiting(context);
}

/* libc sets its handler when the first thread is made, also in a forked child: so this is looked at before each request. */
long cordon_dispatch_take_signal(void) {
  KernelSigaction found;
  long result = cordon_engine.call(CORDON_NR_rt_sigaction, REQUEST_SIGNAL, 0, (long)&found, 8, 0, 0);
  if (result != 0 || found.handler == (uint64_t)cordon_request_signal) return result;
  cordon_copy_words(&cordon_engine.requests.own, &found, sizeof found);
  KernelSigaction ours;
  ours.handler = (uint64_t)cordon_request_signal;
  /* A thread goes on waiting inside the handler, and may be asked again there. */
  ours.flags = CORDON_SA_SIGINFO | CORDON_SA_NODEFER | CORDON_SA_ONSTACK | CORDON_SA_RESTORER | CORDON_SA_RESTART;
  ours.restorer = cordon_engine.restorer;
  ours.mask = 0;
  result = cordon_engine.call(CORDON_NR_rt_sigaction, REQUEST_SIGNAL, (long)&ours, 0, 8, 0, 0);
  if (result == 0) store(&cordon_engine.requests.signal, REQUEST_SIGNAL);
  return result;
}

uint32_t cordon_dispatch_signal(void) { return load(&cordon_engine.requests.signal); }

/* A request that was given up may still be on its way. */
void cordon_give_back_request_signal(void) {
  CordonRequests *requests = &cordon_engine.requests;
  uint32_t signal = cordon_dispatch_signal();
  if (signal == 0 || load(&requests->given_up)) return;
  cordon_engine.call(CORDON_NR_rt_sigaction, signal, (long)&requests->own, 0, 8, 0, 0);
  store(&requests->signal, 0);
}

long cordon_request_signal_action(int32_t signal, const KernelSigaction *action, KernelSigaction *old) {
  CordonRequests *requests = &cordon_engine.requests;
  /* A vfork child's dispositions are its own, and nobody asks it anything. */
  if (signal <= 0 || (uint32_t)signal != cordon_dispatch_signal() || cordon_borrows_memory()) return CORDON_ORDINARY;
  cordon_copy_words(old, &requests->own, sizeof *old);
  if (action != NULL) cordon_copy_words(&requests->own, action, sizeof *action);
  return 0;
}

static long wait_for_answer(uint64_t asked, long pid, int32_t tid, uint32_t timeout_ms) {
  CordonRequests *requests = &cordon_engine.requests;
  int64_t deadline = now() + (int64_t)timeout_ms * 1000000;
  for (;;) {
    uint32_t answered = load(&requests->answered);
    uint64_t answer = __atomic_load_n((uint64_t *)&requests->answer, __ATOMIC_ACQUIRE);
    if (answer >> ERROR_BITS == asked) return -(long)(answer & ((1u << ERROR_BITS) - 1));
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
  uint32_t signal = cordon_dispatch_signal();
  if (signal == 0) return -CORDON_EINVAL;
  uint64_t serial = ++requests->serial & ((1ull << SERIAL_BITS) - 1), asked = serial << THREAD_BITS | (uint32_t)tid;
  __atomic_store_n((uint64_t *)&requests->asked, asked, __ATOMIC_RELEASE);
  KernelSiginfo info;
  cordon_clear_words(&info, sizeof info);
  long pid = cordon_engine.call(CORDON_NR_getpid, 0, 0, 0, 0, 0, 0);
  info.signo = (int32_t)signal;
  info.code = CORDON_SI_QUEUE;
  info.queued.pid = (int32_t)pid;
  info.queued.value = request_value();
  long result = cordon_engine.call(CORDON_NR_rt_tgsigqueueinfo, pid, tid, signal, (long)&info, 0, 0);
  if (result == 0) result = wait_for_answer(asked, pid, tid, timeout_ms);
  __atomic_store_n((uint64_t *)&requests->asked, 0, __ATOMIC_RELEASE);
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

long cordon_dispatch_disarm_thread(int32_t tid, uint32_t timeout_ms) { return request(tid, timeout_ms); }

CORDON_SIGNAL_PATH_END
