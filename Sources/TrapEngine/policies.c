/* Policies: what becomes of a region's calls by number and arguments. Each is a program of the kernel's classic BPF
   machine, run here on what a filter would be given; whatever else than these instructions there is ends the process, as
   in the kernel.

   A policy never changes and is never freed, so a step that names one is all that a reader has to have read. */
#include "signal_path.h"

CORDON_RARE_PATH_BEGIN

#define LOAD_WORD 0x20 /* BPF_LD | BPF_W | BPF_ABS */
#define AND_CONSTANT 0x54
#define JUMP 0x05
#define JUMP_EQUAL 0x15
#define JUMP_GREATER 0x25
#define JUMP_NOT_LESS 0x35
#define JUMP_SET 0x45
#define RETURN 0x06

typedef struct {
  int32_t number;
  uint32_t architecture;
  uint64_t instruction_pointer;
  uint64_t arguments[6];
} Call; /* struct seccomp_data */

CordonPolicies cordon_policies;

uint32_t cordon_judge(const CordonTrap *trap, const CordonInstruction *program, uint64_t length) {
  Call call;
  call.number = trap->number;
  call.architecture = trap->architecture;
  call.instruction_pointer = trap->instruction_address + 2;
  for (int i = 0; i < 6; i++) call.arguments[i] = trap->arguments[i];
  uint32_t accumulator = 0;
  for (uint64_t i = 0; i < length; i++) {
    const CordonInstruction *at = &program[i];
    int holds;
    switch (at->code) {
    case LOAD_WORD:
      if (at->constant > sizeof call - 4) return CORDON_ACTION_KILL_PROCESS;
      accumulator = *(const uint32_t *)((const uint8_t *)&call + at->constant);
      continue;
    case AND_CONSTANT: accumulator &= at->constant; continue;
    case JUMP: i += at->constant; continue;
    case JUMP_EQUAL: holds = accumulator == at->constant; break;
    case JUMP_GREATER: holds = accumulator > at->constant; break;
    case JUMP_NOT_LESS: holds = accumulator >= at->constant; break;
    case JUMP_SET: holds = (accumulator & at->constant) != 0; break;
    case RETURN: return at->constant;
    default: return CORDON_ACTION_KILL_PROCESS;
    }
    i += holds ? at->if_true : at->if_false;
  }
  return CORDON_ACTION_KILL_PROCESS;
}

uint32_t cordon_policy_disposition(uint32_t index, const CordonTrap *trap) {
  const CordonPolicy *policy = &cordon_policies.entries[index];
  uint32_t action = cordon_judge(trap, policy->instructions, policy->length);
  uint32_t number = action & 0xffff;
  switch (action & 0xffff0000u) {
  case CORDON_ACTION_ALLOW: return CORDON_DISPOSITION_PASS;
  case CORDON_ACTION_TRAP: return CORDON_DISPOSITION_HOOK;
  /* The kernel takes what is above 4095 for 4095, and with 0 the call returns 0. */
  case CORDON_ACTION_ERRNO: return CORDON_DISPOSITION_ERROR + (number < 4095 ? number : 4095);
  default: return CORDON_DISPOSITION_KILL;
  }
}

CORDON_SIGNAL_PATH_END
