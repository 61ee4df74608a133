/* Records of calls, in a ring that the launcher empties. A full ring makes the program wait, for a log with holes is none;
   but not for a launcher that is gone. */
#include "agent.h"

CORDON_AGENT_BEGIN

#define PATIENCE 4000 /* times half a millisecond */

static int wait_for_place(CordonAgentArea *area, uint64_t *place) {
  struct {
    int64_t seconds, nanoseconds;
  } half_a_millisecond;
  half_a_millisecond.seconds = 0;
  half_a_millisecond.nanoseconds = 500000;
  for (uint32_t i = 0; !cordon_area_begin_record(area, place); i++) {
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
  cordon_area_complete_record(area, place);
}

CORDON_AGENT_END
