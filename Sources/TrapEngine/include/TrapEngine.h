/// The trap engine: everything that runs inside a SIGSYS delivery, and the little that sets it up.
///
/// Freestanding: no libc, no thread-local storage, no allocation, no locks, no FPU registers. The library `Cordon`
/// links it into a process; a launcher may place the same code into a program as an image of its own.
/// Functions return 0 (or a count) on success and a negated errno on failure, as the kernel does.
#ifndef CORDON_TRAP_ENGINE_H
#define CORDON_TRAP_ENGINE_H

#include <stddef.h>
#include <stdint.h>

/// The general registers of the trapped code, in the order of the kernel's `struct sigcontext`. Writable: what a hook
/// changes is what the code resumes with.
typedef struct CordonRegisters {
  uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
  uint64_t rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip;
  uint64_t eflags;
} CordonRegisters;

/// `CordonTrap.region` of a call that no region holds (it trapped by the map's default).
#define CORDON_NO_REGION UINT32_MAX

/// What a region's index stands for, as a hook may want to know it.
typedef struct CordonRegionRecord {
  /// Where its instructions lie, half-open.
  uint64_t start, end;
  /// Tells it from other regions that have had the same index.
  uint64_t serial;
} CordonRegionRecord;

/// One trapped call, as the hook sees it.
typedef struct CordonTrap {
  /// The call's number as the kernel read it; x32 calls have bit 30 set, int $0x80 calls the i386 number.
  int32_t number;
  /// AUDIT_ARCH_* of the call: it tells `syscall` (0xc000003e) from `int $0x80` (0x40000003).
  uint32_t architecture;
  /// The six arguments; the low halves of ebx, ecx, edx, esi, edi, ebp for `int $0x80`.
  uint64_t arguments[6];
  /// Address of the instruction that made the call (not of the one after it).
  uint64_t instruction_address;
  /// Index of the region that holds the instruction, or CORDON_NO_REGION.
  uint32_t region;
  /// The siginfo's si_code: 1 seccomp, 2 syscall user dispatch.
  int32_t cause;
  /// What `region` stands for; zeros where that is CORDON_NO_REGION or was never given a name.
  CordonRegionRecord record;
  /// The state of the map by which the call was judged (`cordon_table_generation`).
  uint64_t generation;
  CordonRegisters *registers;
  /// The `ucontext_t` of the delivery, for what the registers above do not hold.
  void *user_context;
} CordonTrap;

typedef enum __attribute__((enum_extensibility(closed))) CordonVerdictKind : uint32_t {
  CordonVerdictPass = 0,
  CordonVerdictValue = 1,
  CordonVerdictError = 2,
  CordonVerdictRedirect = 3,
  CordonVerdictSignal = 4,
} CordonVerdictKind;

/// What becomes of a trapped call.
typedef struct CordonVerdict {
  CordonVerdictKind kind;
  uint32_t reserved;
  /// Value: what RAX holds. Error: the positive errno. Redirect: the address to go on at. Others: unused.
  int64_t value;
} CordonVerdict;

typedef CordonVerdict (*CordonTrapHook)(CordonTrap *trap, void *context);

/// PROT_NOSYSCALL of the memory-map RFC of 2020: code there makes no system calls.
#define CORDON_PROT_NOSYSCALL 0x40u
/// What a CordonMemoryHook answers to a call that is to happen as it is.
#define CORDON_NOT_ANSWERED INT64_MIN
/// Is given calls that may change which memory is marked, or are about the marks (see CordonConfiguration), in place of
/// their happening; answers the result, a negated errno for a failure, or CORDON_NOT_ANSWERED.
typedef long (*CordonMemoryHook)(const CordonTrap *trap, void *context);

/// `CordonStep.disposition`: calls that reach the handler all the same are passed through.
#define CORDON_DISPOSITION_PASS 0u
/// Calls go to the hook.
#define CORDON_DISPOSITION_HOOK 1u
/// The process dies of SIGSYS.
#define CORDON_DISPOSITION_KILL 2u
/// Calls fail with an error number (1…4095), which is added to it.
#define CORDON_DISPOSITION_ERROR 0x10000u
/// Calls go by a policy, whose index (cordon_policy_add, below 65536) is added to it.
#define CORDON_DISPOSITION_POLICY 0x20000u

