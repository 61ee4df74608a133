/// The trapped guest of the integration tests: machine code that is copied into a region and runs there, and C code
/// that must not be Swift (hooks without a runtime, signal handlers, jumps).
#ifndef GUEST_CODE_H
#define GUEST_CODE_H

#include "GuestHooks.h"
#include "GuestMemoryMap.h"
#include "GuestSignals.h"
#include "GuestState.h"

#include <stddef.h>
#include <stdint.h>

/// The templates: what they do stands in the assembly files.
typedef enum __attribute__((enum_extensibility(closed))) GuestTemplate : uint32_t {
  GuestTemplateCall,
  GuestTemplateCall32,
  GuestTemplateChild,
  GuestTemplateChild80,
  GuestTemplateCode32,
  GuestTemplateGetpid,
  GuestTemplateLeave,
  GuestTemplateOnce,
  GuestTemplateRegisters,
  GuestTemplateRegisters32,
  GuestTemplateRegistersSignal,
  GuestTemplateRestorer,
  GuestTemplateSteady,
  GuestTemplateSteady32,
  GuestTemplateStackless,
  GuestTemplateStepped,
  GuestTemplateStorm,
  GuestTemplateUnmapping,
  GuestTemplateVectors,
  GuestTemplateVectorsSignal,
  GuestTemplateVectorsSSE,
  GuestTemplateVectorsSSESignal,
  GuestTemplateWithoutTLS,
} GuestTemplate;

typedef struct GuestTemplateCode {
  const uint8_t *start;
  size_t size;
} GuestTemplateCode;

GuestTemplateCode guest_template_code(GuestTemplate name);

/// Calls `address` as a C function, with RAX set to `number`.
long guest_enter(uint64_t address, long number, long a, long b, long c, long d);

/// The address of a return instruction.
uint64_t guest_return(void);

/// Forks; the child calls `code`, forks a child that does too, and has a thread of its own do it. Each must be answered
/// `wanted`. 0, or which of the three (1, 2, 4, added up) went wrong.
int32_t guest_fork_and_call(long (*code)(void), long wanted);

/// Starts a thread that has nothing but the stack that ends at `stack_end`: no TLS, no libc. It calls `code` with `state`.
/// Its id, and 0 at `*alive` once it has ended; or a negated errno.
long guest_bare_thread(uint64_t code, GuestThread *state, uint64_t stack_end, volatile int32_t *alive);

/// Waits for a vfork child that ends when `*until` is no longer 0; 0 if all went well.
int32_t guest_wait_in_vfork(const volatile int32_t *until);

/// Until `*until` is no longer 0, one after the other: make threads (joined, or detached); make processes (posix_spawn of
/// /bin/true, or fork); have all threads set their user ids to what they are; call with every signal blocked that libc
/// blocks for a program, in ordinary code and in the handler of a timer's signal, which may interrupt any thread. How often,
/// or -1 where that failed.
long guest_make_threads(const volatile int32_t *until);
long guest_make_detached_threads(const volatile int32_t *until);
long guest_make_processes(const volatile int32_t *until);
long guest_fork_processes(const volatile int32_t *until);
long guest_set_identities(const volatile int32_t *until);
long guest_block_and_call(const volatile int32_t *until);
long guest_call_in_handlers(const volatile int32_t *until);

/// Writes bytes to an address, which may be 0.
void guest_write(uint64_t address, const uint8_t *bytes, size_t count);

#endif
