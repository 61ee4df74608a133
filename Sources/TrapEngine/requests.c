/* Asking other threads of the process to arm syscall user dispatch, which each can only do for itself. */
#include "signal_path.h"

CORDON_RARE_PATH_BEGIN

#define FUTEX_WAIT_PRIVATE 128
#define FUTEX_WAKE_PRIVATE 129
#define CLOCK_MONOTONIC 1

typedef struct {
  int64_t seconds, nanoseconds;
} Timespec;

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
static uint64_t asked_in(const CordonRequest *request) {
  return __atomic_load_n((const uint64_t *)&request->asked, __ATOMIC_ACQUIRE);
}
static void ask(CordonRequest *request, uint64_t asked) {
  __atomic_store_n((uint64_t *)&request->asked, asked, __ATOMIC_RELEASE);
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
    asked = asked_in(&requests->each[i]);
    if (asked != 0 && thread_of(asked) == thread) mine = &requests->each[i];
  }
  long result;
  uint32_t arms;
  do {
    arms = load(&requests->arms);
    result = arms ? cordon_dispatch_arm(NULL) : cordon_dispatch_disarm();
  } while (load(&requests->arms) != arms);
  if (mine == NULL) return;
  /* Never over the answer to a later request. */
  uint64_t answer = asked << ERROR_BITS | (uint64_t)-result, before;
  do {
    before = __atomic_load_n((uint64_t *)&mine->answer, __ATOMIC_ACQUIRE);
    if (asked_in(mine) != asked) return;
  } while (!__atomic_compare_exchange_n((uint64_t *)&mine->answer, &before, answer, 0, __ATOMIC_ACQ_REL,
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

/* Takes the answers that have come, and returns how many are still to come; of those that are errors, one is told. */
static uint64_t take_answers(uint64_t count, CordonSilence *silence) {
  uint64_t left = 0;
  for (uint64_t i = 0; i < count; i++) {
    CordonRequest *request = &cordon_engine.requests.each[i];
    uint64_t asked = asked_in(request), answer = __atomic_load_n((uint64_t *)&request->answer, __ATOMIC_ACQUIRE);
    if (asked == 0) continue;
    if (answer >> ERROR_BITS != asked) {
      left++;
      continue;
    }
    long error = (long)(answer & ((1u << ERROR_BITS) - 1));
    if (error != 0) silence->thread = (int32_t)thread_of(asked), silence->error = -error;
    ask(request, 0);
  }
  return left;
}

/* Threads that have ended will not answer. */
static void forget_ended(uint64_t count, long pid) {
  for (uint64_t i = 0; i < count; i++) {
    uint64_t asked = asked_in(&cordon_engine.requests.each[i]);
    if (asked != 0 && cordon_engine.call(CORDON_NR_tgkill, pid, thread_of(asked), 0, 0, 0, 0) == -CORDON_ESRCH)
      ask(&cordon_engine.requests.each[i], 0);
  }
}

static void wait_for_answers(uint64_t count, long pid, uint32_t timeout_ms, CordonSilence *silence) {
  CordonRequests *requests = &cordon_engine.requests;
  int64_t deadline = now() + (int64_t)timeout_ms * 1000000;
  for (;;) {
    uint32_t answered = load(&requests->answered);
    if (take_answers(count, silence) == 0) return;
    int64_t left = deadline - now();
    if (left <= 0) break;
    if (left > 10000000) left = 10000000;
    Timespec timeout = {0, left};
    long result = cordon_engine.call(CORDON_NR_futex, (long)&requests->answered, FUTEX_WAIT_PRIVATE, answered,
                                     (long)&timeout, 0, 0);
    if (result == -CORDON_ETIMEDOUT) forget_ended(count, pid);
  }
  for (uint64_t i = 0; i < count; i++) {
    uint64_t asked = asked_in(&requests->each[i]);
    if (asked == 0) continue;
    silence->thread = (int32_t)thread_of(asked), silence->error = -CORDON_ETIMEDOUT;
    ask(&requests->each[i], 0);
  }
}

static void request(const int32_t *threads, uint64_t count, uint32_t timeout_ms, CordonSilence *silence) {
  CordonRequests *requests = &cordon_engine.requests;
  uint32_t signal = cordon_dispatch_signal();
  KernelSiginfo info;
  cordon_clear_words(&info, sizeof info);
  long pid = cordon_engine.call(CORDON_NR_getpid, 0, 0, 0, 0, 0, 0);
  info.signo = (int32_t)signal;
  info.code = CORDON_SI_QUEUE;
  info.queued.pid = (int32_t)pid;
  info.queued.value = request_value();
  uint64_t serial = ++requests->serial & ((1ull << SERIAL_BITS) - 1);
  for (uint64_t i = 0; i < count; i++) {
    ask(&requests->each[i], serial << THREAD_BITS | (uint32_t)threads[i]);
    long result = cordon_engine.call(CORDON_NR_rt_tgsigqueueinfo, pid, threads[i], signal, (long)&info, 0, 0);
    if (result == 0) continue;
    ask(&requests->each[i], 0);
    if (result != -CORDON_ESRCH) silence->thread = threads[i], silence->error = result;
  }
  wait_for_answers(count, pid, timeout_ms, silence);
}

static CordonSilence request_all(const int32_t *threads, uint64_t count, uint32_t timeout_ms) {
  CordonSilence silence;
  silence.thread = 0;
  silence.error = cordon_dispatch_take_signal();
  for (uint64_t done = 0; done < count && silence.error == 0; done += CORDON_REQUESTS) {
    uint64_t some = count - done < CORDON_REQUESTS ? count - done : CORDON_REQUESTS;
    request(threads + done, some, timeout_ms, &silence);
  }
  return silence;
}

CordonSilence cordon_dispatch_arm_threads(const int32_t *threads, uint64_t count, uint32_t timeout_ms) {
  store(&cordon_engine.requests.arms, 1);
  return request_all(threads, count, timeout_ms);
}

void cordon_dispatch_give_up(void) {
  store(&cordon_engine.requests.given_up, 1);
  store(&cordon_engine.requests.arms, 0);
}

CordonSilence cordon_dispatch_disarm_threads(const int32_t *threads, uint64_t count, uint32_t timeout_ms) {
  return request_all(threads, count, timeout_ms);
}

CORDON_SIGNAL_PATH_END
