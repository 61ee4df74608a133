/* The SIGSYS handler: whose delivery is it, what does the map say of the instruction, what does the hook answer. */
#include "signal_path.h"

CORDON_SIGNAL_PATH_BEGIN

/* The vsyscall page reports the address of its entry and not the one after an instruction. */
#define VSYSCALL_PAGE 0xffffffffff600000ull
#define SYSCALL_LENGTH 2

static int is_ours(const KernelSiginfo *info) {
  const CordonConfiguration *configuration = &cordon_engine.configuration;
  if (info->code == CORDON_SYS_USER_DISPATCH) return configuration->uses_dispatch != 0;
  return info->code == CORDON_SYS_SECCOMP && (uint16_t)info->error == configuration->trap_data;
}

static void read_arguments(CordonTrap *trap, const CordonRegisters *registers) {
  if (trap->architecture == CORDON_AUDIT_ARCH_I386) {
    uint64_t arguments[6] = {registers->rbx, registers->rcx, registers->rdx,
                             registers->rsi, registers->rdi, registers->rbp};
    for (int i = 0; i < 6; i++) trap->arguments[i] = (uint32_t)arguments[i];
  } else {
    uint64_t arguments[6] = {registers->rdi, registers->rsi, registers->rdx,
                             registers->r10, registers->r8,  registers->r9};
    for (int i = 0; i < 6; i++) trap->arguments[i] = arguments[i];
  }
}

void cordon_sigsys(int signal, KernelSiginfo *info, KernelUcontext *context) {
  (void)signal;
  if (!is_ours(info)) {
    if (cordon_is_own_call(info))
      context->registers.rax = (uint64_t)-CORDON_ENOSYS; /* the program does not know of it */
    else
      cordon_forward(info, context);
    return;
  }
  cordon_count(&cordon_engine.counters.traps);
  CordonRegisters *registers = &context->registers;
  uint64_t reported = info->sigsys.call_address;

  CordonTrap trap;
  CordonStep step;
  trap.generation = cordon_table_find(reported, &step, &trap.record);
  trap.number = info->sigsys.number;
  trap.architecture = info->sigsys.architecture;
  trap.instruction_address = reported < VSYSCALL_PAGE ? reported - SYSCALL_LENGTH : reported;
  trap.region = step.region;
  trap.cause = info->code;
  trap.registers = registers;
  trap.user_context = context;
  read_arguments(&trap, registers);

  CordonVerdict verdict; /* field by field: an initialiser of zeros would be a call of memset */
  verdict.kind = CordonVerdictPass;
  uint32_t disposition = step.disposition;
  int has_policy = disposition >= CORDON_DISPOSITION_POLICY;
  if (has_policy) disposition = cordon_policy_disposition(disposition - CORDON_DISPOSITION_POLICY, &trap);
  switch (disposition) {
  case CORDON_DISPOSITION_PASS:
    cordon_count(has_policy ? &cordon_engine.counters.permitted : &cordon_engine.counters.unasked);
    break;
  case CORDON_DISPOSITION_HOOK:
    cordon_count(&cordon_engine.counters.hooked);
    verdict = cordon_engine.configuration.hook(&trap, cordon_engine.configuration.hook_context);
    break;
  case CORDON_DISPOSITION_KILL:
    cordon_count(&cordon_engine.counters.refused);
    cordon_die(info);
    return;
  default:
    cordon_count(&cordon_engine.counters.refused);
    verdict.kind = CordonVerdictError;
    verdict.value = (int64_t)(disposition - CORDON_DISPOSITION_ERROR);
    break;
  }
  switch (verdict.kind) {
  case CordonVerdictValue:
    registers->rax = (uint64_t)verdict.value;
    break;
  case CordonVerdictError:
    registers->rax = (uint64_t)-verdict.value;
    break;
  case CordonVerdictRedirect:
    registers->rip = (uint64_t)verdict.value;
    break;
  case CordonVerdictSignal:
    /* As by the kernel's own means; the trap's data is nobody else's business. */
    info->code = CORDON_SYS_SECCOMP;
    info->error = 0;
    cordon_forward(info, context);
    break;
  case CordonVerdictPass:
    /* A hook that changed the registers meant the call to be made with them. */
    trap.number = (int32_t)registers->rax;
    read_arguments(&trap, registers);
    cordon_pass(&trap, context);
    break;
  }
}

CORDON_SIGNAL_PATH_END
