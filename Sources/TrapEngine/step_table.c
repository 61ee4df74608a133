/* The map from instruction pointers to dispositions, read by the handler without locks while one writer changes it.

   There are two copies. The generation's lowest bit says which one is read; the writer changes the other one, publishes
   it by adding 1 to the generation, and then makes the same change to the first. A reader whose generation is no longer
   the current one when it has finished may have read a copy in the middle of its change, and reads again. So nothing is
   ever freed, a delivery may be interrupted or jumped out of anywhere, and a writer that is interrupted by a trap of its
   own thread, or that is left behind by a fork, leaves a whole copy for the readers.

   (step_table_changes.c is left out of a program that never changes its map.)

   A copy is a row of chunks of steps in ascending order, so a change moves a few hundred bytes, however long the map. */
#include "step_table.h"

StepTable cordon_step_table;

CORDON_SIGNAL_PATH_BEGIN

static const CordonStep *last_of(const CordonStep *steps, uint64_t count, uint64_t pointer) {
  uint64_t low = 0, high = count;
  while (high - low > 1) {
    uint64_t middle = low + (high - low) / 2;
    if (LOAD(steps[middle].first) <= pointer)
      low = middle;
    else
      high = middle;
  }
  return &steps[low];
}

/* The place of the chunk that a pointer's step is in. */
static uint64_t chunk_of(const Row *row, uint64_t pointer) {
  uint64_t low = 0, high = LOAD(row->count);
  while (high - low > 1) {
    uint64_t middle = low + (high - low) / 2;
    if (LOAD(row->firsts[middle]) <= pointer)
      low = middle;
    else
      high = middle;
  }
  return low;
}

static const CordonStep *find(uint64_t pointer, uint64_t generation) {
  if (!__atomic_load_n(&cordon_step_table.is_changed, __ATOMIC_ACQUIRE))
    return last_of(cordon_step_table.first_steps, cordon_step_table.first_count, pointer);
  const Copy *copy = &cordon_step_table.copies[generation & 1];
  uint64_t id = LOAD(copy->row->ids[chunk_of(copy->row, pointer)]);
  return last_of(copy->chunks[id].steps, LOAD(copy->row->lengths[id]), pointer);
}

uint64_t cordon_table_find(uint64_t pointer, CordonStep *step, CordonRegionRecord *record) {
  for (;;) {
    uint64_t generation = cordon_table_generation();
    const CordonStep *found = find(pointer, generation);
    step->first = LOAD(found->first);
    step->region = LOAD(found->region);
    step->disposition = LOAD(found->disposition);
    record->start = record->end = record->serial = 0;
    if (step->region < LOAD(cordon_step_table.records_committed)) {
      const CordonRegionRecord *named = &cordon_step_table.records[step->region];
      record->start = LOAD(named->start);
      record->end = LOAD(named->end);
      record->serial = LOAD(named->serial);
    }
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if (__atomic_load_n((uint64_t *)&cordon_step_table.generation, __ATOMIC_RELAXED) == generation) return generation;
  }
}

static int says_something(const CordonStep *step) {
  return LOAD(step->region) != CORDON_NO_REGION || LOAD(step->disposition) != CORDON_DISPOSITION_PASS;
}

static int any(const CordonStep *steps, uint64_t count, uint64_t first, uint64_t last) {
  for (const CordonStep *step = last_of(steps, count, first); step < steps + count && LOAD(step->first) <= last; step++)
    if (says_something(step)) return 1;
  return 0;
}

static int any_of(uint64_t first, uint64_t last, uint64_t generation) {
  if (!__atomic_load_n(&cordon_step_table.is_changed, __ATOMIC_ACQUIRE))
    return any(cordon_step_table.first_steps, cordon_step_table.first_count, first, last);
  const Copy *copy = &cordon_step_table.copies[generation & 1];
  uint64_t count = LOAD(copy->row->count);
  for (uint64_t place = chunk_of(copy->row, first); place < count && LOAD(copy->row->firsts[place]) <= last; place++) {
    uint64_t id = LOAD(copy->row->ids[place]);
    if (any(copy->chunks[id].steps, LOAD(copy->row->lengths[id]), first, last)) return 1;
  }
  return 0;
}

int cordon_table_has(uint64_t first, uint64_t last) {
  for (;;) {
    uint64_t generation = cordon_table_generation();
    int found = any_of(first, last, generation);
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if (__atomic_load_n((uint64_t *)&cordon_step_table.generation, __ATOMIC_RELAXED) == generation) return found;
  }
}

uint64_t cordon_table_generation(void) {
  return __atomic_load_n((uint64_t *)&cordon_step_table.generation, __ATOMIC_ACQUIRE);
}

void cordon_table_start(const CordonStep *steps, uint64_t count) {
  cordon_step_table.first_steps = steps;
  cordon_step_table.first_count = count;
  __atomic_store_n(&cordon_step_table.is_changed, 0, __ATOMIC_RELEASE);
}

CORDON_SIGNAL_PATH_END
