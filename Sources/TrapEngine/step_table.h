/* The two copies of the step table; see step_table.c. */
#ifndef CORDON_STEP_TABLE_H
#define CORDON_STEP_TABLE_H

#include "signal_path.h"

#define CHUNK_STEPS 64
#define CHUNKS 16384
#define RECORDS (CHUNKS * CHUNK_STEPS / 2)

typedef struct {
  CordonStep steps[CHUNK_STEPS];
} Chunk;

/* The row of one copy: which chunks there are, in order, and by what each begins. */
typedef struct {
  uint64_t firsts[CHUNKS];
  uint64_t ids[CHUNKS];
  uint64_t lengths[CHUNKS]; /* by id: the steps of a chunk, at least 1 of each in the row */
  uint64_t free[CHUNKS];    /* ids that are not in the row */
  uint64_t count, free_count;
  CordonStep scratch[CHUNK_STEPS];
} Row;

typedef struct {
  Row *row;
  Chunk *chunks;
} Copy;

typedef struct {
  /* What is read until the first change, after which `is_changed`: it need not be in memory of the table's own. */
  const CordonStep *first_steps;
  uint64_t first_count;
  uint64_t is_changed;
  _Atomic(uint64_t) generation;
  Copy copies[2];
  CordonRegionRecord *records;
  uint64_t chunks_committed, records_committed;
  /* Set while the copies differ; found set by a writer whose predecessor never came to the end (a fork). */
  uint64_t behind;
} StepTable;

extern CORDON_HIDDEN StepTable cordon_step_table;

#define LOAD(word) __atomic_load_n(&(word), __ATOMIC_RELAXED)
#define STORE(word, value) __atomic_store_n(&(word), (value), __ATOMIC_RELAXED)

#endif
