/* The child that becomes the program. It shares the launcher's memory, so it costs no copy of the address space, and its
   table of descriptors until the listener is there, which so needs no message to get across; executing the program gives it
   memory of its own.
   From the second filter on only calls through `call` pass. */
#define _GNU_SOURCE
#include "LauncherShims.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE (1U << 1)
#endif
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

typedef long Call(long, long, long, long, long, long, long);
typedef long Load(long, long, long, long, long, long);

typedef struct {
  unsigned short count;
  const void *instructions;
} KernelProgram;

static long attach(Call *call, const CordonFilter *filter, unsigned long flags) {
  KernelProgram program = {filter->count, (const void *)filter->instructions};
  return call(SYS_seccomp, SECCOMP_SET_MODE_FILTER, (long)flags, (long)&program, 0, 0, 0);
}

static void reach(CordonLaunch *launch, Call *call, uint32_t stage) {
  __atomic_store_n(&launch->stage, stage, __ATOMIC_RELEASE);
  call(SYS_futex, (long)&launch->stage, FUTEX_WAKE, 1, 0, 0, 0);
}

/* The listener is the launcher's alone: where nobody else has it, a call that waits there fails when the launcher dies. */
static void leave_listener(Call *call, long listener) {
  if (call(SYS_close_range, listener, listener, CLOSE_RANGE_UNSHARE, 0, 0, 0) == 0) return;
  if (call(SYS_unshare, CLONE_FILES, 0, 0, 0, 0, 0) == 0) call(SYS_close, listener, 0, 0, 0, 0, 0); /* Linux before 5.9 */
}

#define TIMERS 3 /* of time that passes, and of a process's own */
_Static_assert(sizeof ((CordonLaunch *)0)->timers == TIMERS * sizeof(struct itimerval), "the kernel's struct");

static int is_set(const int64_t timer[4]) { return (timer[2] | timer[3]) != 0; }

/* Libc's functions are out of bounds here: they keep their state in memory that is the launcher's. */
static int become_program(void *argument) {
  CordonLaunch *launch = argument;
  Call *call = (Call *)launch->call;
  launch->stage = CordonLaunchPrivileges;
  long result = call(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0);
  if (result == 0) {
    launch->stage = CordonLaunchListener;
    unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_SPEC_ALLOW;
    result = attach(call, &launch->first, flags | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
    if (result == -EINVAL) result = attach(call, &launch->first, flags); /* Linux before 5.19 */
    if (result >= 0) {
      launch->listener = (int32_t)result;
      leave_listener(call, result);
      launch->stage = CordonLaunchFilter;
      result = launch->second.count == 0 ? 0 : attach(call, &launch->second, SECCOMP_FILTER_FLAG_SPEC_ALLOW);
    }
  }
  if (result == 0) result = call(SYS_rt_sigprocmask, SIG_SETMASK, (long)&launch->mask, 0, sizeof launch->mask, 0, 0);
  if (result == 0) {
    reach(launch, call, CordonLaunchExecuting);
    for (int i = 0; i < TIMERS; i++) /* execve(2) keeps timers, and fork(2) does not */
      if (is_set(launch->timers[i])) call(SYS_setitimer, i, (long)launch->timers[i], 0, 0, 0, 0);
    result = call(SYS_execve, (long)launch->path, (long)launch->arguments, (long)launch->environment, 0, 0, 0);
    if (result >= 0)
      result = ((Load *)launch->load)(result, AT_FDCWD, (long)launch->path, (long)launch->arguments,
                                      (long)launch->environment, 0);
  }
  launch->error = (int32_t)-result;
  for (;;) call(SYS_exit, 127, 0, 0, 0, 0, 0);
}

int32_t cordon_launch(CordonLaunch *launch, void *stack_end) {
  launch->listener = -1;
  launch->stage = CordonLaunchStarted;
  launch->error = 0;
  static const int64_t none[4];
  for (int i = 0; i < TIMERS; i++) syscall(SYS_setitimer, i, none, launch->timers[i]);
  pid_t child = clone(become_program, stack_end, CLONE_VM | CLONE_FILES | SIGCHLD, launch);
  return child < 0 ? -errno : child;
}

void cordon_launch_return_timers(const CordonLaunch *launch) {
  for (int i = 0; i < TIMERS; i++)
    if (is_set(launch->timers[i])) syscall(SYS_setitimer, i, launch->timers[i], NULL);
}

void cordon_launch_wait(CordonLaunch *launch, int32_t child) {
  for (;;) {
    uint32_t stage = __atomic_load_n(&launch->stage, __ATOMIC_ACQUIRE);
    if (stage == CordonLaunchExecuting) return;
    struct timespec patience = {0, 20000000};
    syscall(SYS_futex, &launch->stage, FUTEX_WAIT, stage, &patience, NULL, 0);
    siginfo_t ended;
    ended.si_pid = 0;
    if (waitid(P_PID, (id_t)child, &ended, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0 && ended.si_pid == child)
      return;
  }
}