/// One step of the map from kernel-visible instruction pointers to dispositions: it holds from `first` up to the
/// next step's `first`. Steps are sorted, and the first one starts at 0.
typedef struct CordonStep {
  uint64_t first;
  uint32_t region;
  /// CORDON_DISPOSITION_…
  uint32_t disposition;
} CordonStep;

/// An instruction of a policy: struct sock_filter of linux/filter.h.
typedef struct CordonInstruction {
  uint16_t code;
  uint8_t if_true, if_false;
  uint32_t constant;
} CordonInstruction;

/// A part of a change to the map: what holds for the instruction pointers `first`…`last`, both inclusive, from now on.
typedef struct CordonEdit {
  uint64_t first, last;
  /// Sorted; the first one starts at `first`, and none after `last`. At least one.
  const CordonStep *steps;
  uint64_t step_count;
} CordonEdit;

/// A part of a change to the map: what an index stands for from now on. The map did not name it before the change.
typedef struct CordonNaming {
  uint32_t region;
  uint32_t reserved;
  CordonRegionRecord record;
} CordonNaming;

/// How syscall user dispatch is armed in a thread: the arguments of prctl(PR_SET_SYSCALL_USER_DISPATCH).
typedef struct CordonDispatch {
  /// 0 not used, 1 exclusive, 2 inclusive.
  uint64_t operation;
  uint64_t offset;
  uint64_t length;
} CordonDispatch;

typedef struct CordonConfiguration {
  /// The map to begin with; at least one step. They must outlive the process, or the first `cordon_table_change`.
  const CordonStep *steps;
  uint64_t step_count;
  CordonTrapHook hook;
  void *hook_context;
  /// SECCOMP_RET_DATA of the filter's traps: what tells them from a guest filter's.
  uint16_t trap_data;
  /// Set when the traps come from syscall user dispatch.
  CordonDispatch dispatch;
  /// Not 0: traps of syscall user dispatch are ours, also after it was disarmed.
  uint32_t uses_dispatch;
  /// Children made by trapped code (fork, vfork, clone, clone3) arm their own dispatch before they go on.
  uint32_t dispatch_follows;
  /// Trapped code that blocks SIGSYS is told that it is blocked, and what others send it waits. 0: it is told that it is
  /// open, as it is in any case.
  uint32_t shows_blocked_sigsys;
  /// Not 0: the processor and the kernel have RDFSBASE (bit 1 of AT_HWCAP2), by which children are known that have it blocked
  /// from their makers.
  uint32_t reads_thread_pointers;
  /// Not NULL: of the calls that are let through it gets those of mmap, mprotect, pkey_mprotect, munmap and mremap which
  /// have PROT_NOSYSCALL, or are about code that the map says something of (by a region, whatever its disposition), or
  /// about `memory_start`…`memory_end`; seccomp's operation 4 (SECCOMP_SET_MODE_MEMMAP); prctl's PR_SET_SECCOMP with mode 3,
  /// and PR_GET_SECCOMP.
  CordonMemoryHook memory_hook;
  void *memory_context;
  uint64_t memory_start, memory_end;
} CordonConfiguration;

typedef struct CordonCounters {
  uint64_t traps;           ///< deliveries that were ours
  uint64_t hooked;          ///< of these, answered by the hook
  uint64_t passed;          ///< calls let through, by the hook or because no region asked for the trap
  uint64_t permitted;       ///< calls let through because their region's policy allows them
  uint64_t unasked;         ///< calls let through without asking the hook: their code is not in a trapped region
  uint64_t refused;         ///< calls that the map itself answered with an error, or that it let end the process
  uint64_t forwarded;       ///< SIGSYS deliveries handed to the program's own disposition
  uint64_t sites;           ///< call sites that have a thunk of their own
  uint64_t shared_thunks;   ///< calls passed through the shared thunk because the site table was full
} CordonCounters;

/// Maps the gate and fills it with thunks. Idempotent, and safe to call from several threads.
long cordon_engine_prepare(void);
/// Writes one part of the code of a gate that runs wherever it is mapped, with room for fewer call sites than
/// cordon_engine_prepare makes; sites beyond that use the shared thunks. Parts are numbered from 0 on, `memory` has room for
/// CORDON_GATE_PART_LIMIT bytes, and `offset` is set to how far above the gate's address the part lies. Around the parts are
/// zeros. Returns how many bytes the part has; 0 where there is none of that number.
uint64_t cordon_gate_part(uint32_t number, void *memory, uint64_t *offset);
enum { CORDON_GATE_PART_LIMIT = 16384 };
/// As cordon_engine_prepare, with a gate that lies at this address (of a page) already, with the parts of cordon_gate_part.
/// Behind it are zeros that can be written, as much again and a page.
void cordon_engine_adopt_gate(uint64_t address);
/// The gate's code, [start, end): calls from here must always be allowed. Zero before `cordon_engine_prepare`.
void cordon_engine_gate(uint64_t *start, uint64_t *end);

