/* The gate of a program that is trapped by itself, as against one that a launcher has placed the engine into. */
#include "signal_path.h"

CORDON_RARE_PATH_BEGIN

extern __attribute__((weak, visibility("hidden"))) const uint8_t _DYNAMIC[];
#define NEAR_FIXED_CODE (1ull << 40)

/* A program that needs no loader has all its code at the addresses that it was linked for, below 4 GiB. With the gate not far
   above, one range of addresses can hold both and nothing that is trapped in between. */
static uint64_t preferred_address(void) { return _DYNAMIC == NULL ? NEAR_FIXED_CODE : 0; }

long cordon_engine_prepare(void) {
  uint32_t slots[CORDON_THUNK_KINDS];
  slots[CordonThunkSite] = CORDON_SITE_SLOTS;
  slots[CordonThunkInt80] = CORDON_INT80_SLOTS;
  slots[CordonThunkFork] = CORDON_FORK_SLOTS;
  slots[CordonThunkCleared] = CORDON_CLEARED_SLOTS;
  slots[CordonThunkFork80] = CORDON_FORK80_SLOTS;
  slots[CordonThunkCode32] = CORDON_CODE32_SLOTS;
  return cordon_prepare_gate(preferred_address(), slots);
}

CORDON_SIGNAL_PATH_END
