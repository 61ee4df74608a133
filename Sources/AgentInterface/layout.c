/* The interface has no code; what it promises about its own layout is checked here. */
#include "AgentInterface.h"

_Static_assert(offsetof(CordonAgentHeader, entry) == 24, "the image's assembly file spells the header out");
_Static_assert(sizeof(CordonAgentHeader) == 40, "the image's assembly file spells the header out");
_Static_assert(CORDON_AGENT_GATE % 4096 == 0 && CORDON_AGENT_DATA % 4096 == 0, "mappings start at pages");
