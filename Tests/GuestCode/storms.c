/* Native code that makes threads and processes without pause: libc blocks every signal while it does. */
#define _GNU_SOURCE
#include "GuestCode.h"

#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void *nothing(void *unused) { return unused; }

/* Does one thing again and again, and at least once; it says whether that went well. */
static long repeat(const volatile int32_t *until, bool (*once)(void)) {
  long made = 0;
  do {
    if (!once()) return -1;
    made++;
  } while (*until == 0);
  return made;
}

static bool make_thread(void) {
  pthread_t thread;
  return pthread_create(&thread, NULL, nothing, NULL) == 0 && pthread_join(thread, NULL) == 0;
}

static bool make_detached_thread(void) {
  pthread_t thread;
  return pthread_create(&thread, NULL, nothing, NULL) == 0 && pthread_detach(thread) == 0;
}

static bool make_process(void) {
  pid_t child;
  char *arguments[] = {"true", NULL}, *environment[] = {NULL};
  return posix_spawn(&child, "/bin/true", NULL, NULL, arguments, environment) == 0 && waitpid(child, NULL, 0) == child;
}

static bool fork_process(void) {
  int status = -1;
  pid_t child = fork();
  /* What it has of its parent's other threads: the memory as it was. */
  if (child == 0) _exit(make_thread() ? 0 : 1);
  return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

static bool set_identity(void) { return setreuid(-1, -1) == 0; }

static bool block_and_call(void) {
  sigset_t all, before;
  sigfillset(&all);
  return pthread_sigmask(SIG_BLOCK, &all, &before) == 0 && getppid() >= 0 &&
         pthread_sigmask(SIG_SETMASK, &before, NULL) == 0;
}

long guest_make_threads(const volatile int32_t *until) { return repeat(until, make_thread); }
long guest_make_detached_threads(const volatile int32_t *until) { return repeat(until, make_detached_thread); }
long guest_make_processes(const volatile int32_t *until) { return repeat(until, make_process); }
long guest_fork_processes(const volatile int32_t *until) { return repeat(until, fork_process); }
long guest_set_identities(const volatile int32_t *until) { return repeat(until, set_identity); }
long guest_block_and_call(const volatile int32_t *until) { return repeat(until, block_and_call); }

static bool call(void) { return getppid() >= 0; }

static void call_in_handler(int signal) {
  (void)signal;
  (void)block_and_call();
}

long guest_call_in_handlers(const volatile int32_t *until) {
  struct sigaction action = {.sa_handler = call_in_handler, .sa_flags = SA_RESTART};
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
  struct itimerspec often = {{0, 1000000}, {0, 1000000}};
  timer_t timer;
  if (sigaction(SIGUSR1, &action, NULL) != 0 || timer_create(CLOCK_MONOTONIC, &event, &timer) != 0) return -1;
  if (timer_settime(timer, 0, &often, NULL) != 0) return -1;
  long made = repeat(until, call);
  return timer_delete(timer) == 0 ? made : -1;
}
