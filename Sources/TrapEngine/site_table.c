/* Call sites and their thunks. The table is open-addressed by the address where the site goes on; a slot's data word is
   its key and the thunk's jump target at once, so claiming the slot (one compare-and-swap from 0) completes the thunk.
   Slots are never given back: another thread may be inside the thunk, for as long as its call lasts. */
#include "signal_path.h"

CORDON_SIGNAL_PATH_BEGIN

/* Beyond this many steps the table counts as full; at a load of 90 % one site in a thousand needs that many. */
#define PROBES 128

uint64_t cordon_thunk(CordonThunkKind kind, uint64_t resume) {
  uint64_t offset, slots = cordon_engine.slots[kind], width;
  switch (kind) {
  case CordonThunkSite:
    offset = CORDON_SITE_OFFSET, width = 16;
    break;
  case CordonThunkInt80:
    offset = CORDON_INT80_OFFSET, width = 16;
    break;
  case CordonThunkFork:
    offset = CORDON_FORK_OFFSET, width = 32;
    break;
  }
  uint8_t *code = cordon_engine.gate + offset;
  uint64_t index = (resume * 0x9e3779b97f4a7c15ull) >> 32; /* Fibonacci hashing; sites lie close together */
  for (uint32_t probe = 0; probe < PROBES; probe++, index++) {
    uint8_t *slot = code + (index & (slots - 1)) * width;
    uint64_t *target = (uint64_t *)(slot + CORDON_GATE_SIZE);
    uint64_t found = __atomic_load_n(target, __ATOMIC_ACQUIRE);
    if (found == 0) {
      if (__atomic_compare_exchange_n(target, &found, resume, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
        cordon_count(&cordon_engine.counters.sites);
        return (uint64_t)slot;
      }
    }
    if (found == resume) return (uint64_t)slot;
  }
  return 0;
}

CORDON_SIGNAL_PATH_END
