/* libseccomp never comes back from some rules, and there is no way to stop a thread, so it runs in a child.
 *
 * The child does not exec: there is no program that a library could rely on finding. What it does between fork and _exit
 * is malloc, libseccomp (which has no locks and no threads of its own), and system calls. malloc works in the child of a
 * program with threads, because the C library's fork takes its locks for the time of the fork (glibc, and musl from
 * 1.2.2 on). No signal handler of the program runs in the child, as all signals but those that end it stay blocked. */
#define _GNU_SOURCE
#include "PolicyShims.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { most_comparisons = 6, patience = 8, look_again = 50 };

/* The address space that is in use, plus what a build may take. */
static void limit_memory(void) {
  const rlim_t allowance = 512u << 20;
  char text[32] = {0};
  int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  ssize_t length = read(file, text, sizeof text - 1);
  close(file);
  rlim_t pages = 0;
  for (ssize_t i = 0; i < length && text[i] >= '0' && text[i] <= '9'; i++) pages = pages * 10 + (rlim_t)(text[i] - '0');
  struct rlimit limit;
  if (pages == 0 || getrlimit(RLIMIT_AS, &limit) != 0) return;
  rlim_t wanted = pages * (rlim_t)sysconf(_SC_PAGESIZE) + allowance;
  if (limit.rlim_cur == RLIM_INFINITY || wanted < limit.rlim_cur) limit.rlim_cur = wanted;
  setrlimit(RLIMIT_AS, &limit);
}

/* The child ends itself, so nobody has to know its number to do it: after this time on a processor, so that a busy
 * machine fails no build, and after eight times as much in all. */
static void end_after(uint32_t milliseconds) {
  signal(SIGPROF, SIG_DFL);
  signal(SIGALRM, SIG_DFL);
  struct itimerval timer = {.it_value = {.tv_sec = milliseconds / 1000, .tv_usec = milliseconds % 1000 * 1000}};
  setitimer(ITIMER_PROF, &timer, NULL);
  timer.it_value.tv_sec = milliseconds * patience / 1000 + 1;
  setitimer(ITIMER_REAL, &timer, NULL);
  sigset_t timers;
  sigemptyset(&timers);
  sigaddset(&timers, SIGPROF);
  sigaddset(&timers, SIGALRM);
  pthread_sigmask(SIG_UNBLOCK, &timers, NULL);
  /* Its memory is the program's, which nobody wants written to disk for it. */
  struct rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
}

static int add(scmp_filter_ctx context, const PolicyRule *rule, const PolicyComparison *comparisons) {
  struct scmp_arg_cmp array[most_comparisons];
  if (rule->comparison_count > most_comparisons) return -EINVAL;
  for (uint32_t i = 0; i < rule->comparison_count; i++) {
    const PolicyComparison *comparison = &comparisons[rule->first_comparison + i];
    array[i] = (struct scmp_arg_cmp){
        comparison->argument, (enum scmp_compare)comparison->comparison, comparison->first, comparison->second};
  }
  return seccomp_rule_add_exact_array(context, rule->answer, rule->number, rule->comparison_count, array);
}

static int build(
    const PolicyRule *rules, uint32_t rule_count, const PolicyComparison *comparisons, uint32_t otherwise,
    int descriptor, volatile PolicyBuildOutcome *outcome) {
  scmp_filter_ctx context = seccomp_init(otherwise);
  if (context == NULL) return -ENOMEM;
  for (uint32_t i = 0; i < rule_count; i++) {
    outcome->rule = i;
    int answer = add(context, &rules[i], comparisons);
    if (answer != 0) return answer;
  }
  outcome->stage = PolicyBuildAddedRules;
  int answer = seccomp_export_bpf(context, descriptor);
  if (answer == 0) outcome->stage = PolicyBuildDone;
  return answer;
}

/* Whether a child of this process waits for something, or is stopped: a build does neither (proc_pid_stat(5)). */
static int stands_still(pid_t child) {
  char path[40], text[64] = {0};
  snprintf(path, sizeof path, "/proc/%d/stat", (int)child);
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  ssize_t length = read(file, text, sizeof text - 1);
  close(file);
  /* The name in parentheses may hold any character, and has 15 at most. */
  char *name_end = length > 0 ? strrchr(text, ')') : NULL;
  return name_end != NULL && name_end[1] == ' ' && (name_end[2] == 'S' || name_end[2] == 'T' || name_end[2] == 't');
}

static int64_t milliseconds_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Waits until the child has closed its end of the pipe, or until it is seen to stand still twice after `milliseconds`:
 * then the answer is 1. Another thread's child can hold that end open too, for it is there between the two: then this
 * takes all the time there is, and no more. */
static int wait_for_end(int pipe_end, pid_t child, uint32_t milliseconds) {
  const int64_t start = milliseconds_now(), end = start + milliseconds * patience + 2000;
  int seen = 0;
  for (;;) {
    const int64_t now = milliseconds_now();
    if (now >= end) return 0;
    const int64_t looked_at = start + milliseconds - now;
    struct pollfd waited = {.fd = pipe_end, .events = POLLIN};
    int ready = poll(&waited, 1, (int)(looked_at > 0 ? looked_at : look_again));
    if (ready > 0 || (ready < 0 && errno != EINTR)) return 0;
    if (milliseconds_now() - start < milliseconds) continue;
    seen = stands_still(child) ? seen + 1 : 0;
    if (seen == 2) return 1;
  }
}

long cordon_policy_build(
    const PolicyRule *rules, uint32_t rule_count, const PolicyComparison *comparisons, uint32_t otherwise,
    uint32_t milliseconds, int descriptor, PolicyBuildOutcome *outcome) {
  PolicyBuildOutcome *shared =
      mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return -errno;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    int error = errno;
    munmap(shared, sizeof *shared);
    return -error;
  }
  sigset_t all, before;
  sigfillset(&all);
  /* Where calls of this program trap, one that found it blocked would kill it. */
  sigdelset(&all, SIGSYS);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pid_t child = fork();
  int error = errno;
  if (child == 0) {
    end_after(milliseconds);
    limit_memory();
    shared->answer = build(rules, rule_count, comparisons, otherwise, descriptor, shared);
    shared->ended = -1;
    _exit(0);
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  close(ends[1]);
  if (child > 0) {
    int stood_still = wait_for_end(ends[0], child, milliseconds);
    /* Still there only if it waits, or something keeps it from its own alarm. It has not been waited for, so the number
     * is its. */
    siginfo_t state = {0};
    if (waitid(P_PID, (id_t)child, &state, WEXITED | WNOHANG | WNOWAIT) == 0 && state.si_pid == 0) {
      if (shared->ended == 0) kill(child, SIGKILL);
    }
    /* A program that ignores SIGCHLD, or waits for any child, has the state instead: what is shared tells all. */
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {
    }
    *outcome = *shared;
    outcome->ended = shared->ended == 0;
    outcome->stood_still = outcome->ended && stood_still;
  }
  close(ends[0]);
  munmap(shared, sizeof *shared);
  return child < 0 ? -error : 0;
}

int cordon_policy_file(void) {
  int descriptor = memfd_create("cordon-policy", MFD_CLOEXEC);
  return descriptor < 0 ? -errno : descriptor;
}
