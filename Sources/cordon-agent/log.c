/* Records of calls, in a ring that the launcher empties. A full ring makes the program wait, for a log with holes is none;
   but not for a launcher that is gone. */
#include "agent.h"

CORDON_AGENT_BEGIN

#define PATIENCE 4000 /* times half a millisecond */

static int wait_for_room(CordonAgentArea *area, uint64_t place) {
  struct {
    int64_t seconds, nanoseconds;
  } half_a_millisecond;
  half_a_millisecond.seconds = 0;
  half_a_millisecond.nanoseconds = 500000;
  for (uint32_t i = 0; place - __atomic_load_n(&area->read, __ATOMIC_ACQUIRE) >= CORDON_AREA_RECORDS; i++) {
    if (i == PATIENCE) return 0;
    cordon_agent_call(NR_nanosleep, (long)&half_a_millisecond, 0, 0, 0, 0, 0);
  }
  return 1;
}

void cordon_agent_record(const CordonRecord *record) {
  CordonAgentArea *area = cordon_agent_area();
  /* Once records have been lost, nobody reads them: do not wait again for each. */
  if (__atomic_load_n(&area->lost_records, __ATOMIC_RELAXED) != 0 &&
      __atomic_load_n(&area->written, __ATOMIC_RELAXED) - __atomic_load_n(&area->read, __ATOMIC_RELAXED) >=
          CORDON_AREA_RECORDS) {
    __atomic_fetch_add(&area->lost_records, 1, __ATOMIC_RELAXED);
    return;
  }
  uint64_t place = __atomic_fetch_add(&area->written, 1, __ATOMIC_ACQ_REL);
  if (!wait_for_room(area, place)) {
    __atomic_fetch_add(&area->lost_records, 1, __ATOMIC_RELAXED);
    return;
  }
  CordonRecord *to = cordon_area_record(area, place);
  const uint64_t *from = (const uint64_t *)record;
  for (size_t i = 1; i < sizeof *record / 8; i++) ((volatile uint64_t *)to)[i] = from[i];
  __atomic_store_n(&to->sequence, place + 1, __ATOMIC_RELEASE);
}

CORDON_AGENT_END
