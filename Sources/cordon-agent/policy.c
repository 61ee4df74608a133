/* Policies: programs of the kernel's classic BPF machine, run here on what a filter would be given. The launcher compiles them
   and lets none pass that has other instructions than these; whatever else there is ends the process, as in the kernel. */
#include "agent.h"

CORDON_AGENT_BEGIN

#define LOAD_WORD 0x20  /* BPF_LD | BPF_W | BPF_ABS */
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

uint32_t cordon_agent_judge(const CordonTrap *trap, const CordonModule *module) {
  Call call;
  call.number = trap->number;
  call.architecture = trap->architecture;
  call.instruction_pointer = trap->instruction_address + 2;
  for (int i = 0; i < 6; i++) call.arguments[i] = trap->arguments[i];
  uint32_t accumulator = 0;
  for (uint32_t i = 0; i < module->policy_length; i++) {
    CordonPolicyInstruction at = *cordon_area_policy(cordon_agent_area(), module->policy_start + i);
    int holds;
    switch (at.code) {
    case LOAD_WORD:
      if (at.constant > sizeof call - 4) return CORDON_ACTION_KILL;
      accumulator = *(const uint32_t *)((const uint8_t *)&call + at.constant);
      continue;
    case AND_CONSTANT: accumulator &= at.constant; continue;
    case JUMP: i += at.constant; continue;
    case JUMP_EQUAL: holds = accumulator == at.constant; break;
    case JUMP_GREATER: holds = accumulator > at.constant; break;
    case JUMP_NOT_LESS: holds = accumulator >= at.constant; break;
    case JUMP_SET: holds = (accumulator & at.constant) != 0; break;
    case RETURN: return at.constant;
    default: return CORDON_ACTION_KILL;
    }
    i += holds ? at.if_true : at.if_false;
  }
  return CORDON_ACTION_KILL;
}

CORDON_AGENT_END
