/* Every function that a SIGSYS delivery can reach, and the state they share. Whatever is listed here runs at any moment
   in any thread: no libc, no thread-local storage, no stack protector, no FPU register, no lock, no allocation.
   BEGIN and END enclose the definitions and have the compiler hold to it. */
#ifndef CORDON_SIGNAL_PATH_H
#define CORDON_SIGNAL_PATH_H

#include "gate_layout.h"
#include "kernel_types.h"

#define CORDON_SIGNAL_PATH_BEGIN                                                                                \
  _Pragma("clang attribute push(__attribute__((no_stack_protector, target(\"general-regs-only\"))), apply_to = function)")
#define CORDON_SIGNAL_PATH_END _Pragma("clang attribute pop")

#define CORDON_HIDDEN __attribute__((visibility("hidden")))

typedef long (*CordonCall)(long, long, long, long, long, long, long);

/* Written before SIGSYS is taken over and read-only from then on, but for what is marked atomic. */
typedef struct {
  uint8_t *gate; /* code at gate, data at gate + CORDON_GATE_SIZE */
  CordonCall call;
  uint64_t restorer, sigreturn_thunk, shared_syscall_thunk, shared_int80_thunk;
  _Atomic(uint32_t) gate_state;
  uint32_t slots[3]; /* thunks of each CordonThunkKind that the gate has; powers of two */
  CordonConfiguration configuration;
  _Atomic(uint32_t) installed;
  /* The program's own disposition of SIGSYS: the newest of the records that it has been. */
  _Atomic(uint32_t) own_newest;
  KernelSigaction own[64];
  /* Those of children that have borrowed the memory, by vfork: each one's own, by process. */
  _Atomic(uint32_t) borrowed_next;
  struct {
    KernelSigaction action;
    _Atomic(int64_t) borrower;
  } borrowed[64];
  _Atomic(uint32_t) attempt;  /* at arming all threads; requests of an earlier one disarm */
  _Atomic(uint32_t) answered; /* futex: requests that were answered */
  _Atomic(int64_t) answer;    /* and what the last one said */
  struct {
    _Atomic(uint64_t) traps, hooked, passed, unasked, forwarded, sites, shared_thunks;
  } counters;
} CordonEngine;

extern CORDON_HIDDEN CordonEngine cordon_engine;

/* sigsys.c: the handler; what the kernel calls. */
CORDON_HIDDEN void cordon_sigsys(int signal, KernelSiginfo *info, KernelUcontext *context);

/* pass_through.c: lets a trapped call happen, by pointing the saved context at a thunk. */
CORDON_HIDDEN void cordon_pass(const CordonTrap *trap, KernelUcontext *context);

/* site_table.c: the address of the thunk that goes on at `resume`, or 0 when its table is full. */
typedef enum { CordonThunkSite, CordonThunkInt80, CordonThunkFork } CordonThunkKind;
CORDON_HIDDEN uint64_t cordon_thunk(CordonThunkKind kind, uint64_t resume);

/* signal_masks.c: calls by which the trapped code could block SIGSYS. Each returns 1 when it has answered the call. */
CORDON_HIDDEN int cordon_pass_mask_call(const CordonTrap *trap, KernelUcontext *context);
CORDON_HIDDEN void cordon_unblock_in_guest_frame(KernelUcontext *context);

/* dispatch.c: a request to arm or disarm this thread, sent by cordon_dispatch_arm_thread or …_disarm_thread. */
CORDON_HIDDEN int cordon_is_request(const KernelSiginfo *info);
CORDON_HIDDEN void cordon_answer_request(const KernelSiginfo *info);

/* own_sigsys.c: the program's own disposition of SIGSYS. */
CORDON_HIDDEN void cordon_forward(KernelSiginfo *info, KernelUcontext *context);
CORDON_HIDDEN long cordon_own_sigaction(uint64_t new_action, uint64_t old_action);
CORDON_HIDDEN long cordon_take_sigsys(void);
CORDON_HIDDEN void cordon_restore_own_sigaction(void);

/* user_memory.c: copies that answer -EFAULT instead of faulting. */
CORDON_HIDDEN long cordon_copy_in(void *to, uint64_t from, size_t size);
CORDON_HIDDEN long cordon_copy_out(uint64_t to, const void *from, size_t size);

/* Copies and clears word by word. The compiler would turn a struct assignment or a plain loop into a call of memcpy or
   memset, which are libc's and use vector registers; the empty asm keeps it from recognising the loop. */
static inline void cordon_copy_words(void *to, const void *from, size_t size) {
  for (size_t i = 0; i < size / sizeof(uint64_t); i++) {
    ((uint64_t *)to)[i] = ((const uint64_t *)from)[i];
    __asm__ volatile("" ::: "memory");
  }
}
static inline void cordon_clear_words(void *to, size_t size) {
  for (size_t i = 0; i < size / sizeof(uint64_t); i++) {
    ((uint64_t *)to)[i] = 0;
    __asm__ volatile("" ::: "memory");
  }
}

static inline void cordon_count(_Atomic(uint64_t) *counter) {
  __atomic_fetch_add((uint64_t *)counter, 1, __ATOMIC_RELAXED);
}

#endif
