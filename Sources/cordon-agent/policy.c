/* Policies of modules, which lie in the area. */
#include "agent.h"

CORDON_AGENT_BEGIN

_Static_assert(sizeof(CordonPolicyInstruction) == sizeof(CordonInstruction), "both are the kernel's struct sock_filter");

uint32_t cordon_agent_judge(const CordonTrap *trap, const CordonModule *module) {
  if ((uint64_t)module->policy_start + module->policy_length > CORDON_AREA_POLICY_INSTRUCTIONS)
    return CORDON_ACTION_KILL_PROCESS;
  const CordonPolicyInstruction *program = cordon_area_policy(cordon_agent_area(), module->policy_start);
  return cordon_judge(trap, (const CordonInstruction *)program, module->policy_length);
}

CORDON_AGENT_END