/// Publishes the configuration and takes over SIGSYS, keeping the program's own disposition. -EBUSY when installed.
long cordon_engine_install(const CordonConfiguration *configuration);
/// Gives SIGSYS back. For an activation that could not be finished; nothing may be armed.
void cordon_engine_uninstall(void);
int cordon_engine_is_installed(void);
void cordon_engine_counters(CordonCounters *counters);

/// The map of instruction pointers. It can be read at any moment in any thread, without locks, also while it is changed;
/// changes are made by one thread at a time, the first one before there is anything to trap.
///
/// Makes all of the edits, in order, and names the regions: every reader sees the map as it was before, or as it is after
/// all of them. -ENOMEM, and nothing is changed. Takes about as long as the steps of the edits are many, however long the
/// map is.
long cordon_table_change(const CordonEdit *edits, uint64_t count, const CordonNaming *names, uint64_t name_count);

/// Has the table have the memory for a change of so many edits of at most so many steps each, with region indices below
/// `regions`: it cannot fail then. `-errno` where there is none.
long cordon_table_prepare(uint64_t edits, uint64_t steps, uint64_t regions);
/// How often the map has been changed.
uint64_t cordon_table_generation(void);
/// What holds for an instruction pointer; returns the generation in which it does.
uint64_t cordon_table_find(uint64_t pointer, CordonStep *step, CordonRegionRecord *record);
/// Whether the map says anything of the instruction pointers `first`…`last`: by a region, or by a disposition that is not
/// CORDON_DISPOSITION_PASS. Takes as long as the steps there are many.
int cordon_table_has(uint64_t first, uint64_t last);
/// How many steps the map has, and in how many chunks; for whoever changes it.
void cordon_table_occupancy(uint64_t *steps, uint64_t *chunks);

/// Keeps a policy for ever, so that steps can name it: a program of the kernel's classic BPF machine, of at most 4096
/// instructions, which loads words of `struct seccomp_data`, compares with constants, jumps and returns. Its answers can be
/// to allow (CORDON_DISPOSITION_PASS), to trap (…_HOOK) and to fail with an error number; any other ends the process.
/// The policy's index, or -ENOMEM (65,536 policies of 8 Mi instructions in all), or -EINVAL for its length.
long cordon_policy_add(const CordonInstruction *instructions, uint64_t count);
/// What a program says of a call, as the kernel would have it answer: SECCOMP_RET_*. Where it has other instructions than
/// those, or comes to no end, to end the process.
uint32_t cordon_judge(const CordonTrap *trap, const CordonInstruction *program, uint64_t length);

#define CORDON_ACTION_KILL_PROCESS 0x80000000u
#define CORDON_ACTION_TRAP 0x00030000u
#define CORDON_ACTION_ERRNO 0x00050000u
#define CORDON_ACTION_ALLOW 0x7fff0000u

/// Changes how dispatch is armed from now on, for threads and children that arm themselves; those that are armed stay as
/// they are until cordon_dispatch_arm_threads. Operation 0 disarms. Only where the configuration said how to arm it.
void cordon_dispatch_configure(const CordonDispatch *dispatch);
/// How often that was called.
uint64_t cordon_dispatch_generation(void);

/// seccomp(SECCOMP_SET_MODE_FILTER): 0, the id of the thread that could not be synchronised (TSYNC), or -errno.
long cordon_seccomp_load(const void *instructions, uint16_t count, uint32_t flags);
/// Whether the kernel knows these filter flags: 0, or -errno.
long cordon_seccomp_probe(uint32_t flags);

