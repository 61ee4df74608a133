/* Every function that a SIGSYS delivery can reach, and the state they share. Whatever is listed here runs at any moment
   in any thread: no libc, no thread-local storage, no stack protector, no FPU register, no lock, no allocation.
   BEGIN and END enclose the definitions and have the compiler hold to it; RARE is for what few traps come by, which is to
   take little room in the image that a launcher places into a program. */
#ifndef CORDON_SIGNAL_PATH_H
#define CORDON_SIGNAL_PATH_H

#include "gate_layout.h"
#include "kernel_types.h"

#define CORDON_SIGNAL_PATH_BEGIN                                                                                \
  _Pragma("clang attribute push(__attribute__((no_stack_protector, target(\"general-regs-only\"))), apply_to = function)")
#define CORDON_RARE_PATH_BEGIN                                                                                  \
  _Pragma("clang attribute push(__attribute__((no_stack_protector, minsize, target(\"general-regs-only\"))), apply_to = function)")
#define CORDON_SIGNAL_PATH_END _Pragma("clang attribute pop")

#define CORDON_HIDDEN __attribute__((visibility("hidden")))

typedef long (*CordonGateCall)(long, long, long, long, long, long, long);

/* The tables of thunks: for `syscall`, for `int $0x80`, for calls that make children, children without signal handlers, and
   children by `int $0x80`, and for `int $0x80` in 32-bit code. */
typedef enum {
  CordonThunkSite,
  CordonThunkInt80,
  CordonThunkFork,
  CordonThunkCleared,
  CordonThunkFork80,
  CordonThunkCode32,
} CordonThunkKind;
#define CORDON_THUNK_KINDS 6

/* The program's own disposition of SIGSYS. `newest` is a serial number times 64 plus the index of the record that holds;
   a record is written by whoever has set its bit in `writing`, and never while it is the newest. */
typedef struct {
  _Atomic(uint64_t) newest, writing;
  KernelSigaction records[64];
  /* Those of children that have borrowed the memory, by vfork: each one's own, by process. */
  _Atomic(uint32_t) borrowers;
  struct {
    KernelSigaction action;
    _Atomic(int64_t) process;
  } borrowed[64];
} CordonOwnActions;

/* A thread that believes to have blocked SIGSYS, and what has been sent to it since. */
typedef struct {
  _Atomic(uint32_t) thread; /* 0: a free place */
  uint32_t process;
  uint64_t thread_pointer; /* 0: not known */
  uint32_t is_borrower;    /* its process has this memory from its maker, which waits for it */
  uint32_t is_open;        /* it has unblocked what its maker has blocked */
  uint32_t is_pending;
  int32_t code, pid;
  uint32_t uid;
  uint64_t value;
} CordonBlockedThread;

/* What one thread is asked: a serial number and the thread, 0 for nothing; and the request that was answered last, with 0
   or the negated errno. */
typedef struct {
  _Atomic(uint64_t) asked, answer;
} CordonRequest;

#define CORDON_REQUESTS 64

/* Whoever asks threads waits for all of them, and nobody else asks meanwhile. */
typedef struct {
  _Atomic(uint32_t) signal;    /* by which threads are asked; 0: it has not been taken */
  KernelSigaction own;         /* what the program has set for that */
  _Atomic(uint32_t) arms;      /* what becomes of a thread that is asked: 1 it is armed, 0 it is disarmed */
  _Atomic(uint32_t) given_up;  /* some request may still be on its way */
  uint64_t serial;             /* how often threads have been asked */
  CordonRequest each[CORDON_REQUESTS];
  _Atomic(uint32_t) answered;  /* futex: how many answers there have been */
} CordonRequests;

/* A request says who is asked (its thread) and which request it is, so that an answer is never taken for one to a later
   question; an answer adds the negated error. */
