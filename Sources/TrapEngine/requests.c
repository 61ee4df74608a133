/* What a thread does that is asked something by another one of its process. */
#include "signal_path.h"

CORDON_RARE_PATH_BEGIN

static uint32_t load(const void *word) { return __atomic_load_n((const uint32_t *)word, __ATOMIC_ACQUIRE); }
static void store(void *word, uint32_t value) { __atomic_store_n((uint32_t *)word, value, __ATOMIC_RELEASE); }

/* What is asked; 0 where it is not a request. */
static uint64_t question(const KernelSiginfo *info) {
  if (info->code != CORDON_SI_TIMER) return 0;
  int is_from_here = info->queued.pid == (int32_t)cordon_engine.call(CORDON_NR_getpid, 0, 0, 0, 0, 0, 0);
  return is_from_here ? info->queued.value : 0;
}

/* A request may be answered late, when it has been given up. So it does not say what to do: whoever gets it does what is
   wanted now, and looks again whether that is still so. Only an answer that is waited for is given; who asks has said
   before what is wanted. */
static void answer_request(void) {
  CordonRequests *requests = &cordon_engine.requests;
  uint32_t thread = (uint32_t)cordon_engine.call(CORDON_NR_gettid, 0, 0, 0, 0, 0, 0);
  CordonRequest *mine = NULL;
  uint64_t asked = 0;
  for (uint32_t i = 0; i < CORDON_REQUESTS && mine == NULL; i++) {
    asked = cordon_asked_in(&requests->each[i]);
    if (asked != 0 && cordon_thread_asked(asked) == thread) mine = &requests->each[i];
  }
  long result;
  uint32_t arms;
  do {
    arms = load(&requests->arms);
    result = arms ? cordon_dispatch_arm(NULL) : cordon_dispatch_disarm();
  } while (load(&requests->arms) != arms);
  if (mine == NULL) return;
  /* Never over the answer to a later request. */
  uint64_t answer = asked << CORDON_ERROR_BITS | (uint64_t)-result, before;
  do {
    before = __atomic_load_n((uint64_t *)&mine->answer, __ATOMIC_ACQUIRE);
    if (cordon_asked_in(mine) != asked) return;
  } while (!__atomic_compare_exchange_n((uint64_t *)&mine->answer, &before, answer, 0, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE));
  __atomic_fetch_add((uint32_t *)&requests->answered, 1, __ATOMIC_RELEASE);
  cordon_engine.call(CORDON_NR_futex, (long)&requests->answered, CORDON_FUTEX_WAKE_PRIVATE, INT32_MAX, 0, 0, 0);
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
  CordonPark *park = __atomic_load_n(&cordon_engine.park, __ATOMIC_ACQUIRE);
  uint64_t asked = question(info);
  if (asked == CORDON_ASKS_TO_ARM) {
    answer_request();
  } else if (asked == CORDON_ASKS_TO_PARK && park != NULL) {
    park(context);
  } else {
    forward(signal, info, context);
    return;
  }
  cordon_go_on_waiting(context);
}

/* libc sets its handler when the first thread is made, also in a forked child: so this is looked at before each request. */
long cordon_requests_take_signal(void) {
  KernelSigaction found;
  long result = cordon_engine.call(CORDON_NR_rt_sigaction, CORDON_REQUEST_SIGNAL, 0, (long)&found, 8, 0, 0);
  if (result != 0 || found.handler == (uint64_t)cordon_request_signal) return result;
  cordon_copy_words(&cordon_engine.requests.own, &found, sizeof found);
  KernelSigaction ours;
  ours.handler = (uint64_t)cordon_request_signal;
  /* A thread goes on waiting inside the handler, and may be asked again there, but not before: cordon_go_on_waiting. */
  ours.flags = CORDON_SA_SIGINFO | CORDON_SA_ONSTACK | CORDON_SA_RESTORER | CORDON_SA_RESTART;
  ours.restorer = cordon_engine.restorer;
  ours.mask = 0;
  result = cordon_engine.call(CORDON_NR_rt_sigaction, CORDON_REQUEST_SIGNAL, (long)&ours, 0, 8, 0, 0);
  if (result == 0) store(&cordon_engine.requests.signal, CORDON_REQUEST_SIGNAL);
  return result;
}

uint32_t cordon_requests_signal(void) { return load(&cordon_engine.requests.signal); }

/* A request that was given up may still be on its way. */
void cordon_give_back_request_signal(void) {
  CordonRequests *requests = &cordon_engine.requests;
  uint32_t signal = cordon_requests_signal();
  if (signal == 0 || load(&requests->given_up)) return;
  cordon_engine.call(CORDON_NR_rt_sigaction, signal, (long)&requests->own, 0, 8, 0, 0);
  store(&requests->signal, 0);
}

long cordon_request_signal_action(int32_t signal, const KernelSigaction *action, KernelSigaction *old) {
  CordonRequests *requests = &cordon_engine.requests;
  /* A vfork child's dispositions are its own, and nobody asks it anything. */
  if (signal <= 0 || (uint32_t)signal != cordon_requests_signal() || cordon_borrows_memory()) return CORDON_ORDINARY;
  cordon_copy_words(old, &requests->own, sizeof *old);
  if (action != NULL) cordon_copy_words(&requests->own, action, sizeof *action);
  return 0;
}

CORDON_SIGNAL_PATH_END
