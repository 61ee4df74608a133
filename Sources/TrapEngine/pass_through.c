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

/* By way of a thunk of the site's own, or the shared one if there is no slot left. A child may share the stack or have
   another, so that the shared thunk's way back would be lost: calls that make one have to fail then. */
static void use_thunk(CordonThunkKind kind, CordonRegisters *registers, uint64_t shared) {
  uint64_t thunk = cordon_thunk(kind, registers->rip);
  if (thunk != 0)
    registers->rip = thunk;
  else if (shared != 0)
    use_shared_thunk(registers, shared);
  else
    registers->rax = (uint64_t)-CORDON_EAGAIN;
}

/* 32-bit code cannot reach the gate, which lies above its addresses. The thread goes there in 64-bit mode, where
   `int $0x80` is the same call, and comes back by a far jump. (A child that it makes so goes on without dispatch.) */
static void use_thunk_for_code32(KernelUcontext *context) {
  uint64_t far_pointer = (uint32_t)context->registers.rip | (uint64_t)context->cs << 32;
  uint64_t thunk = cordon_thunk(CordonThunkCode32, far_pointer);
  if (thunk == 0) {
    context->registers.rax = (uint64_t)-CORDON_EAGAIN;
    return;
  }
  context->registers.rip = thunk;
  context->cs = USER_CODE_64;
}

static void pass_int80(const CordonTrap *trap, KernelUcontext *context) {
  CordonRegisters *registers = &context->registers;
  CordonThunkKind kind = CordonThunkInt80;
  switch (trap->number) {
  case CORDON_NI_sigreturn:
  case CORDON_NI_rt_sigreturn:
    cordon_mend_guest_frame(trap, context);
    registers->rip = cordon_engine.sigreturn80_thunk;
    context->cs = USER_CODE_64;
    return;
  case CORDON_NI_fork:
  case CORDON_NI_vfork:
  case CORDON_NI_clone:
  case CORDON_NI_clone3:
    cordon_note_memory_owner();
    kind = CordonThunkFork80;
    break;
  default: {
    long result = cordon_special_old_call(trap, context);
    if (result == CORDON_ORDINARY) break;
    registers->rax = (uint64_t)result;
    return;
  }
  }
  if (context->cs != USER_CODE_64)
    use_thunk_for_code32(context);
  else
    use_thunk(kind, registers, kind == CordonThunkInt80 ? cordon_engine.shared_int80_thunk : 0);
}

void cordon_pass(const CordonTrap *trap, KernelUcontext *context) {
  CordonRegisters *registers = &context->registers;
  cordon_count(&cordon_engine.counters.passed);
  if (trap->architecture == CORDON_AUDIT_ARCH_I386) {
    pass_int80(trap, context);
    return;
  }
  CordonThunkKind kind = CordonThunkSite;
  switch (cordon_number_without_x32(trap->number)) {
  case CORDON_NX_rt_sigreturn: /* rt_sigreturn of x32; without its bit, a call that fails, whoever makes it */
  case CORDON_NR_rt_sigreturn:
    cordon_mend_guest_frame(trap, context);
    registers->rip = cordon_engine.sigreturn_thunk;
    return;
  case CORDON_NR_clone:
  case CORDON_NR_fork:
  case CORDON_NR_vfork:
    cordon_note_memory_owner();
    kind = CordonThunkFork;
    break;
  case CORDON_NR_clone3:
    cordon_note_memory_owner();
    kind = cordon_makes_cleared_child(trap) ? CordonThunkCleared : CordonThunkFork;
    break;
  default: {
    long result = cordon_special_call(trap, context);
    if (result == CORDON_ORDINARY) break;
    registers->rax = (uint64_t)result;
    return;
  }
  }
  use_thunk(kind, registers, kind == CordonThunkSite ? cordon_engine.shared_syscall_thunk : 0);
}

/* Whether the call is one of the engine's own, made in the course of a trap, which the program's filter traps. */
int cordon_is_own_call(const KernelSiginfo *info) {
  return info->code == CORDON_SYS_SECCOMP && (info->sigsys.call_address == cordon_engine.called ||
                                              info->sigsys.call_address == cordon_engine.called80);
}

/* The program's filter traps a call that was let through: its handler is to see the call where the program made it. The
   kernel has not carried it out, and all that a thunk does after a call is to go back to where it was made. */
void cordon_leave_thunk(KernelSiginfo *info, KernelUcontext *context) {
  CordonRegisters *registers = &context->registers;
  uint64_t reported = info->sigsys.call_address, resume;
  if (registers->rip != reported) return;
  if (reported == cordon_engine.shared_syscall_called || reported == cordon_engine.shared_int80_called) {
    if (cordon_copy_in(&resume, registers->rsp, sizeof resume) != 0) return;
    registers->rsp += sizeof resume + RED_ZONE;
  } else {
    resume = cordon_resume_address(reported);
    if (resume == 0) return;
  }
  if (info->sigsys.architecture != CORDON_AUDIT_ARCH_I386) registers->rcx = resume;
  registers->rip = resume;
  info->sigsys.call_address = resume;
}

CORDON_SIGNAL_PATH_END