#define CORDON_THREAD_BITS 22 /* the kernel's PID_MAX_LIMIT */
#define CORDON_ERROR_BITS 12
#define CORDON_SERIAL_BITS (64 - CORDON_THREAD_BITS - CORDON_ERROR_BITS)
static inline uint32_t cordon_thread_asked(uint64_t asked) {
  return (uint32_t)(asked & ((1u << CORDON_THREAD_BITS) - 1));
}
static inline uint64_t cordon_asked_in(const CordonRequest *request) {
  return __atomic_load_n((const uint64_t *)&request->asked, __ATOMIC_ACQUIRE);
}

/* Threads that stand still while a filter is attached. Whoever asks them waits for all, and nobody else asks meanwhile. */
typedef struct {
  _Atomic(uint32_t) turn;     /* futex: odd while threads are to stand still; another one each time */
  _Atomic(uint32_t) arrived;  /* how many have come to answer, who make no threads from then on */
  _Atomic(uint32_t) answered; /* futex: how many answers there have been */
  _Atomic(uint32_t) wanted;   /* at how many of them whoever asks is woken */
  struct CordonParkingLot *lot;
} CordonParking;

/* What a thread does that is asked to stand still. */
typedef void CordonPark(KernelUcontext *context);

#define CORDON_DISPATCHES 16

typedef struct {
  const CordonInstruction *instructions;
  uint64_t length;
} CordonPolicy;

/* All policies, in the order in which they were added; `used` instructions lie behind the entries. */
typedef struct {
  CordonPolicy *entries;
  _Atomic(uint64_t) count, used;
} CordonPolicies;

extern CORDON_HIDDEN CordonPolicies cordon_policies;

/* Written before SIGSYS is taken over and read-only from then on, but for what is marked atomic. */
typedef struct {
  uint8_t *gate; /* code at gate, data at gate + CORDON_GATE_SIZE */
  CordonGateCall call, call80; /* from the gate, by `syscall` and by `int $0x80` */
  uint64_t called, called80; /* the addresses that those calls report */
  uint64_t restorer, sigreturn_thunk, sigreturn80_thunk, sigaltstack_thunk;
  uint64_t shared_syscall_thunk, shared_syscall_called, shared_int80_thunk, shared_int80_called;
  _Atomic(uint32_t) gate_state;
  uint32_t slots[CORDON_THUNK_KINDS]; /* thunks of each CordonThunkKind that the gate has; powers of two */
  CordonConfiguration configuration;
  _Atomic(uint32_t) installed;
  /* A word that the kernel clears in forked children: the process that the memory belongs to, 0 if it is not known. */
  uint64_t *memory_owner;
  _Atomic(uint32_t) memory_is_marked; /* the kernel knows that it is to clear that word */
  struct {
    _Atomic(uint64_t) traps, hooked, passed, permitted, unasked, refused, forwarded, sites, shared_thunks;
  } counters;
  _Atomic(uint64_t) stacks; /* CordonSpareStack *: all of them, the newest first */
  _Atomic(uint32_t) stacks_given_back;
  _Atomic(uint32_t) blocked_count;
  /* From here on what most programs use little of: a page that is not touched costs nothing. */
  CordonOwnActions own;
  CordonRequests requests;
  CordonParking parking;
  CordonPark *park; /* NULL in a program that has never asked threads to */
  /* How many dispatches there have been, and the latest of them: the newest counts. */
  _Atomic(uint64_t) dispatch_generation;
  CordonDispatch dispatches[CORDON_DISPATCHES];
  CordonBlockedThread blocked[1024];
} CordonEngine;

extern CORDON_HIDDEN CordonEngine cordon_engine;

/* engine.c: makes the gate, unless there is one, near the address, or anywhere where that is 0. */
CORDON_HIDDEN long cordon_prepare_gate(uint64_t hint, const uint32_t slots[CORDON_THUNK_KINDS]);

/* sigsys.c: the handler; what the kernel calls. */
CORDON_HIDDEN void cordon_sigsys(int signal, KernelSiginfo *info, KernelUcontext *context);

