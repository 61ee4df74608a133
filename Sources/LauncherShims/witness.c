/* A process that does nothing but to be in the launcher's process group. What is sent to the whole group is pending for it,
   what is sent to the launcher alone is not. */
#define _GNU_SOURCE
#include "LauncherShims.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int be_there(void *launcher) {
  /* It shares the launcher's memory, and libc's state there, so it makes its calls directly. */
  syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (syscall(SYS_getppid) != (long)launcher) syscall(SYS_exit, 0); /* which has died before that */
  syscall(SYS_close_range, 0, ~0u, 0); /* Linux 5.9: nobody waits for the end of a pipe because of it */
  for (;;) syscall(SYS_rt_sigsuspend, &(uint64_t){~0ull}, sizeof(uint64_t));
}

int32_t cordon_witness_start(void *stack_end) {
  pid_t child = clone(be_there, stack_end, CLONE_VM, (void *)(long)getpid());
  return child < 0 ? -errno : child;
}

void cordon_witness_end(int32_t witness) {
  kill(witness, SIGKILL);
  while (waitpid(witness, NULL, __WALL) < 0 && errno == EINTR) {
  }
}
