#define _GNU_SOURCE
#include "GuestSignals.h"

#include "GuestCode.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/ucontext.h>
#include <unistd.h>

static GuestSignals signals = {.descriptor = -1};

GuestSignals *guest_signals(void) { return &signals; }

long guest_native_call(long number, long a, long b, long c, long d, long e, long f) {
  long result = syscall(number, a, b, c, d, e, f);
  return result == -1 ? -errno : result;
}

static uint64_t current_mask(void) {
  uint64_t mask = 0;
  guest_native_call(SYS_rt_sigprocmask, SIG_BLOCK, 0, (long)&mask, sizeof mask, 0, 0);
  return mask;
}

static void ask_for_stack(void) {
  stack_t old, new = {.ss_flags = SS_DISABLE};
  (void)signals.call(SYS_sigaltstack, 0, (long)&old, 0, 0, 0, 0);
  signals.stack_flags = old.ss_flags;
  signals.replacement = signals.call(SYS_sigaltstack, (long)&new, 0, 0, 0, 0, 0);
}

static void work(int signal, GuestDelivery *delivery) {
  if (signals.call != NULL) {
    delivery->answer = signals.call(SYS_getpid, 0, 0, 0, 0, 0, 0);
    int other = signals.raises[signal];
    if (other != 0) (void)signals.call(SYS_tgkill, getpid(), gettid(), other, 0, 0, 0);
    if (signals.asks_for_stack) ask_for_stack();
  }
  if (signals.descriptor >= 0) {
    ssize_t written = write(signals.descriptor, "!", 1);
    (void)written;
  }
  if (signals.clobbers) guest_clobber();
  __atomic_fetch_add(&delivery->count, 1, __ATOMIC_RELEASE);
}

static void handle(int signal, siginfo_t *info, void *context) {
  GuestDelivery *delivery = &signals.deliveries[signal];
  ucontext_t *user = context;
  delivery->mask = *(uint64_t *)&user->uc_sigmask;
  delivery->mask_inside = current_mask();
  delivery->stack = (uint64_t)__builtin_frame_address(0);
  delivery->code = info->si_code;
  delivery->resume = (uint64_t)user->uc_mcontext.gregs[REG_RIP];
  delivery->stack_start = (uint64_t)user->uc_stack.ss_sp;
  delivery->stack_size = user->uc_stack.ss_size;
  if (info->si_code > 0 && signal == SIGSYS) {
    delivery->number = info->si_syscall;
    delivery->call_address = (uint64_t)info->si_call_addr;
    delivery->error = info->si_errno;
    user->uc_mcontext.gregs[REG_RAX] = signals.result;
  } else {
    delivery->pid = info->si_pid;
    delivery->value = (uint64_t)info->si_value.sival_ptr;
  }
  if (signals.mask_to_return != 0) *(uint64_t *)&user->uc_sigmask = signals.mask_to_return;
  work(signal, delivery);
}

static void handle_plain(int signal) {
  signals.deliveries[signal].stack = (uint64_t)__builtin_frame_address(0);
  work(signal, &signals.deliveries[signal]);
}

static sigjmp_buf landing;

static void handle_and_jump(int signal) {
  work(signal, &signals.deliveries[signal]);
  siglongjmp(landing, 1);
}

static void handle_and_block(int signal) {
  uint64_t every = UINT64_MAX, before;
  guest_native_call(SYS_rt_sigprocmask, SIG_SETMASK, (long)&every, (long)&before, sizeof every, 0, 0);
  __atomic_fetch_add(&signals.deliveries[signal].count, 1, __ATOMIC_RELEASE);
  for (int i = 0; i < 50; i++) {
    usleep(1000);
    (void)current_mask();
  }
  guest_native_call(SYS_rt_sigprocmask, SIG_SETMASK, (long)&before, 0, sizeof before, 0, 0);
}

uint64_t guest_signal_handler(void) { return (uint64_t)handle; }
uint64_t guest_plain_signal_handler(void) { return (uint64_t)handle_plain; }
uint64_t guest_jumping_signal_handler(void) { return (uint64_t)handle_and_jump; }
uint64_t guest_blocking_signal_handler(void) { return (uint64_t)handle_and_block; }

int guest_call_until_signal(long number, long a, long b, long c, long d) {
  if (sigsetjmp(landing, 1) != 0) return 1;
  (void)signals.call(number, a, b, c, d, 0, 0);
  return 0;
}

long guest_vfork_and_reset(int signal) {
  uint64_t action[4] = {0};
  pid_t child = vfork();
  if (child != 0) return child;
  long result = signals.call(SYS_rt_sigaction, signal, (long)action, 0, 8, 0, 0);
  _exit(result == 0 ? 0 : 1);
}

static GuestSteps steps;

GuestSteps *guest_steps(void) { return &steps; }

static void handle_step(int signal, siginfo_t *info, void *context) {
  (void)signal, (void)info;
  uint64_t at = (uint64_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
  if (at >= steps.start && at < steps.end && steps.count < sizeof steps.taken / sizeof steps.taken[0])
    steps.taken[steps.count++] = at;
}

uint64_t guest_stepping_handler(void) { return (uint64_t)handle_step; }

/* The state letter of a process: the first character after its name in parentheses (proc_pid_stat(5)). */
static char state_of(pid_t process) {
  char path[64], text[256];
  snprintf(path, sizeof path, "/proc/%d/stat", process);
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return '?';
  ssize_t count = read(file, text, sizeof text - 1);
  close(file);
  if (count <= 0) return '?';
  text[count] = 0;
  const char *end = strrchr(text, ')');
  return end != NULL && end[1] == ' ' ? end[2] : '?';
}

int32_t guest_fork_stopper(int32_t target, uint32_t before, uint32_t meanwhile) {
  pid_t child = fork();
  if (child != 0) return child;
  usleep(before);
  if (kill(target, SIGSTOP) != 0) _exit(1);
  for (int i = 0; state_of(target) != 'T'; i++) {
    if (i == 10000) {
      kill(target, SIGCONT);
      _exit(2);
    }
    usleep(1000);
  }
  usleep(meanwhile);
  _exit(kill(target, SIGCONT) == 0 ? 0 : 3);
}