/// The signal by which threads are asked: 33, glibc's own for setuid(2), which its masks leave open.
#define CORDON_REQUEST_SIGNAL 33
/// Takes that signal; what glibc sends goes on to its handler. Whatever asks threads takes it too, where that has not been
/// done or glibc has set its handler since.
long cordon_requests_take_signal(void);
/// That signal; 0 where it has not been taken.
uint32_t cordon_requests_signal(void);
/// A thread that could not be asked, or has not answered, and the negated errno; 0 where all have. -ETIMEDOUT where it did
/// not answer in time, -EAGAIN where nothing more can be queued (RLIMIT_SIGPENDING).
typedef struct CordonSilence {
  int32_t thread;
  long error;
} CordonSilence;

/// For how many milliseconds a thread is waited for that does not answer: one that would not if it ran, since it blocks the
/// signal or SIGSYS, waits in a call that no signal interrupts, or is held by a debugger; and one that would run if it were
/// given a processor.
typedef struct CordonPatience {
  uint32_t silent_ms, starved_ms;
} CordonPatience;

/// Whether a thread has SIGSYS blocked, and sleeps meanwhile.
typedef enum CordonSigsysState { CordonSigsysOpen, CordonSigsysBlocked, CordonSigsysBlockedAsleep } CordonSigsysState;
/// The same of a thread of this process. Not one that has ended, as the main thread may have, nor a worker of the kernel's
/// (io_uring's), which runs no code of the process.
CordonSigsysState cordon_thread_blocks_sigsys(int32_t thread);
/// As cordon_seccomp_load, with flags that have SECCOMP_FILTER_FLAG_TSYNC, while all other threads of the process stand
/// still with SIGSYS open: none of them is in one of those moments in which libc has every signal blocked. They are asked
/// by the signal above, and go on once the filter is attached, or has been refused.
///
/// Where `silence` has an error, nothing was attached, and all go on. Its thread has had SIGSYS blocked (-EBUSY) for all of
/// that time, or not answered otherwise (-ETIMEDOUT, -EAGAIN); 0 is for the list of threads, which could not be read, or
/// has lacked some all the time (-EAGAIN).
///
/// Where one sleeps that does not answer, the others go on after some milliseconds, and are asked again later; where one is
/// given no processor, they stand still for 20 ms, and up to 640 ms later on. For one thread at a time; needs the gate.
/// Calls neither libc nor anything that could be trapped.
long cordon_seccomp_load_parked(const void *instructions, uint16_t count, uint32_t flags, CordonPatience patience,
                                CordonSilence *silence);

/// Arms syscall user dispatch in the calling thread as configured; `selector` may be NULL, which blocks always.
long cordon_dispatch_arm(volatile uint8_t *selector);
/// prctl(PR_SET_SYSCALL_USER_DISPATCH, operation, …) with a harmless range, then off again: what this kernel has.
long cordon_dispatch_probe(uint64_t operation);
/// Has threads of this process, by id, arm themselves (by CORDON_REQUEST_SIGNAL) and waits for each 64 of them. Those that
/// have ended need nothing. One thread at a time may ask.
CordonSilence cordon_dispatch_arm_threads(const int32_t *threads, uint64_t count, CordonPatience patience);
/// Gives up arming all threads: requests that are still on their way will disarm, and the engine keeps their signal to
/// answer them, also when it is uninstalled.
void cordon_dispatch_give_up(void);
/// After cordon_dispatch_give_up: as cordon_dispatch_arm_threads, but disarms.
CordonSilence cordon_dispatch_disarm_threads(const int32_t *threads, uint64_t count, CordonPatience patience);

/// What a program that is executed has from the thread that executes it, but for the kernel's knowledge.
enum {
  CORDON_SIGSYS_IGNORED = 1,
  CORDON_SIGSYS_BLOCKED = 2,
};
/// That of a program which this thread is about to execute.
uint32_t cordon_sigsys_to_inherit(void);
/// In a program that has just been executed, once the engine is installed.
void cordon_sigsys_inherit(uint32_t what);

/// What a thread has set for SIGSYS in its mask that is about to execute a program in memory which is its maker's: that memory
/// knows of it no more, until it is given back where no program has been executed.
enum {
  CordonMaskAsMakers = 0,
  CordonMaskBlocked = 1,
  CordonMaskOpen = 2,
};
uint32_t cordon_mask_leave(void);
void cordon_mask_return(uint32_t mask);

/// Whether this process runs in the memory of another one, as a child of vfork(2) does.
int cordon_borrows_memory(void);

/// A system call from the gate: never trapped. Needs `cordon_engine_prepare`.
long cordon_gate_call(long number, long a, long b, long c, long d, long e, long f);

#endif