/* pass_through.c: lets a trapped call happen, by pointing the saved context at a thunk. */
CORDON_HIDDEN void cordon_pass(const CordonTrap *trap, KernelUcontext *context);
CORDON_HIDDEN int cordon_is_own_call(const KernelSiginfo *info);
CORDON_HIDDEN void cordon_leave_thunk(KernelSiginfo *info, KernelUcontext *context);

/* site_table.c: the address of the thunk that goes on at `resume`, or 0 when its table is full; and back. */
CORDON_HIDDEN uint64_t cordon_thunk(CordonThunkKind kind, uint64_t resume);
CORDON_HIDDEN uint64_t cordon_resume_address(uint64_t in_thunk);

/* children.c: what a new child does first; called by the gate's code. */
CORDON_HIDDEN void cordon_start_child(uint64_t has_lost_handlers);
CORDON_HIDDEN int cordon_makes_cleared_child(const CordonTrap *trap);

/* What the calls that need care answer when they need none after all: the call goes the ordinary way. */
#define CORDON_ORDINARY CORDON_NOT_ANSWERED

/* special_calls.c, old_calls.c: calls that would leave trapped code with SIGSYS blocked, without its handler or without
   the stack that it needs; by `syscall`, and by `int $0x80`. CORDON_ORDINARY or the call's result. */
CORDON_HIDDEN long cordon_special_call(const CordonTrap *trap, KernelUcontext *context);
CORDON_HIDDEN long cordon_special_old_call(const CordonTrap *trap, KernelUcontext *context);
CORDON_HIDDEN int32_t cordon_number_without_x32(int32_t number);
CORDON_HIDDEN long cordon_refuse_dispatch(const uint64_t *arguments);

/* signal_masks.c */
CORDON_HIDDEN long cordon_set_mask(KernelUcontext *context, int32_t how, uint64_t set);
CORDON_HIDDEN long cordon_wait_with_mask(const CordonTrap *trap, int32_t number);
CORDON_HIDDEN void cordon_mend_guest_frame(const CordonTrap *trap, KernelUcontext *context);

/* blocked_sigsys.c: what a thread has set for SIGSYS in its mask, as far as it knows. */
CORDON_HIDDEN uint64_t cordon_mask_as_set(const KernelUcontext *context);
CORDON_HIDDEN int cordon_blocks_sigsys(void);
CORDON_HIDDEN void cordon_note_mask(int32_t how, uint64_t set);
CORDON_HIDDEN void cordon_thread_ends(void);
CORDON_HIDDEN int cordon_keep_until_unblocked(const KernelSiginfo *info);

/* alternate_stacks.c: alternate signal stacks that are too small for a trap, and threads that are about to lose theirs. */
typedef enum { CordonStack64, CordonStack32 } CordonStackLayout;
CORDON_HIDDEN long cordon_sigaltstack(const CordonTrap *trap, KernelUcontext *context, CordonStackLayout layout);
CORDON_HIDDEN void cordon_enlarge_stack(const KernelUcontext *context, KernelStack *stack);
CORDON_HIDDEN void cordon_keep_a_stack(KernelUcontext *context);
CORDON_HIDDEN int cordon_show_own_stack(KernelStack *stack);
CORDON_HIDDEN void cordon_enlarge_calling_stack(void);
CORDON_HIDDEN void cordon_restore_calling_stack(void);

/* dispatch.c */
CORDON_HIDDEN long cordon_dispatch_disarm(void);

/* requests.c: the handler of requests to this thread: to arm or disarm itself (asking.c), or to stand still (parking.c).
   They come by the signal that libc has for its setuid(2): no program uses it, and libc keeps it out of all masks but for
   the moments in which it makes a thread or a process. Not by SIGSYS, which would lose calls: the kernel forces one for a
   trap (force_sig_info), but does not queue it where one is pending already (legacy_queue, for signals below the realtime
   ones); and the call, which it has taken back, is neither made nor trapped. */
