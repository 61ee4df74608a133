/* Calls by which trapped code could end up with SIGSYS blocked; its next trap would then kill it. The code's masks are
   kept as it wants them, but for that one bit. */
#include "signal_path.h"

CORDON_SIGNAL_PATH_BEGIN

#define KERNEL_SIGSET_SIZE 8
#define IORING_ENTER_EXT_ARG 8
/* No call answers this: the call needs no such care and goes the ordinary way. */
#define ORDINARY INT64_MIN

/* rt_sigprocmask(2), carried out on the mask that our frame restores when the handler returns. */
static long set_mask(const CordonTrap *trap, KernelUcontext *context) {
  uint64_t how = trap->arguments[0], set_at = trap->arguments[1], old_at = trap->arguments[2];
  if (trap->arguments[3] != KERNEL_SIGSET_SIZE) return -CORDON_EINVAL;
  uint64_t old = context->mask & ~CORDON_SIGSYS_BIT;
  if (set_at != 0) {
    uint64_t set, mask;
    long result = cordon_copy_in(&set, set_at, sizeof set);
    if (result != 0) return result;
    switch ((int32_t)how) {
    case 0: mask = old | set; break;  /* SIG_BLOCK */
    case 1: mask = old & ~set; break; /* SIG_UNBLOCK */
    case 2: mask = set; break;        /* SIG_SETMASK */
    default: return -CORDON_EINVAL;
    }
    context->mask = mask & ~(CORDON_UNBLOCKABLE_BITS | CORDON_SIGSYS_BIT);
  }
  return old_at != 0 ? cordon_copy_out(old_at, &old, sizeof old) : 0;
}

/* rt_sigaction(2) of another signal, with SIGSYS taken out of the mask that its handler runs with. It changes nothing
   that belongs to the frame, so it may be issued from here. ORDINARY if there is nothing to take out. */
static long set_action(const CordonTrap *trap) {
  uint64_t action_at = trap->arguments[1];
  if ((int32_t)trap->arguments[0] == CORDON_SIGSYS) {
    if (trap->arguments[3] != KERNEL_SIGSET_SIZE) return -CORDON_EINVAL;
    return cordon_own_sigaction(action_at, trap->arguments[2]);
  }
  KernelSigaction action;
  if (action_at == 0 || cordon_copy_in(&action, action_at, sizeof action) != 0) return ORDINARY;
  if (!(action.mask & CORDON_SIGSYS_BIT)) return ORDINARY;
  action.mask &= ~CORDON_SIGSYS_BIT;
  return cordon_engine.call(CORDON_NR_rt_sigaction, (long)trap->arguments[0], (long)&action, (long)trap->arguments[2],
                            (long)trap->arguments[3], 0, 0);
}

/* Calls that wait under another mask. One that would block SIGSYS is issued from here with a copy of the mask: they
   change nothing that outlives them, a signal that comes in meanwhile finds the handler's frame below its own, and what
   it interrupts ends with EINTR or is restarted by the kernel as usual. ORDINARY if there is nothing to take out. */
static long wait_with_mask(const CordonTrap *trap) {
  long arguments[6];
  for (int i = 0; i < 6; i++) arguments[i] = (long)trap->arguments[i];
  int mask_argument;
  uint64_t holder[3]; /* a struct that the argument points to, and whose first word points to the mask */
  size_t holder_size = 0;
  switch (trap->number) {
  case CORDON_NR_rt_sigsuspend: mask_argument = 0; break;
  case CORDON_NR_ppoll: mask_argument = 3; break;
  case CORDON_NR_epoll_pwait:
  case CORDON_NR_epoll_pwait2: mask_argument = 4; break;
  case CORDON_NR_io_uring_enter:
    mask_argument = 4;
    if (trap->arguments[3] & IORING_ENTER_EXT_ARG) holder_size = 24;
    break;
  default: /* pselect6, io_pgetevents: a pair of pointer and size */
    mask_argument = 5;
    holder_size = 16;
    break;
  }
  uint64_t mask_at = trap->arguments[mask_argument];
  if (holder_size != 0) {
    if (mask_at == 0 || cordon_copy_in(holder, mask_at, holder_size) != 0) return ORDINARY;
    mask_at = holder[0];
  }
  uint64_t mask;
  if (mask_at == 0 || cordon_copy_in(&mask, mask_at, sizeof mask) != 0 || !(mask & CORDON_SIGSYS_BIT)) return ORDINARY;
  mask &= ~CORDON_SIGSYS_BIT;
  holder[0] = (uint64_t)&mask;
  arguments[mask_argument] = holder_size != 0 ? (long)holder : (long)&mask;
  return cordon_engine.call(trap->number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4],
                            arguments[5]);
}

int cordon_pass_mask_call(const CordonTrap *trap, KernelUcontext *context) {
  long result;
  switch (trap->number) {
  case CORDON_NR_rt_sigprocmask: result = set_mask(trap, context); break;
  case CORDON_NR_rt_sigaction: result = set_action(trap); break;
  case CORDON_NR_rt_sigsuspend:
  case CORDON_NR_ppoll:
  case CORDON_NR_pselect6:
  case CORDON_NR_epoll_pwait:
  case CORDON_NR_epoll_pwait2:
  case CORDON_NR_io_pgetevents:
  case CORDON_NR_io_uring_enter: result = wait_with_mask(trap); break;
  default: return 0;
  }
  if (result == ORDINARY) return 0;
  context->registers.rax = (uint64_t)result;
  return 1;
}

void cordon_unblock_in_guest_frame(KernelUcontext *context) {
  /* At rt_sigreturn the stack pointer is at the frame's ucontext: the return address before it has been popped. */
  uint64_t mask_at = context->registers.rsp + offsetof(KernelUcontext, mask), mask;
  if (cordon_copy_in(&mask, mask_at, sizeof mask) != 0 || !(mask & CORDON_SIGSYS_BIT)) return;
  mask &= ~CORDON_SIGSYS_BIT;
  (void)cordon_copy_out(mask_at, &mask, sizeof mask); /* a frame that cannot be written is the kernel's to refuse */
}

CORDON_SIGNAL_PATH_END
