/// What the runtime needs of libc that Swift cannot say: a `pthread_create` of its own, fork handlers, a thread-local
/// selector byte, and a child made by clone(2). Ordinary code, never called from a signal.
#ifndef CORDON_SHIMS_H
#define CORDON_SHIMS_H

#include <stdint.h>

/// Whether each thread's dispatch obeys a selector byte of its own. Set before anything is armed.
void cordon_threads_use_selector(int use);

/// gettid(2), which Swift's Glibc does not have.
int32_t cordon_thread_id(void);

/// Arms syscall user dispatch in the calling thread, with its own selector byte where that is in use.
/// 0 or -errno.
long cordon_thread_arm(void);

/// From now on every thread made by pthread_create, and the child of every fork(3), arms itself before it runs anything
/// else. 0, -ENOTSUP when another definition of pthread_create is in front of ours, or the errno of pthread_atfork.
long cordon_threads_follow(void);
void cordon_threads_unfollow(void);

/// Stores that only the kernel reads: the compiler must neither drop nor join them.
static inline void cordon_selector_store(volatile uint8_t *selector, uint8_t value) { *selector = value; }
static inline uint8_t cordon_selector_load(const volatile uint8_t *selector) { return *selector; }

/// The calling thread's selector byte (0 allow, 1 block), armed with it if it was not; NULL where none is in use.
volatile uint8_t *cordon_thread_selector(void);

/// Where code lies.
typedef struct CordonMapping {
  uint64_t start, end;
  uint64_t inode; // 0: no file
} CordonMapping;

/// Up to `capacity` of the executable mappings of this process that have a byte in [start, end), ascending; how many, or
/// -errno: -ENOTTY before Linux 6.11. Needs the gate.
long cordon_executable_mappings(uint64_t start, uint64_t end, CordonMapping *mappings, long capacity);

/// Where the kernel has mapped the dynamic linker, the first mapping of all; 0 in a static program.
uint64_t cordon_linker_base(void);

/// Where libc's code lies; in a static program the program's own. Takes a lock of the dynamic loader's.
CordonMapping cordon_libc_code(void);

/// A lock that knows its holder, with a stack for what that does.
typedef struct CordonChangeLock {
  uint32_t word; // atomic; 0 is free
  char *stack;
} CordonChangeLock;

/// Makes a lock that is free. 0 or -errno, where there is no memory for its stack. Needs the gate.
long cordon_change_lock_init(CordonChangeLock *lock);
/// Unmaps its stack.
void cordon_change_lock_destroy(CordonChangeLock *lock);

/// Waits for the lock, with all signals blocked from then on but those that the thread itself raises; `mask` gets the mask
/// before. -EDEADLK: the calling thread has it. -EOWNERDEAD: its holder was left behind by a fork. Needs the gate.
int cordon_change_lock(CordonChangeLock *lock, uint64_t *mask);
void cordon_change_unlock(CordonChangeLock *lock, const uint64_t *mask);
/// Calls `body` on the lock's stack, for its holder: a change takes up to 150 KB of stack in a debug build, and a hook that
/// makes one has no more than is left of its thread's alternate signal stack, 30 KB in a Swift program's main thread.
void cordon_change_run(CordonChangeLock *lock, void (*body)(void *), void *argument);
/// From now on fork(3) waits until nobody holds the lock, and the child has it free. 0 or -errno.
int cordon_change_lock_keep_over_fork(CordonChangeLock *lock);

/// Loads the filter into a short-lived child that has this thread's filters and privileges, and says what the kernel
/// answered: 0 or -errno. With `no_new_privileges` the child gives up privileges first.
long cordon_seccomp_rehearse(const void *instructions, uint16_t count, uint32_t flags, int no_new_privileges);

#endif
