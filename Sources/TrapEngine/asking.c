/* Asking other threads of the process to arm syscall user dispatch, which each can only do for itself. Runs in ordinary
   code. */
#include "signal_path.h"

CORDON_RARE_PATH_BEGIN

static uint32_t load(const void *word) { return __atomic_load_n((const uint32_t *)word, __ATOMIC_ACQUIRE); }
static void store(void *word, uint32_t value) { __atomic_store_n((uint32_t *)word, value, __ATOMIC_RELEASE); }
static void ask(CordonRequest *request, uint64_t asked) {
  __atomic_store_n((uint64_t *)&request->asked, asked, __ATOMIC_RELEASE);
}

int64_t cordon_now(void) {
  CordonTimespec time;
  cordon_engine.call(CORDON_NR_clock_gettime, 1 /* CLOCK_MONOTONIC */, (long)&time, 0, 0, 0, 0);
  return time.seconds * CORDON_SECOND + time.nanoseconds;
}

long cordon_wait_on(const void *word, uint32_t value, int64_t nanoseconds) {
  CordonTimespec timeout = {nanoseconds / CORDON_SECOND, nanoseconds % CORDON_SECOND};
  return cordon_engine.call(CORDON_NR_futex, (long)word, CORDON_FUTEX_WAIT_PRIVATE, value, (long)&timeout, 0, 0);
}

/* The kernel takes what says that it comes from a timer off a thread that executes a program (flush_itimer_signals in
   fs/exec.c); any other request would come to that program, and end it. */
long cordon_queue_request(int32_t thread, uint64_t value) {
  KernelSiginfo info;
  cordon_clear_words(&info, sizeof info);
  long pid = cordon_engine.call(CORDON_NR_getpid, 0, 0, 0, 0, 0, 0);
  info.signo = CORDON_REQUEST_SIGNAL;
  info.code = CORDON_SI_TIMER;
  info.queued.pid = (int32_t)pid;
  info.queued.value = value;
  return cordon_engine.call(CORDON_NR_rt_tgsigqueueinfo, pid, thread, CORDON_REQUEST_SIGNAL, (long)&info, 0, 0);
}

/* Takes the answers that have come, and returns how many are still to come; of those that are errors, one is told. */
static uint64_t take_answers(uint64_t count, CordonSilence *silence) {
  uint64_t left = 0;
  for (uint64_t i = 0; i < count; i++) {
    CordonRequest *request = &cordon_engine.requests.each[i];
    uint64_t asked = cordon_asked_in(request);
    uint64_t answer = __atomic_load_n((uint64_t *)&request->answer, __ATOMIC_ACQUIRE);
    if (asked == 0) continue;
    if (answer >> CORDON_ERROR_BITS != asked) {
      left++;
      continue;
    }
    long error = (long)(answer & ((1u << CORDON_ERROR_BITS) - 1));
    if (error != 0) silence->thread = (int32_t)cordon_thread_asked(asked), silence->error = -error;
    ask(request, 0);
  }
  return left;
}

/* Threads that have ended will not answer. */
static void forget_ended(uint64_t count, long pid) {
  for (uint64_t i = 0; i < count; i++) {
    uint64_t asked = cordon_asked_in(&cordon_engine.requests.each[i]);
    if (asked != 0 && cordon_engine.call(CORDON_NR_tgkill, pid, cordon_thread_asked(asked), 0, 0, 0, 0) == -CORDON_ESRCH)
      ask(&cordon_engine.requests.each[i], 0);
  }
}

/* Whether one of those that have not answered would run if it were given a processor. */
static int some_starve(uint64_t count) {
  for (uint64_t i = 0; i < count; i++) {
    uint64_t asked = cordon_asked_in(&cordon_engine.requests.each[i]);
    CordonThreadLook look;
    if (asked != 0 && cordon_look_at_thread((int32_t)cordon_thread_asked(asked), &look) == 0 && look.is_runnable) return 1;
  }
  return 0;
}

static void wait_for_answers(uint64_t count, long pid, CordonPatience patience, CordonSilence *silence) {
  CordonRequests *requests = &cordon_engine.requests;
  int64_t start = cordon_now();
  for (;;) {
    uint32_t answered = load(&requests->answered);
    if (take_answers(count, silence) == 0) return;
    int64_t waited = cordon_now() - start;
    if (cordon_is_over(patience, waited, 0) && cordon_is_over(patience, waited, some_starve(count))) break;
    if (cordon_wait_on(&requests->answered, answered, 10 * CORDON_MILLISECOND) == -CORDON_ETIMEDOUT)
      forget_ended(count, pid);
  }
  for (uint64_t i = 0; i < count; i++) {
    uint64_t asked = cordon_asked_in(&requests->each[i]);
    if (asked == 0) continue;
    silence->thread = (int32_t)cordon_thread_asked(asked), silence->error = -CORDON_ETIMEDOUT;
    ask(&requests->each[i], 0);
  }
}

static void request(const int32_t *threads, uint64_t count, CordonPatience patience, CordonSilence *silence) {
  CordonRequests *requests = &cordon_engine.requests;
  uint64_t serial = ++requests->serial & ((1ull << CORDON_SERIAL_BITS) - 1);
  for (uint64_t i = 0; i < count; i++) {
    ask(&requests->each[i], serial << CORDON_THREAD_BITS | (uint32_t)threads[i]);
    long result = cordon_queue_request(threads[i], CORDON_ASKS_TO_ARM);
    if (result == 0) continue;
    ask(&requests->each[i], 0);
    if (result != -CORDON_ESRCH) silence->thread = threads[i], silence->error = result;
  }
  wait_for_answers(count, cordon_engine.call(CORDON_NR_getpid, 0, 0, 0, 0, 0, 0), patience, silence);
}

static CordonSilence request_all(const int32_t *threads, uint64_t count, CordonPatience patience) {
  CordonSilence silence;
  silence.thread = 0;
  silence.error = cordon_requests_take_signal();
  for (uint64_t done = 0; done < count && silence.error == 0; done += CORDON_REQUESTS) {
    uint64_t some = count - done < CORDON_REQUESTS ? count - done : CORDON_REQUESTS;
    request(threads + done, some, patience, &silence);
  }
  return silence;
}

CordonSilence cordon_dispatch_arm_threads(const int32_t *threads, uint64_t count, CordonPatience patience) {
  store(&cordon_engine.requests.arms, 1);
  return request_all(threads, count, patience);
}

void cordon_dispatch_give_up(void) {
  store(&cordon_engine.requests.given_up, 1);
  store(&cordon_engine.requests.arms, 0);
}

CordonSilence cordon_dispatch_disarm_threads(const int32_t *threads, uint64_t count, CordonPatience patience) {
  return request_all(threads, count, patience);
}

CORDON_SIGNAL_PATH_END
