/// Hooks in C: they use no Swift runtime, no thread-local storage and no stack protector.
#ifndef GUEST_HOOKS_H
#define GUEST_HOOKS_H

#include "TrapEngine.h"

enum { guest_numbers = 512 };

/// What the hooks below are given as their context: what they answer, and what they have seen. It may lie in memory that
/// several processes share.
typedef struct GuestHookLog {
  /// By call number, those from guest_numbers on in the last one. All zeros passes everything.
  CordonVerdict answers[guest_numbers];
  /// Calls by number, and all of them.
  uint64_t calls[guest_numbers];
  uint64_t hooked;
  /// Where the guest lies; calls from elsewhere (a default that traps) are passed, and counted here only. 0: anywhere.
  uint64_t guest_start, guest_end, outside;
  /// The latest call, and where the hook's own stack was.
  CordonTrap trap;
  CordonRegisters registers;
  uint64_t mask, stack;
  /// guest_nesting_hook: code to call, how often, and how deep it has gone.
  long (*nested)(void);
  uint64_t bound, depth, deepest;
  /// guest_storm_hook: by how much it adds to the first argument.
  uint64_t addend;
} GuestHookLog;

/// Counts, remembers and answers.
CordonVerdict guest_hook(CordonTrap *trap, void *log);
/// The same, and overwrites all vector and floating-point state first.
CordonVerdict guest_clobbering_hook(CordonTrap *trap, void *log);
/// Calls `nested`, whose calls trap again, until `bound` hooks are active; answers as guest_hook does.
CordonVerdict guest_nesting_hook(CordonTrap *trap, void *log);
/// Makes calls of its own by way of libc; answers the guest's with the number of those that went right, 3.
CordonVerdict guest_libc_hook(CordonTrap *trap, void *log);
/// Makes the call another: getuid becomes getpid, sched_yield rt_sigprocmask, kill(0, …) kill of what rdx holds.
CordonVerdict guest_rewriting_hook(CordonTrap *trap, void *log);
/// Answers calls of number 1000 with the first argument plus the addend, and counts only those; passes all others.
CordonVerdict guest_storm_hook(CordonTrap *trap, void *log);
/// Jumps out of itself, to guest_call_and_jump.
CordonVerdict guest_jumping_hook(CordonTrap *trap, void *log);

/// Calls `code`, whose trap guest_jumping_hook leaves by siglongjmp, `count` times; returns how often it came back so.
long guest_call_and_jump(uint64_t code, long count);

/// PKRU: two bits a protection key, no access and no write.
uint32_t guest_protection_rights(void);
void guest_set_protection_rights(uint32_t rights);

/// Whether this machine has AVX-512 (F and BW).
int guest_has_avx512(void);
void guest_clobber(void);

#endif
