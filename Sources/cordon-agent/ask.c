/* Questions to the launcher. */
#include "agent.h"

CORDON_AGENT_BEGIN

long cordon_agent_ask_of_area(long question, uint64_t argument, uint64_t area) {
  return cordon_agent_call(NR_execveat, question, (long)argument, (long)area, 0, CORDON_AGENT_ASKS, 0);
}

long cordon_agent_ask(long question, uint64_t argument) { return cordon_agent_ask_of_area(question, argument, 0); }

CORDON_AGENT_END
