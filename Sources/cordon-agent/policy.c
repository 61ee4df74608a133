/* Policies of modules, which lie in the area. */
#include "agent.h"

CORDON_AGENT_BEGIN

_Static_assert(sizeof(CordonPolicyInstruction) == sizeof(CordonInstruction), "both are the kernel's struct sock_filter");

uint32_t cordon_agent_judge(const CordonTrap *trap, const CordonModule *module) {
  CordonAgentArea *area = cordon_agent_area();
  uint64_t start = module != NULL ? module->policy_start : area->elsewhere_policy_start;
  uint64_t length = module != NULL ? module->policy_length : area->elsewhere_policy_length;
  if (length == 0) return CORDON_ACTION_ALLOW;
  if (start + length > CORDON_AREA_POLICY_INSTRUCTIONS) return CORDON_ACTION_KILL_PROCESS;
  const CordonPolicyInstruction *program = cordon_area_policy(area, start);
  return cordon_judge(trap, (const CordonInstruction *)program, length);
}

CORDON_AGENT_END
