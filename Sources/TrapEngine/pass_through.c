/* Letting a trapped call happen after all. The call is not issued from the handler, where it would act on the handler's
   frame, mask and stack: the saved context is pointed at a thunk, and the call happens once the handler has returned. */
#include "signal_path.h"

CORDON_SIGNAL_PATH_BEGIN

#define RED_ZONE 128
#define USER_CODE_64 0x33

/* Goes on at `resume` by way of the thunk that all sites share; see gate.S. */
static void use_shared_thunk(CordonRegisters *registers, uint64_t thunk) {
  cordon_count(&cordon_engine.counters.shared_thunks);
  uint64_t way_back = registers->rsp - RED_ZONE - sizeof(uint64_t);
  if (cordon_copy_out(way_back, &registers->rip, sizeof registers->rip) != 0) {
    registers->rax = (uint64_t)-CORDON_EFAULT;
    return;
  }
  registers->rsp = way_back;
  registers->rip = thunk;
}

static void pass_int80(CordonRegisters *registers, uint16_t code_segment) {
  if (code_segment != USER_CODE_64) {
    /* 32-bit code in a 64-bit process: the gate lies above its addresses, so the call cannot happen in its mode. */
    registers->rax = (uint64_t)-CORDON_ENOSYS;
    return;
  }
  uint64_t thunk = cordon_thunk(CordonThunkInt80, registers->rip);
  if (thunk != 0)
    registers->rip = thunk;
  else
    use_shared_thunk(registers, cordon_engine.shared_int80_thunk);
}

void cordon_pass(const CordonTrap *trap, KernelUcontext *context) {
  CordonRegisters *registers = &context->registers;
  cordon_count(&cordon_engine.counters.passed);
  if (trap->architecture == CORDON_AUDIT_ARCH_I386) {
    pass_int80(registers, context->cs);
    return;
  }
  CordonThunkKind kind = CordonThunkSite;
  switch (trap->number) {
  case CORDON_NR_rt_sigreturn:
    cordon_unblock_in_guest_frame(context);
    registers->rip = cordon_engine.sigreturn_thunk;
    return;
  case CORDON_NR_clone:
  case CORDON_NR_fork:
  case CORDON_NR_vfork:
  case CORDON_NR_clone3:
    kind = CordonThunkFork;
    break;
  default:
    if (cordon_pass_mask_call(trap, context)) return;
  }
  uint64_t thunk = cordon_thunk(kind, registers->rip);
  if (thunk != 0) {
    registers->rip = thunk;
  } else if (kind == CordonThunkFork) {
    /* A child may share the stack or have another: the shared thunk's way back would be lost. */
    registers->rax = (uint64_t)-CORDON_EAGAIN;
  } else {
    use_shared_thunk(registers, cordon_engine.shared_syscall_thunk);
  }
}

CORDON_SIGNAL_PATH_END
