/// A signal handler of the guest: it makes trapped calls, and remembers what it found.
#ifndef GUEST_SIGNALS_H
#define GUEST_SIGNALS_H

#include <stdint.h>

enum { guest_signal_count = 65 };

typedef struct GuestDelivery {
  uint64_t count;
  /// What the handler's own trapped getpid answered.
  int64_t answer;
  /// The mask that comes back after the handler, the one it runs with, and where its stack is.
  uint64_t mask, mask_inside, stack;
  /// From the siginfo; zeros if the handler was not asked to be given one.
  int32_t code, pid;
  uint64_t value;
  /// For SIGSYS: the number and si_errno.
  int32_t number, error;
  /// From the frame: the address at which the code goes on, si_call_addr for SIGSYS, and the alternate stack.
  uint64_t resume, call_address, stack_start, stack_size;
} GuestDelivery;

typedef struct GuestSignals {
  /// The template `call` in its region; NULL: the handler makes no calls from there.
  long (*call)(long, long, long, long, long, long, long);
  GuestDelivery deliveries[guest_signal_count];
  /// For each signal: another one that its handler raises by a trapped tgkill, 0 for none.
  int32_t raises[guest_signal_count];
  /// A descriptor that the handler writes one byte to; -1 for none.
  int32_t descriptor;
  /// Whether the handler overwrites the vector state before it returns.
  int32_t clobbers;
  /// What a handler of SIGSYS puts into RAX, where another filter trapped the call.
  int64_t result;
  /// Not 0: the mask that a handler has its return put in place.
  uint64_t mask_to_return;
  /// Whether the handler asks for its alternate stack and tries to replace it, by trapped code; and what it was told:
  /// the flags, and the result of the replacement.
  int32_t asks_for_stack, stack_flags;
  int64_t replacement;
} GuestSignals;

/// The one instance; the handlers find it here.
GuestSignals *guest_signals(void);

/// The addresses of the handlers, for sigaction: SA_SIGINFO, and with the number alone.
uint64_t guest_signal_handler(void);
uint64_t guest_plain_signal_handler(void);
/// One that leaves by siglongjmp, to guest_call_until_signal.
uint64_t guest_jumping_signal_handler(void);
/// One that is native code: blocks every signal, counts itself, and makes calls for 50 ms before it puts the mask back.
uint64_t guest_blocking_signal_handler(void);

/// Calls the template `call` with these arguments; 1 when guest_jumping_signal_handler cut it short, 0 when it returned.
int guest_call_until_signal(long number, long a, long b, long c, long d);

/// A system call by code that is not trapped; a failure is a negated errno.
long guest_native_call(long number, long a, long b, long c, long d, long e, long f);

/// Makes a vfork child that sets `signal` to its default by the template `call` and exits; returns its id.
long guest_vfork_and_reset(int signal);

/// Makes a process that waits, stops `target`, waits until it is stopped, waits again, and continues it. It exits with
/// 0 if all of that went so. Times in microseconds.
int32_t guest_fork_stopper(int32_t target, uint32_t before, uint32_t meanwhile);

/// The instructions between `start` and `end` that a SIGTRAP was reported at.
typedef struct GuestSteps {
  uint64_t start, end, count, taken[64];
} GuestSteps;

/// The one instance, and the handler of SIGTRAP that writes to it.
GuestSteps *guest_steps(void);
uint64_t guest_stepping_handler(void);

#endif
