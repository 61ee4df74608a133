/* The records of the program's own disposition of SIGSYS: read and replaced by any thread at any moment, without locks. */
#include "signal_path.h"

CORDON_RARE_PATH_BEGIN

#define RECORDS (sizeof cordon_engine.own.records / sizeof cordon_engine.own.records[0])
#define BORROWERS (sizeof cordon_engine.own.borrowed / sizeof cordon_engine.own.borrowed[0])
#define MADV_WIPEONFORK 18
_Static_assert(RECORDS == 64, "a bit for each in a word");

static uint64_t newest(void) { return __atomic_load_n((uint64_t *)&cordon_engine.own.newest, __ATOMIC_ACQUIRE); }

static long this_process(void) { return cordon_engine.call(CORDON_NR_getpid, 0, 0, 0, 0, 0, 0); }

/* Before the memory is lent: a borrower must not be taken for the owner. (MADV_WIPEONFORK is Linux 4.14. Before that a
   forked child is taken for one that borrows the memory, which harms nobody.) */
void cordon_note_memory_owner(void) {
  uint64_t nobody = 0;
  if (__atomic_exchange_n((uint32_t *)&cordon_engine.memory_is_marked, 1, __ATOMIC_ACQ_REL) == 0)
    cordon_engine.call(CORDON_NR_madvise, (long)cordon_engine.memory_owner, CORDON_MEMORY_SIZE, MADV_WIPEONFORK, 0, 0, 0);
  else if (__atomic_load_n(cordon_engine.memory_owner, __ATOMIC_ACQUIRE) != 0)
    return;
  long process = this_process();
  if (process > 0)
    __atomic_compare_exchange_n(cordon_engine.memory_owner, &nobody, (uint64_t)process, 0, __ATOMIC_ACQ_REL,
                                __ATOMIC_ACQUIRE);
}

/* A vfork child (posix_spawn's resets every handler) has dispositions of its own, but writes to its parent's memory. They
   are kept apart, where however many of them never push out the parent's. NULL: this process is no borrower, or has set
   nothing yet. */
static KernelSigaction *borrowed_action(long process) {
  uint32_t borrowers = __atomic_load_n((uint32_t *)&cordon_engine.own.borrowers, __ATOMIC_ACQUIRE);
  for (uint32_t i = 0; i < BORROWERS && i < borrowers; i++) {
    if (__atomic_load_n((int64_t *)&cordon_engine.own.borrowed[i].process, __ATOMIC_ACQUIRE) == process)
      return &cordon_engine.own.borrowed[i].action;
  }
  return NULL;
}

static KernelSigaction *own_borrowed_action(void) {
  if (__atomic_load_n((uint32_t *)&cordon_engine.own.borrowers, __ATOMIC_ACQUIRE) == 0) return NULL;
  return borrowed_action(this_process());
}

/* Copies the newest record, and says which one it was. It has not been written meanwhile if it is the newest still. */
static uint64_t read_newest(KernelSigaction *action) {
  for (;;) {
    uint64_t serial = newest();
    cordon_copy_words(action, &cordon_engine.own.records[serial % RECORDS], sizeof *action);
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if (newest() == serial) return serial;
  }
}

void cordon_own_action(KernelSigaction *action) {
  const KernelSigaction *borrowed = own_borrowed_action();
  if (borrowed != NULL)
    cordon_copy_words(action, borrowed, sizeof *action);
  else
    (void)read_newest(action);
}

/* A record that nobody else writes, and that is not the newest: who has its bit alone can make it that. */
static uint32_t claim_record(void) {
  for (;;) {
    uint64_t writing = __atomic_load_n((uint64_t *)&cordon_engine.own.writing, __ATOMIC_ACQUIRE);
    uint32_t index = (uint32_t)(newest() + 1) % RECORDS;
    for (uint32_t i = 0; i < RECORDS && (writing & 1ull << index); i++) index = (index + 1) % RECORDS;
    /* All are taken only where writers were ended in the middle, each by a signal whose handler never returned. */
    if (writing & 1ull << index) writing &= ~(1ull << index);
    if (!__atomic_compare_exchange_n((uint64_t *)&cordon_engine.own.writing, &writing, writing | 1ull << index, 0,
                                     __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
      continue;
    if (newest() % RECORDS != index) return index;
    __atomic_fetch_and((uint64_t *)&cordon_engine.own.writing, ~(1ull << index), __ATOMIC_ACQ_REL);
  }
}

static void set_borrowed_action(long process, const KernelSigaction *action, KernelSigaction *old) {
  KernelSigaction *borrowed = borrowed_action(process);
  KernelSigaction before;
  cordon_own_action(&before);
  if (old != NULL) cordon_copy_words(old, &before, sizeof before);
  if (borrowed == NULL) {
    uint32_t next = __atomic_fetch_add((uint32_t *)&cordon_engine.own.borrowers, 1, __ATOMIC_ACQ_REL) % BORROWERS;
    borrowed = &cordon_engine.own.borrowed[next].action;
    cordon_copy_words(borrowed, action, sizeof *action);
    __atomic_store_n((int64_t *)&cordon_engine.own.borrowed[next].process, process, __ATOMIC_RELEASE);
    return;
  }
  cordon_copy_words(borrowed, action, sizeof *action);
}

int cordon_borrows_memory(void) {
  cordon_note_memory_owner();
  uint64_t owner = __atomic_load_n(cordon_engine.memory_owner, __ATOMIC_ACQUIRE);
  long process = this_process();
  return process > 0 && owner != 0 && owner != (uint64_t)process;
}

static void set_action(const KernelSigaction *action, KernelSigaction *old) {
  uint32_t index = claim_record();
  cordon_copy_words(&cordon_engine.own.records[index], action, sizeof *action);
  KernelSigaction before;
  uint64_t serial;
  do {
    serial = read_newest(&before);
  } while (!__atomic_compare_exchange_n((uint64_t *)&cordon_engine.own.newest, &serial,
                                        (serial / RECORDS + 1) * RECORDS + index, 0, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE));
  __atomic_fetch_and((uint64_t *)&cordon_engine.own.writing, ~(1ull << index), __ATOMIC_ACQ_REL);
  if (old != NULL) cordon_copy_words(old, &before, sizeof before);
}

void cordon_set_own_action(const KernelSigaction *action, KernelSigaction *old) {
  if (cordon_borrows_memory())
    set_borrowed_action(this_process(), action, old);
  else
    set_action(action, old);
}

/* What there is before the engine takes over: nobody borrows the memory, and no call is made that a filter could trap. */
void cordon_begin_with_action(const KernelSigaction *action) { set_action(action, NULL); }

/* A new process may have the number of a borrower that has ended; what that one had set is not its business. */
void cordon_forget_borrower(void) {
  if (__atomic_load_n((uint32_t *)&cordon_engine.own.borrowers, __ATOMIC_ACQUIRE) == 0) return;
  long process = this_process();
  if (process <= 0 || cordon_engine.call(CORDON_NR_gettid, 0, 0, 0, 0, 0, 0) != process) return;
  for (uint32_t i = 0; i < BORROWERS; i++) {
    int64_t ended = process;
    __atomic_compare_exchange_n((int64_t *)&cordon_engine.own.borrowed[i].process, &ended, 0, 0, __ATOMIC_ACQ_REL,
                                __ATOMIC_ACQUIRE);
  }
}

CORDON_SIGNAL_PATH_END
