/* The interface has no code; what it promises about its own layout is checked here. */
#include "AgentInterface.h"

_Static_assert(offsetof(CordonAgentHeader, inherited) == 48, "the image's assembly file spells the header out");
_Static_assert(CORDON_BIRTH_FLAGS == 0x100002, "the image's assembly file spells the flags out");
_Static_assert(sizeof(CordonAgentHeader) == 72, "the image's assembly file spells the header out");
_Static_assert(CORDON_AGENT_GATE % 4096 == 0 && CORDON_AGENT_DATA % 4096 == 0, "mappings start at pages");
_Static_assert(CORDON_AGENT_CALLS + 32 * CORDON_AREA_CALLS <= CORDON_AGENT_CHILD_CALLS, "the thunks of calls have room");
_Static_assert(CORDON_AGENT_CHILD_CALLS + 64 * CORDON_AGENT_CHILD_THUNKS <= CORDON_AGENT_GATE &&
                   CORDON_AGENT_CHILD_THUNKS <= CORDON_AREA_CALLS,
               "the thunks of calls that make a child have room");
_Static_assert(sizeof(CordonAgentArea) <= CORDON_AREA_MODULES_AT, "the tables are behind it");
_Static_assert(CORDON_AGENT_AREA + CORDON_AREA_SIZE <= CORDON_AGENT_SPAN, "the area has room");
_Static_assert(sizeof(CordonModule) == 40 && sizeof(CordonPolicyInstruction) == 8 && sizeof(CordonSite) == 56 && sizeof(CordonCall) == 128 &&
                   sizeof(CordonRecord) == 104,
               "tables without gaps");
_Static_assert(offsetof(CordonCall, resume) == 0 && offsetof(CordonCall, result) == 8 &&
                   offsetof(CordonCall, scratch) == 16 && offsetof(CordonCall, back) == 24 &&
                   offsetof(CordonCall, ended) == 40 && offsetof(CordonCall, state) == 48,
               "calls.S spells the call out");
