/* Changing the step table: one writer at a time. How its readers see that is told in step_table.c. */
#include "step_table.h"

CORDON_SIGNAL_PATH_BEGIN

/* Chunks that get their memory together, and records. */
#define CHUNK_PORTION 64
#define RECORD_PORTION (1 << 14)

#define PROT_NONE 0
#define PROT_READ 1
#define PROT_WRITE 2
#define MAP_PRIVATE 0x02
#define MAP_ANONYMOUS 0x20
#define MAP_NORESERVE 0x4000

static uint64_t reserve(uint64_t size) {
  return (uint64_t)cordon_engine.call(CORDON_NR_mmap, 0, (long)size, PROT_NONE,
                                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

static int failed(uint64_t address) { return address > (uint64_t)-4096; }

static long commit(void *start, uint64_t size) {
  return cordon_engine.call(CORDON_NR_mprotect, (long)start, (long)size, PROT_READ | PROT_WRITE, 0, 0, 0);
}

static long commit_records(uint64_t count) {
  if (count > RECORDS) return -CORDON_ENOMEM;
  if (count <= cordon_step_table.records_committed) return 0;
  uint64_t wanted = (count + RECORD_PORTION - 1) / RECORD_PORTION * RECORD_PORTION;
  long result = commit(cordon_step_table.records, wanted * sizeof(CordonRegionRecord));
  if (result == 0) STORE(cordon_step_table.records_committed, wanted);
  return result;
}

/* Has both copies have `wanted` chunks that are not in use. */
static long commit_chunks(uint64_t wanted) {
  while (cordon_step_table.copies[0].row->free_count < wanted || cordon_step_table.copies[1].row->free_count < wanted) {
    uint64_t begin = cordon_step_table.chunks_committed;
    if (begin == CHUNKS) return -CORDON_ENOMEM;
    for (int i = 0; i < 2; i++) {
      long result = commit(cordon_step_table.copies[i].chunks + begin, CHUNK_PORTION * sizeof(Chunk));
      if (result != 0) return result;
    }
    cordon_step_table.chunks_committed = begin + CHUNK_PORTION;
    for (int i = 0; i < 2; i++) {
      Row *row = cordon_step_table.copies[i].row;
      for (uint64_t id = begin; id < begin + CHUNK_PORTION; id++) row->free[row->free_count++] = id;
    }
  }
  return 0;
}

static long make_table(void) {
  uint64_t rows = (sizeof(Row) + 4095) / 4096 * 4096, chunks = CHUNKS * sizeof(Chunk),
           records = RECORDS * sizeof(CordonRegionRecord);
  uint64_t size = 2 * (rows + chunks) + records, base = reserve(size);
  if (failed(base)) return (long)base;
  long result = commit((void *)base, 2 * rows);
  if (result != 0) {
    cordon_engine.call(CORDON_NR_munmap, (long)base, (long)size, 0, 0, 0, 0);
    return result;
  }
  for (uint64_t i = 0; i < 2; i++) {
    cordon_step_table.copies[i].row = (Row *)(base + i * rows);
    cordon_step_table.copies[i].chunks = (Chunk *)(base + 2 * rows + i * chunks);
  }
  cordon_step_table.records = (CordonRegionRecord *)(base + 2 * (rows + chunks));
  return 0;
}

/* Both count down or up so that overlapping rows move right. Spelled out, see cordon_copy_words. */
static void move_words(uint64_t *to, const uint64_t *from, uint64_t count) {
  if (to < from) {
    for (uint64_t i = 0; i < count; i++) STORE(to[i], from[i]);
  } else {
    for (uint64_t i = count; i > 0; i--) STORE(to[i - 1], from[i - 1]);
  }
}

#define STEP_WORDS (sizeof(CordonStep) / sizeof(uint64_t))
static void move_steps(CordonStep *to, const CordonStep *from, uint64_t count) {
  move_words((uint64_t *)to, (const uint64_t *)from, count * STEP_WORDS);
}

static void insert_chunk(Row *row, uint64_t place, uint64_t first) {
  uint64_t id = row->free[--row->free_count];
  move_words(row->firsts + place + 1, row->firsts + place, row->count - place);
  move_words(row->ids + place + 1, row->ids + place, row->count - place);
  STORE(row->firsts[place], first);
  STORE(row->lengths[id], 0);
  STORE(row->ids[place], id);
  STORE(row->count, row->count + 1);
}

static void remove_chunks(Row *row, uint64_t begin, uint64_t end) {
  if (begin == end) return;
  for (uint64_t place = begin; place < end; place++) row->free[row->free_count++] = row->ids[place];
  move_words(row->firsts + begin, row->firsts + end, row->count - end);
  move_words(row->ids + begin, row->ids + end, row->count - end);
  STORE(row->count, row->count - (end - begin));
}

/* The last chunk that begins at or before `pointer`. */
static uint64_t place_of(const Row *row, uint64_t pointer) {
  uint64_t low = 0, high = row->count;
  while (high - low > 1) {
    uint64_t middle = low + (high - low) / 2;
    if (row->firsts[middle] <= pointer)
      low = middle;
    else
      high = middle;
  }
  return low;
}

/* How many of a chunk's steps begin before `pointer`. */
static uint64_t before(const CordonStep *steps, uint64_t length, uint64_t pointer) {
  uint64_t low = 0, high = length;
  while (low < high) {
    uint64_t middle = low + (high - low) / 2;
    if (steps[middle].first < pointer)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

typedef struct {
  Copy *copy;
  uint64_t place;    /* the chunk that is appended to */
  CordonStep last;   /* what was appended last */
  int has_last;
} Appending;

/* Appends a step, unless it says the same as the one before it. */
static void append(Appending *to, const CordonStep *step) {
  if (to->has_last && to->last.region == step->region && to->last.disposition == step->disposition) return;
  Row *row = to->copy->row;
  uint64_t id = row->ids[to->place];
  if (row->lengths[id] == CHUNK_STEPS) {
    insert_chunk(row, ++to->place, step->first);
    id = row->ids[to->place];
  }
  uint64_t length = row->lengths[id];
  move_steps(&to->copy->chunks[id].steps[length], step, 1);
  if (length == 0) STORE(row->firsts[to->place], step->first);
  STORE(row->lengths[id], length + 1);
  move_words((uint64_t *)&to->last, (const uint64_t *)step, STEP_WORDS);
  to->has_last = 1;
}

/* Joins a chunk with the next one where both together are half a chunk, so that the row stays short. */
static void join(Copy *copy, uint64_t place) {
  Row *row = copy->row;
  if (place + 1 >= row->count) return;
  uint64_t id = row->ids[place], next = row->ids[place + 1];
  uint64_t length = row->lengths[id], more = row->lengths[next];
  if (length + more > CHUNK_STEPS / 2) return;
  move_steps(copy->chunks[id].steps + length, copy->chunks[next].steps, more);
  STORE(row->lengths[id], length + more);
  remove_chunks(row, place + 1, place + 2);
}

/* Replaces what holds for the pointers first...last. */
static void replace(Copy *copy, const CordonEdit *edit) {
  Row *row = copy->row;
  uint64_t begin = place_of(row, edit->first), end = begin;
  int reaches_end = edit->last == UINT64_MAX;
  CordonStep after; /* what holds behind the edit, as it does now */
  uint64_t tail = 0, tail_at = 0, end_id = row->ids[begin];
  if (reaches_end) {
    end = row->count - 1;
  } else {
    end = place_of(row, edit->last + 1);
    end_id = row->ids[end];
    const CordonStep *steps = copy->chunks[end_id].steps;
    tail_at = before(steps, row->lengths[end_id], edit->last + 1);
    tail = row->lengths[end_id] - tail_at;
    if (tail > 0 && steps[tail_at].first == edit->last + 1) {
      move_steps(&after, &steps[tail_at], 1);
      tail_at++, tail--;
    } else {
      /* There is one: the first step begins at 0. */
      move_steps(&after, &steps[tail_at - 1], 1);
      after.first = edit->last + 1;
    }
    move_steps(row->scratch, steps + tail_at, tail);
  }
  uint64_t id = row->ids[begin], kept = before(copy->chunks[id].steps, row->lengths[id], edit->first);
  remove_chunks(row, begin + 1, end + 1);
  STORE(row->lengths[id], kept);

  Appending to;
  to.copy = copy;
  to.place = begin;
  to.has_last = 0;
  if (kept > 0) {
    move_steps(&to.last, &copy->chunks[id].steps[kept - 1], 1);
    to.has_last = 1;
  } else if (begin > 0) {
    uint64_t previous = row->ids[begin - 1];
    move_steps(&to.last, &copy->chunks[previous].steps[row->lengths[previous] - 1], 1);
    to.has_last = 1;
  }
  for (uint64_t i = 0; i < edit->step_count; i++) append(&to, &edit->steps[i]);
  if (!reaches_end) append(&to, &after);
  /* The tail's first step differs from what holds before it, as it did. */
  id = row->ids[to.place];
  if (row->lengths[id] + tail <= CHUNK_STEPS && row->lengths[id] > 0) {
    move_steps(copy->chunks[id].steps + row->lengths[id], row->scratch, tail);
    STORE(row->lengths[id], row->lengths[id] + tail);
  } else {
    for (uint64_t i = 0; i < tail; i++) append(&to, &row->scratch[i]);
  }
  /* All that was new said what held before it. */
  if (row->lengths[row->ids[begin]] == 0) {
    remove_chunks(row, begin, begin + 1);
    to.place = to.place > 0 ? to.place - 1 : 0;
    begin = begin > 0 ? begin - 1 : 0;
  }
  join(copy, to.place);
  if (begin > 0) join(copy, begin - 1);
}

static void catch_up(Copy *behind, const Copy *ahead) {
  const Row *from = ahead->row;
  Row *to = behind->row;
  move_words(to->firsts, from->firsts, from->count);
  move_words(to->ids, from->ids, from->count);
  move_words(to->free, from->free, from->free_count);
  for (uint64_t place = 0; place < from->count; place++) {
    uint64_t id = from->ids[place];
    move_steps(behind->chunks[id].steps, ahead->chunks[id].steps, from->lengths[id]);
    STORE(to->lengths[id], from->lengths[id]);
  }
  STORE(to->count, from->count);
  to->free_count = from->free_count;
}

/* Has both copies say what the map has been until now. Nobody reads them yet. */
static long begin(void) {
  long result = cordon_step_table.records == NULL ? make_table() : 0;
  if (result == 0) result = commit_chunks(cordon_step_table.first_count / CHUNK_STEPS + 3);
  if (result != 0) return result;
  CordonStep nothing;
  nothing.first = 0;
  nothing.region = CORDON_NO_REGION;
  nothing.disposition = CORDON_DISPOSITION_PASS;
  CordonEdit all;
  all.first = 0;
  all.last = UINT64_MAX;
  all.steps = cordon_step_table.first_count ? cordon_step_table.first_steps : &nothing;
  all.step_count = cordon_step_table.first_count ? cordon_step_table.first_count : 1;
  for (int i = 0; i < 2; i++) {
    Copy *copy = &cordon_step_table.copies[i];
    if (copy->row->count == 0) {
      /* Something to replace. */
      insert_chunk(copy->row, 0, 0);
      move_steps(copy->chunks[copy->row->ids[0]].steps, &nothing, 1);
      STORE(copy->row->lengths[copy->row->ids[0]], 1);
    }
    replace(copy, &all);
  }
  cordon_step_table.behind = 0;
  __atomic_store_n(&cordon_step_table.is_changed, 1, __ATOMIC_RELEASE);
  return 0;
}

static uint64_t steps_in(const Row *row) {
  uint64_t steps = 0;
  for (uint64_t place = 0; place < row->count; place++) steps += row->lengths[row->ids[place]];
  return steps;
}

/* How many chunks that are not in use edits may take, one after the other: `each` if none is joined, with so many steps
   in all. Many of them take fewer in the end: between two edits, chunks that are neighbours hold more than half a chunk
   together. */
static uint64_t chunks_together(uint64_t each, uint64_t largest, uint64_t steps) {
  const Row *row = cordon_step_table.copies[cordon_table_generation() & 1].row;
  if (each <= row->free_count) return each;
  uint64_t row_at_most = (steps_in(row) + steps) / (CHUNK_STEPS / 2 + 1) * 2 + 1;
  uint64_t together = (row_at_most > row->count ? row_at_most - row->count : 0) + largest;
  return together < each ? together : each;
}

/* What an edit takes: what its steps fill, one chunk that it begins in and one that it splits. */
static uint64_t chunks_of(uint64_t step_count) { return step_count / CHUNK_STEPS + 3; }

static uint64_t chunks_for(const CordonEdit *edits, uint64_t count) {
  uint64_t each = 0, largest = 0, steps = 0;
  for (uint64_t i = 0; i < count; i++) {
    uint64_t chunks = chunks_of(edits[i].step_count);
    each += chunks;
    steps += edits[i].step_count + 1;
    if (chunks > largest) largest = chunks;
  }
  return chunks_together(each, largest, steps);
}

long cordon_table_prepare(uint64_t edits, uint64_t steps, uint64_t regions) {
  long result = cordon_step_table.is_changed ? 0 : begin();
  if (result == 0) result = commit_records(regions);
  if (result != 0) return result;
  return commit_chunks(chunks_together(edits * chunks_of(steps), chunks_of(steps), edits * (steps + 1)));
}

long cordon_table_change(const CordonEdit *edits, uint64_t count, const CordonNaming *names, uint64_t name_count) {
  uint64_t regions = 0;
  for (uint64_t i = 0; i < count; i++)
    if (edits[i].step_count == 0 || edits[i].steps[0].first != edits[i].first) return -CORDON_EINVAL;
  for (uint64_t i = 0; i < name_count; i++)
    if (names[i].region >= regions) regions = (uint64_t)names[i].region + 1;
  long result = cordon_step_table.is_changed ? 0 : begin();
  if (result == 0) result = commit_records(regions);
  if (result == 0) result = commit_chunks(chunks_for(edits, count));
  if (result != 0) return result;

  uint64_t generation = cordon_table_generation();
  Copy *current = &cordon_step_table.copies[generation & 1], *next = &cordon_step_table.copies[(generation + 1) & 1];
  if (cordon_step_table.behind) catch_up(next, current);
  cordon_step_table.behind = 1;
  for (uint64_t i = 0; i < name_count; i++)
    move_words((uint64_t *)&cordon_step_table.records[names[i].region], (const uint64_t *)&names[i].record,
               sizeof(CordonRegionRecord) / sizeof(uint64_t));
  for (uint64_t i = 0; i < count; i++) replace(next, &edits[i]);
  __atomic_store_n((uint64_t *)&cordon_step_table.generation, generation + 1, __ATOMIC_RELEASE);
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  for (uint64_t i = 0; i < count; i++) replace(current, &edits[i]);
  cordon_step_table.behind = 0;
  return 0;
}

void cordon_table_occupancy(uint64_t *steps, uint64_t *chunks) {
  *steps = 0;
  *chunks = 0;
  if (!cordon_step_table.is_changed) return;
  const Row *row = cordon_step_table.copies[cordon_table_generation() & 1].row;
  *chunks = row->count;
  for (uint64_t place = 0; place < row->count; place++) *steps += row->lengths[row->ids[place]];
}

CORDON_SIGNAL_PATH_END
