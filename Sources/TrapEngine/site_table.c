/* Call sites and their thunks. The table is open-addressed by the address where the site goes on; a slot's data word is
   its key and the thunk's jump target at once, so claiming the slot (one compare-and-swap from 0) completes the thunk.
   Slots are never given back: another thread may be inside the thunk, for as long as its call lasts. */
#include "signal_path.h"

CORDON_SIGNAL_PATH_BEGIN

/* Beyond this many steps the table counts as full; at a load of 90 % one site in a thousand needs that many. */
#define PROBES 128
/* A site goes to the first page of its table while there is room, so that a program with few sites touches few pages; and
   then behind it, where the end of the table is followed by the page after the first. */
#define NEAR_PROBES 8
#define PAGE 4096

typedef struct {
  uint64_t offset, width;
} Table;

static const Table tables[CORDON_THUNK_KINDS] = {
    [CordonThunkSite] = {CORDON_SITE_OFFSET, 16},       [CordonThunkInt80] = {CORDON_INT80_OFFSET, 16},
    [CordonThunkFork] = {CORDON_FORK_OFFSET, 32},       [CordonThunkCleared] = {CORDON_CLEARED_OFFSET, 32},
    [CordonThunkFork80] = {CORDON_FORK80_OFFSET, 32},   [CordonThunkCode32] = {CORDON_CODE32_OFFSET, 16},
};

uint64_t cordon_thunk(CordonThunkKind kind, uint64_t resume) {
  const Table *table = &tables[kind];
  uint64_t slots = cordon_engine.slots[kind];
  uint8_t *code = cordon_engine.gate + table->offset;
  uint64_t index = (resume * 0x9e3779b97f4a7c15ull) >> 32; /* Fibonacci hashing; sites lie close together */
  uint64_t first = PAGE / table->width, last = slots > first ? first - 1 : slots - 1;
  for (uint32_t probe = 0; probe < NEAR_PROBES + PROBES; probe++, index++) {
    if (probe == NEAR_PROBES) last = slots - 1;
    if (last >= first && (index & last) < first) index += first;
    uint8_t *slot = code + (index & last) * table->width;
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

uint64_t cordon_resume_address(uint64_t in_thunk) {
  uint64_t offset = in_thunk - (uint64_t)cordon_engine.gate;
  for (uint32_t kind = CordonThunkSite; kind <= CordonThunkFork80; kind++) {
    const Table *table = &tables[kind];
    if (offset - table->offset < cordon_engine.slots[kind] * table->width) {
      uint64_t slot = offset - (offset - table->offset) % table->width;
      return __atomic_load_n((uint64_t *)(cordon_engine.gate + CORDON_GATE_SIZE + slot), __ATOMIC_ACQUIRE);
    }
  }
  return 0;
}

CORDON_SIGNAL_PATH_END
