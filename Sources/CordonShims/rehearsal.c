/* A filter cannot be taken off and no_new_privs cannot be unset, so a load that might be refused is tried first in a
   child that shares memory but has filters and privileges of its own. */
#define _GNU_SOURCE
#include "CordonShims.h"
#include "TrapEngine.h"

#include <errno.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct {
  const void *instructions;
  uint16_t count;
  uint32_t flags;
  int no_new_privileges;
  volatile long result;
} Rehearsal;

static int rehearse(void *argument) {
  Rehearsal *rehearsal = argument;
  if (rehearsal->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) rehearsal->result = -errno;
  /* The filter may trap whatever comes next from this code, and the child must end all the same: leave by the gate. */
  long result = cordon_seccomp_load(rehearsal->instructions, rehearsal->count, rehearsal->flags);
  rehearsal->result = result;
  cordon_gate_call(60 /* exit */, 0, 0, 0, 0, 0, 0);
  return 0;
}

long cordon_seccomp_rehearse(const void *instructions, uint16_t count, uint32_t flags, int no_new_privileges) {
  enum { stack_size = 64 * 1024 };
  char *stack = mmap(NULL, stack_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (stack == MAP_FAILED) return -errno;
  Rehearsal rehearsal = {instructions, count, flags, no_new_privileges, -ECHILD};
  /* No exit signal: neither a SIGCHLD handler nor a wait() of the program notices this child. */
  pid_t child = clone(rehearse, stack + stack_size, CLONE_VM | CLONE_VFORK, &rehearsal);
  long result = child < 0 ? -errno : 0;
  if (child > 0) {
    while (waitpid(child, NULL, __WCLONE) < 0 && errno == EINTR) {
    }
    result = rehearsal.result;
  }
  munmap(stack, stack_size);
  return result;
}
