/// What the launcher needs of the kernel that Swift cannot say: a child that shares memory until it executes the program,
/// ptrace(2) and ioctl(2), which are variadic, and headers that Swift's Glibc module leaves out.
/// Functions return 0 or a result, or a negated errno, as the kernel does.
#ifndef CORDON_LAUNCHER_SHIMS_H
#define CORDON_LAUNCHER_SHIMS_H

#include <stdint.h>
#include <sys/types.h>

/// Filters to attach: the address of an array of struct sock_filter, and how many.
typedef struct CordonFilter {
  uint64_t instructions;
  uint16_t count;
} CordonFilter;

/// What a child needs to become the program. It shares this memory with the launcher until it has executed it, or ended.
typedef struct CordonLaunch {
  const char *path;
  char *const *arguments;
  char *const *environment;
  /// Makes a call that the filters exempt: `long call(long number, long a, …, long f)`.
  uint64_t call;
  /// Executes a program by way of a file that the execve(2) was answered with a descriptor of: the agent's `load`.
  uint64_t load;
  /// The filter whose listener is the launcher's, and one that is attached after it, if it has instructions.
  CordonFilter first, second;
  /// The signal mask that the program starts with.
  uint64_t mask;
  /// The timers of setitimer(2) that this process was executed with, which it stops and the program goes on with: the interval
  /// and the time left of each, in seconds and microseconds. Filled in by `cordon_launch`.
  int64_t timers[3][4];

  /// The listener, in the launcher's own table of descriptors; -1 until it is there.
  int32_t listener;
  /// Where the child got to: CordonLaunchStage.
  uint32_t stage;
  /// Why it did not get further: an errno, or 0.
  int32_t error;
} CordonLaunch;

enum {
  CordonLaunchStarted = 0,
  CordonLaunchPrivileges = 1, ///< at no_new_privs
  CordonLaunchListener = 2,   ///< at the first filter
  CordonLaunchFilter = 3,     ///< at the second
  CordonLaunchExecuting = 4,  ///< the listener is there, and the program is being executed
};

/// Starts the child on a stack of its own: its process id, or -errno.
int32_t cordon_launch(CordonLaunch *launch, void *stack_end);
/// Starts the timers again that a program does not go on with after all.
void cordon_launch_return_timers(const CordonLaunch *launch);
/// Waits until it executes the program or cannot.
void cordon_launch_wait(CordonLaunch *launch, int32_t child);

/// The general registers of a stopped thread, in the order of the kernel's struct user_regs_struct.
typedef struct CordonThreadRegisters {
  uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi, original_rax, rip, cs, eflags, rsp, ss,
      fs_base, gs_base, ds, es, fs, gs;
} CordonThreadRegisters;

long cordon_trace_seize(int32_t thread, uint32_t options);
long cordon_trace_set_options(int32_t thread, uint32_t options);
long cordon_trace_detach(int32_t thread, int32_t signal);
long cordon_trace_interrupt(int32_t thread);
long cordon_trace_message(int32_t thread, uint64_t *message);
long cordon_trace_registers(int32_t thread, CordonThreadRegisters *registers);
long cordon_trace_set_registers(int32_t thread, const CordonThreadRegisters *registers);

enum {
  CordonTraceExec = 0x10,              ///< PTRACE_O_TRACEEXEC
  CordonTraceEndsWithUs = 0x100000,    ///< PTRACE_O_EXITKILL
  CordonStopAtExec = 4,                ///< PTRACE_EVENT_EXEC
  CordonStopForGroup = 128,            ///< PTRACE_EVENT_STOP
};

/// A call that waits for its listener's answer.
typedef struct CordonNotification {
  uint64_t id;
  int32_t thread;
  int32_t number;
  uint32_t architecture;
  uint64_t instruction_pointer;
  uint64_t arguments[6];
} CordonNotification;

/// Has who asks and who answers run on one processor in turn, where the kernel knows how: each waits for the other.
void cordon_listener_stay_near(int32_t listener);
/// The next call that waits; -ENOENT when it is gone already.
long cordon_listener_receive(int32_t listener, CordonNotification *notification);
/// Lets the call happen.
long cordon_listener_continue(int32_t listener, uint64_t id);
/// Has the call fail with a positive errno.
long cordon_listener_refuse(int32_t listener, uint64_t id, int32_t error);

/// Has the call answer a value, without happening.
long cordon_listener_answer(int32_t listener, uint64_t id, int64_t value);
/// Has the call answer a descriptor: a copy of `descriptor` in the caller's table.
long cordon_listener_give(int32_t listener, uint64_t id, int32_t descriptor);
/// The same where the caller's process has as many descriptors as it may have, and must not mind another limit meanwhile.
long cordon_listener_give_one_more(int32_t listener, uint64_t id, int32_t process, int32_t descriptor);

/// Memory to share: a descriptor for the launcher, and one to give away, whose file stays locked as long as anybody has
/// it open or mapped.
long cordon_shared_memory(uint64_t size, int32_t *given);
/// Whether nobody has what was given away any more.
int cordon_shared_memory_is_left(int32_t descriptor);

/// A file in memory, of zeros, which can be executed: a descriptor, or -errno.
long cordon_memory_file(uint64_t size);
/// What the file holds stays as it is from now on, but for memory that is mapped from it already.
long cordon_memory_file_seal(int32_t file);

/// A descriptor from which all signals of `mask` can be read that this thread blocks; close-on-exec.
long cordon_signal_descriptor(uint64_t mask);
/// Blocks the signals of `mask` in the calling thread, and says what was blocked before.
long cordon_signal_block(uint64_t mask, uint64_t *before);
/// Has the calling thread block the signals of `mask` and no others.
void cordon_signal_set_mask(uint64_t mask);

/// Stops this process by SIGTSTP, SIGTTIN or SIGTTOU, until it is continued.
void cordon_signal_stop(int32_t number);

/// What the next signal says of itself; 0 when there is none. Never waits.
typedef struct CordonSignal {
  int32_t number;
  int32_t code;
  int32_t sender;
  uint32_t user;
  uint64_t value;
} CordonSignal;
long cordon_signal_read(int32_t descriptor, CordonSignal *signal);
/// Sends it on: with its value where it has one (sigqueue(3)).
void cordon_signal_forward(const CordonSignal *signal, int32_t process);

/// Starts a process in this process group that waits and blocks whatever can be blocked, on a stack that ends here: its
/// process id, or -errno. It has no descriptors, and ends with its parent.
int32_t cordon_witness_start(void *stack_end);
/// Ends it, and returns when it is gone.
void cordon_witness_end(int32_t witness);

/// How far into the vDSO, the kernel's own pages of code in every process, there are `size` bytes that nothing runs or loads;
/// 0 where there are none.
uint64_t cordon_vdso_room(uint64_t size);

/// 1 where this processor and kernel let programs read thread pointers by RDFSBASE (HWCAP2_FSGSBASE; Linux 5.9), else 0.
int32_t cordon_can_read_thread_pointers(void);

/// Whether it is the first thread of its process, whose number it has.
int cordon_is_first_thread(int32_t thread);

/// Goes on in a child that has left terminal, folder and the three standard descriptors behind: 1 in the child, 0 in the
/// process that calls.
long cordon_background(void);

#endif