CORDON_HIDDEN void cordon_request_signal(int signal, KernelSiginfo *info, KernelUcontext *context);
CORDON_HIDDEN void cordon_give_back_request_signal(void);
/* The program's own disposition of the signal by which requests come: `action`, if that is not NULL, is what it is from now
   on. CORDON_ORDINARY where the signal is another one. */
CORDON_HIDDEN long cordon_request_signal_action(int32_t signal, const KernelSigaction *action, KernelSigaction *old);

/* The signals that trapped code does not get blocked, whatever it asks for: its next trap would kill, and a thread must
   hear when it is asked something. */
static inline uint64_t cordon_kept_open(void) {
  uint32_t asks = cordon_requests_signal();
  return CORDON_SIGSYS_BIT | (asks != 0 ? CORDON_SIGNAL_BIT(asks) : 0);
}

/* asking.c: a request to a thread, with an address that nobody else sends: 0 or a negated errno. And waiting. */
#define CORDON_ASKS_TO_ARM ((uint64_t)&cordon_engine.requests)
#define CORDON_ASKS_TO_PARK ((uint64_t)&cordon_engine.parking)
CORDON_HIDDEN long cordon_queue_request(int32_t thread, uint64_t value);
CORDON_HIDDEN int64_t cordon_now(void);
CORDON_HIDDEN long cordon_wait_on(const void *word, uint32_t value, int64_t nanoseconds);
/* Whether a thread that does not answer has been waited for long enough; `starves` says that it would run if it were given
   a processor. */
static inline int cordon_is_over(CordonPatience patience, int64_t waited, int starves) {
  int64_t least = patience.silent_ms * CORDON_MILLISECOND;
  return waited >= least && (!starves || waited >= patience.starved_ms * CORDON_MILLISECOND);
}

/* thread_look.c: what the kernel says of a thread; 0, or -ESRCH where it has ended. */
typedef struct {
  uint64_t pending, blocked; /* signals, of the thread itself */
  uint64_t is_runnable;      /* it runs, or would */
  uint64_t is_asleep;        /* until something wakes it, or a debugger lets it go on */
  uint64_t makes_child;      /* it waits in fork(2), vfork(2), clone(2) or clone3(2) */
  uint64_t runs_no_code;     /* it has ended, or is a worker of the kernel's */
} CordonThreadLook;
CORDON_HIDDEN long cordon_look_at_thread(int32_t thread, CordonThreadLook *look);

/* own_actions.c: the program's own disposition of SIGSYS. */
CORDON_HIDDEN void cordon_own_action(KernelSigaction *action);
CORDON_HIDDEN void cordon_set_own_action(const KernelSigaction *action, KernelSigaction *old);
CORDON_HIDDEN void cordon_begin_with_action(const KernelSigaction *action);
CORDON_HIDDEN void cordon_note_memory_owner(void);
CORDON_HIDDEN void cordon_forget_borrower(void);

/* step_table.c: cordon_table_find, in TrapEngine.h; and the map until it is changed for the first time. */
CORDON_HIDDEN void cordon_table_start(const CordonStep *steps, uint64_t count);

/* policies.c: what a policy says of a call: CORDON_DISPOSITION_PASS, …_HOOK, …_KILL or …_ERROR. cordon_judge is in
   TrapEngine.h. */
CORDON_HIDDEN uint32_t cordon_policy_disposition(uint32_t index, const CordonTrap *trap);

/* memory_calls.c: calls that are about marked memory, which the memory hook answers. CORDON_ORDINARY or the result. */
CORDON_HIDDEN long cordon_memory_call(const CordonTrap *trap);

/* own_sigsys.c: what becomes of a SIGSYS that is the program's. */
CORDON_HIDDEN void cordon_die(KernelSiginfo *info);
CORDON_HIDDEN void cordon_forward(KernelSiginfo *info, KernelUcontext *context);
CORDON_HIDDEN void cordon_go_on_waiting(KernelUcontext *context);
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
