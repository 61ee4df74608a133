/* Records of calls, in a ring that the launcher empties. A full ring makes the program wait, for a log with holes is none;
   but not for a launcher that is gone. */
#include "agent.h"

CORDON_AGENT_BEGIN

#define PATIENCE 4000 /* times half a millisecond */

/* A place in the ring, taken only where the ring has room for it: one that was taken and then given up would never be
   completed, and the launcher takes records out in the order of their places. */
static int take_place(CordonAgentArea *area, uint64_t *place) {
  *place = __atomic_load_n(&area->written, __ATOMIC_RELAXED);
  while ((int64_t)(*place - __atomic_load_n(&area->read, __ATOMIC_ACQUIRE)) < CORDON_AREA_RECORDS) {
    if (__atomic_compare_exchange_n(&area->written, place, *place + 1, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) return 1;
  }
  return 0;
}

static int wait_for_place(CordonAgentArea *area, uint64_t *place) {
  struct {
    int64_t seconds, nanoseconds;
  } half_a_millisecond;
  half_a_millisecond.seconds = 0;
  half_a_millisecond.nanoseconds = 500000;
  for (uint32_t i = 0; !take_place(area, place); i++) {
    /* Whoever has not read for so long is not waited for again, until it has read something. */
    uint64_t read = __atomic_load_n(&area->read, __ATOMIC_RELAXED);
    if (i == PATIENCE) __atomic_store_n(&area->given_up, read + 1, __ATOMIC_RELAXED);
    if (__atomic_load_n(&area->given_up, __ATOMIC_RELAXED) == read + 1) return 0;
    cordon_agent_call(NR_nanosleep, (long)&half_a_millisecond, 0, 0, 0, 0, 0);
  }
  return 1;
}

void cordon_agent_record(const CordonRecord *record) {
  CordonAgentArea *area = cordon_agent_area();
  uint64_t place;
  if (!wait_for_place(area, &place)) {
    __atomic_fetch_add(&area->lost_records, 1, __ATOMIC_RELAXED);
    return;
  }
  CordonRecord *to = cordon_area_record(area, place);
  const uint64_t *from = (const uint64_t *)record;
  for (size_t i = 1; i < sizeof *record / 8; i++) ((volatile uint64_t *)to)[i] = from[i];
  __atomic_store_n(&to->sequence, place + 1, __ATOMIC_RELEASE);
}

CORDON_AGENT_END
