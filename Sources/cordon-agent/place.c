/* Puts modules that are to be trapped into the arena, where the filter traps. A loader maps a module's whole span first, at an
   address that it leaves to the kernel, and then the parts over it: so it is enough to choose that first address. */
#include "agent.h"

CORDON_AGENT_BEGIN

#define MAP_FIXED 0x10
#define MAP_ANONYMOUS 0x20
#define MAP_FIXED_NOREPLACE 0x100000
#define PAGE 4096ull
#define GAP 0x200000ull /* to the next module, and its alignment */

static uint64_t used; /* bytes of the arena that are given out */

int cordon_agent_place(const CordonTrap *trap, CordonVerdict *verdict) {
  if (trap->architecture != CORDON_ARCH_X86_64 || trap->number != NR_mmap) return 0;
  const uint64_t *arguments = trap->arguments;
  uint64_t flags = arguments[3];
  if (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE | MAP_ANONYMOUS) || arguments[5] != 0 || (int32_t)arguments[4] < 0) return 0;
  if (cordon_agent_ask(CORDON_QUESTION_PLACE, arguments[4]) != 1) return 0;
  uint64_t length = (arguments[1] + PAGE - 1) & ~(PAGE - 1);
  uint64_t span = (length + 2 * GAP - 1) & ~(GAP - 1);
  uint64_t offset = __atomic_fetch_add(&used, span, __ATOMIC_RELAXED);
  uint64_t address = cordon_agent_header.arena_start + offset;
  if (length == 0 || span < length || address + span > cordon_agent_header.arena_end) return 0;
  verdict->kind = CordonVerdictValue;
  verdict->value = cordon_agent_call(NR_mmap, (long)address, (long)arguments[1], (long)arguments[2],
                                     (long)(flags | MAP_FIXED_NOREPLACE), (long)arguments[4], 0);
  return 1;
}

CORDON_AGENT_END
