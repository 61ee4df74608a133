/* Native code that makes threads and processes without pause: libc blocks every signal while it does. */
#define _GNU_SOURCE
#include "GuestCode.h"

#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void *nothing(void *unused) { return unused; }

long guest_make_threads(const volatile int32_t *until) {
  long made = 0;
  do {
    pthread_t thread;
    if (pthread_create(&thread, NULL, nothing, NULL) != 0 || pthread_join(thread, NULL) != 0) return -1;
    made++;
  } while (*until == 0);
  return made;
}

long guest_make_detached_threads(const volatile int32_t *until) {
  long made = 0;
  do {
    pthread_t thread;
    if (pthread_create(&thread, NULL, nothing, NULL) != 0 || pthread_detach(thread) != 0) return -1;
    made++;
  } while (*until == 0);
  return made;
}

long guest_make_processes(const volatile int32_t *until) {
  long made = 0;
  do {
    pid_t child;
    char *arguments[] = {"true", NULL}, *environment[] = {NULL};
    if (posix_spawn(&child, "/bin/true", NULL, NULL, arguments, environment) != 0) return -1;
    if (waitpid(child, NULL, 0) != child) return -1;
    made++;
  } while (*until == 0);
  return made;
}

long guest_fork_processes(const volatile int32_t *until) {
  long made = 0;
  do {
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
      /* What it has of its parent's other threads: the memory as it was. */
      pthread_t thread;
      if (pthread_create(&thread, NULL, nothing, NULL) != 0 || pthread_join(thread, NULL) != 0) _exit(1);
      _exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0) return -1;
    made++;
  } while (*until == 0);
  return made;
}

long guest_set_identities(const volatile int32_t *until) {
  long made = 0;
  do {
    if (setreuid(-1, -1) != 0) return -1;
    made++;
  } while (*until == 0);
  return made;
}

long guest_block_and_call(const volatile int32_t *until) {
  long made = 0;
  sigset_t all, before;
  sigfillset(&all);
  do {
    if (pthread_sigmask(SIG_BLOCK, &all, &before) != 0 || getppid() < 0) return -1;
    if (pthread_sigmask(SIG_SETMASK, &before, NULL) != 0) return -1;
    made++;
  } while (*until == 0);
  return made;
}

static void call_in_handler(int signal) {
  (void)signal;
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  getppid();
  pthread_sigmask(SIG_SETMASK, &before, NULL);
}

long guest_call_in_handlers(const volatile int32_t *until) {
  struct sigaction action = {.sa_handler = call_in_handler, .sa_flags = SA_RESTART};
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
  struct itimerspec often = {{0, 1000000}, {0, 1000000}};
  timer_t timer;
  if (sigaction(SIGUSR1, &action, NULL) != 0 || timer_create(CLOCK_MONOTONIC, &event, &timer) != 0) return -1;
  if (timer_settime(timer, 0, &often, NULL) != 0) return -1;
  long made = 0;
  do {
    getppid();
    made++;
  } while (*until == 0);
  return timer_delete(timer) == 0 ? made : -1;
}
