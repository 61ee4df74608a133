/* The lock of a session's changes. It knows its holder, so that a thread which holds it and is trapped meanwhile is told
   so instead of waiting for itself. Its system calls are made from the gate: the C library's may be trapped. */
#include "CordonShims.h"
#include "TrapEngine.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>

enum { nr_mmap = 9, nr_mprotect = 10, nr_munmap = 11, nr_rt_sigprocmask = 14, nr_getpid = 39, nr_sigaltstack = 131 };
enum { nr_gettid = 186, nr_futex = 202, nr_tgkill = 234 };
enum { futex_wait_private = 128, futex_wake_private = 129, sig_setmask = 2 };
#define WAITERS 0x80000000u
/* What a fault or a trap raises in the thread itself; and what a thread is asked by, which waits for the lock or has it:
   by whoever has it, or by libc. */
#define LEFT_OPEN                                                                                                      \
  ((1ull << (4 - 1)) | (1ull << (5 - 1)) | (1ull << (7 - 1)) | (1ull << (8 - 1)) | (1ull << (11 - 1)) |               \
   (1ull << (31 - 1)) | (1ull << (CORDON_REQUEST_SIGNAL - 1)))

static long gate(long number, long a, long b, long c, long d) { return cordon_gate_call(number, a, b, c, d, 0, 0); }

static atomic_uint *word_of(CordonChangeLock *lock) { return (atomic_uint *)&lock->word; }

static int take(CordonChangeLock *lock, uint32_t self) {
  for (;;) {
    unsigned word = 0;
    if (atomic_compare_exchange_strong(word_of(lock), &word, self)) return 0;
    if ((word & ~WAITERS) == self) return -EDEADLK;
    uint32_t waited = word | WAITERS;
    if (word != waited && !atomic_compare_exchange_strong(word_of(lock), &word, waited)) continue;
    struct {
      int64_t seconds, nanoseconds;
    } timeout = {0, 100000000};
    long result = gate(nr_futex, (long)&lock->word, futex_wait_private, (long)waited, (long)&timeout);
    /* A child of a bare fork(2) has none of its parent's other threads; no one will give it back. */
    if (result == -ETIMEDOUT &&
        gate(nr_tgkill, gate(nr_getpid, 0, 0, 0, 0), (long)(waited & ~WAITERS), 0, 0) == -ESRCH &&
        atomic_load(word_of(lock)) == waited)
      return -EOWNERDEAD;
  }
}

static void give(CordonChangeLock *lock) {
  if (atomic_exchange(word_of(lock), 0) & WAITERS)
    (void)gate(nr_futex, (long)&lock->word, futex_wake_private, 0x7fffffff, 0);
}

int cordon_change_lock(CordonChangeLock *lock, uint64_t *mask) {
  uint32_t self = (uint32_t)gate(nr_gettid, 0, 0, 0, 0);
  uint64_t blocked = ~LEFT_OPEN;
  if ((atomic_load(word_of(lock)) & ~WAITERS) == self) return -EDEADLK;
  /* A handler of a signal that came in here could want the lock too. */
  (void)gate(nr_rt_sigprocmask, 0, (long)&blocked, (long)mask, 8);
  int result = take(lock, self);
  if (result != 0) (void)gate(nr_rt_sigprocmask, sig_setmask, (long)mask, 0, 8);
  return result;
}

void cordon_change_unlock(CordonChangeLock *lock, const uint64_t *mask) {
  give(lock);
  (void)gate(nr_rt_sigprocmask, sig_setmask, (long)mask, 0, 8);
}

/* The lock's own stack: a page that faults, and room for several times what a change is known to take in a build without
   optimisation. Only what is used of it is ever allocated. */
enum { page = 4096, stack_size = 1024 * 1024 };

long cordon_change_lock_init(CordonChangeLock *lock) {
  long flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK;
  long at = cordon_gate_call(nr_mmap, 0, stack_size, PROT_READ | PROT_WRITE, flags, -1, 0);
  if (at < 0 && at > -4096) return at;
  (void)gate(nr_mprotect, at, page, PROT_NONE, 0);
  *lock = (CordonChangeLock){0, (char *)at};
  return 0;
}

void cordon_change_lock_destroy(CordonChangeLock *lock) { (void)gate(nr_munmap, (long)lock->stack, stack_size, 0, 0); }

typedef struct {
  void (*body)(void *);
  void *argument;
  stack_t alternate;
} Work;

/* What the alternate stack holds is still needed. A signal that came to be handled on it now would begin at its top. */
static void work_off_alternate_stack(void *argument) {
  Work *work = argument;
  const stack_t none = {.ss_flags = SS_DISABLE};
  (void)gate(nr_sigaltstack, (long)&none, 0, 0, 0);
  work->body(work->argument);
  work->alternate.ss_flags &= ~SS_ONSTACK;
  (void)gate(nr_sigaltstack, (long)&work->alternate, 0, 0, 0);
}

/* Written in assembly, for the stack pointer. */
void cordon_call_on_stack(void (*body)(void *), void *argument, void *top);

void cordon_change_run(CordonChangeLock *lock, void (*body)(void *), void *argument) {
  Work work = {body, argument, {0}};
  (void)gate(nr_sigaltstack, 0, (long)&work.alternate, 0, 0);
  int is_on_alternate = (work.alternate.ss_flags & SS_ONSTACK) != 0;
  char *top = lock->stack + stack_size;
  if (is_on_alternate)
    cordon_call_on_stack(work_off_alternate_stack, &work, top);
  else
    cordon_call_on_stack(body, argument, top);
}

/* fork(3) copies the session as it is between two changes. */
static _Atomic(CordonChangeLock *) kept;
static atomic_int registered;
static _Thread_local uint64_t mask_at_fork;
static _Thread_local int held_at_fork;

static void before_fork(void) {
  CordonChangeLock *lock = atomic_load(&kept);
  held_at_fork = lock != NULL && cordon_change_lock(lock, &mask_at_fork) == 0;
}

static void after_fork(void) {
  if (held_at_fork) cordon_change_unlock(atomic_load(&kept), &mask_at_fork);
}

static void after_fork_in_child(void) {
  CordonChangeLock *lock = atomic_load(&kept);
  if (!held_at_fork) return;
  atomic_store(word_of(lock), 0);
  (void)gate(nr_rt_sigprocmask, sig_setmask, (long)&mask_at_fork, 0, 8);
}

int cordon_change_lock_keep_over_fork(CordonChangeLock *lock) {
  atomic_store(&kept, lock);
  if (atomic_exchange(&registered, 1)) return 0;
  return -pthread_atfork(before_fork, after_fork, after_fork_in_child);
}
