/* Calls by which trapped code could end up with SIGSYS blocked; its next trap would then kill it. The code's masks are
   kept as it wants them, but for that one bit. */
#include "signal_path.h"

CORDON_RARE_PATH_BEGIN

#define IORING_ENTER_EXT_ARG 8

/* rt_sigprocmask(2), carried out on the mask that our frame restores when the handler returns. */
long cordon_set_mask(KernelUcontext *context, int32_t how, uint64_t set) {
  uint64_t mask = context->mask;
  switch (how) {
  case 0: mask |= set; break;  /* SIG_BLOCK */
  case 1: mask &= ~set; break; /* SIG_UNBLOCK */
  case 2: mask = set; break;   /* SIG_SETMASK */
  default: return -CORDON_EINVAL;
  }
  context->mask = mask & ~(CORDON_UNBLOCKABLE_BITS | cordon_kept_open());
  cordon_note_mask(how, set);
  return 0;
}

/* Calls that wait under another mask. One that would block SIGSYS, or what threads are asked by, is issued from here with a copy of the mask: they
   change nothing that outlives them, a signal that comes in meanwhile finds the handler's frame below its own, and what
   it interrupts ends with EINTR or is restarted by the kernel as usual. */
long cordon_wait_with_mask(const CordonTrap *trap, int32_t number) {
  long arguments[6];
  for (int i = 0; i < 6; i++) arguments[i] = (long)trap->arguments[i];
  int mask_argument;
  uint64_t holder[3]; /* a struct that the argument points to, and whose first word points to the mask */
  size_t holder_size = 0;
  switch (number) {
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
    if (mask_at == 0 || cordon_copy_in(holder, mask_at, holder_size) != 0) return CORDON_ORDINARY;
    mask_at = holder[0];
  }
  uint64_t mask;
  if (mask_at == 0 || cordon_copy_in(&mask, mask_at, sizeof mask) != 0 || !(mask & cordon_kept_open()))
    return CORDON_ORDINARY;
  mask &= ~cordon_kept_open();
  holder[0] = (uint64_t)&mask;
  arguments[mask_argument] = holder_size != 0 ? (long)holder : (long)&mask;
  return cordon_engine.call(trap->number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4],
                            arguments[5]);
}

/* Where the mask is at the frame that a return from a signal finds, counted from the stack pointer: the return address
   before the frame has been popped, and for i386's old one the signal's number too. */
static uint64_t mask_offset(const CordonTrap *trap) {
  if (trap->architecture != CORDON_AUDIT_ARCH_I386) {
    /* struct ucontext_x32 has shorter members before its struct sigcontext. */
    return cordon_number_without_x32(trap->number) == CORDON_NX_rt_sigreturn ? 280 : offsetof(KernelUcontext, mask);
  }
  /* rt_sigreturn: signal, two pointers, siginfo, and 108 bytes of ucontext_ia32. sigreturn: oldmask of sigcontext_32. */
  return trap->number == CORDON_NI_rt_sigreturn ? 248 : 80;
}

/* The frame that trapped code returns from a signal by: with SIGSYS not blocked, and a stack that is large enough. */
void cordon_mend_guest_frame(const CordonTrap *trap, KernelUcontext *context) {
  uint64_t frame = context->registers.rsp, mask_at = frame + mask_offset(trap), mask = 0;
  /* i386's sigreturn has the upper half of the mask elsewhere, and what threads are asked by is blocked a little longer. */
  int has_half = trap->architecture == CORDON_AUDIT_ARCH_I386 && trap->number == CORDON_NI_sigreturn;
  size_t size = has_half ? sizeof(uint32_t) : sizeof mask;
  if (cordon_copy_in(&mask, mask_at, size) == 0 && mask & cordon_kept_open()) {
    mask &= ~cordon_kept_open();
    /* A frame that cannot be written is the kernel's to refuse. */
    (void)cordon_copy_out(mask_at, &mask, size);
  }
  if (mask_offset(trap) != offsetof(KernelUcontext, mask)) return;
  KernelStack stack, enlarged;
  uint64_t stack_at = frame + offsetof(KernelUcontext, stack);
  if (cordon_copy_in(&stack, stack_at, sizeof stack) != 0) return;
  cordon_copy_words(&enlarged, &stack, sizeof stack);
  cordon_enlarge_stack(context, &enlarged);
  if (enlarged.pointer != stack.pointer) (void)cordon_copy_out(stack_at, &enlarged, sizeof enlarged);
}

CORDON_SIGNAL_PATH_END
