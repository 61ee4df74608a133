/* In a debugger: what its wait4(2) is told of programs that it traces. It does not hear of traps, which are Cordon's business,
   and where one of its programs has executed the loader's file it hears of that once the program is there. */
#include "agent.h"
#include "../TrapEngine/signal_path.h"

extern CORDON_HIDDEN const uint8_t cordon_agent_loaded[], cordon_agent_ready[];

CORDON_AGENT_BEGIN

#define WAIT_ALL 0x40000000 /* __WALL */
#define CONTINUED 0xffff    /* the status of one that SIGCONT has let go on */
#define SIGTRAP 5

enum { /* linux/wait.h, asm-generic/siginfo.h */
  P_PID = 1,
  WSTOPPED = 2,
  WEXITED = 4,
  WNOWAIT = 0x01000000,
  CLD_EXITED = 1,
  CLD_KILLED = 2,
  CLD_DUMPED = 3,
};

enum { /* linux/ptrace.h */
  PTRACE_PEEKDATA = 2,
  PTRACE_CONT = 7,
  PTRACE_GETREGS = 12,
  PTRACE_SETREGS = 13,
  PTRACE_DETACH = 17,
  PTRACE_SYSCALL = 24,
  PTRACE_GETSIGINFO = 0x4202,
  PTRACE_EVENT_EXEC = 4,
};

/* struct user_regs_struct */
typedef struct {
  uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi, original_rax, rip, cs, eflags, rsp, ss,
      fs_base, gs_base, ds, es, fs, gs;
} Registers;
_Static_assert(sizeof(Registers) == 216, "struct user_regs_struct");

static long trace(long request, long thread, long address, long data) {
  return cordon_agent_call(NR_ptrace, request, thread, address, data, 0, 0);
}

/* By thread: its id, and in the upper half the request by which it goes on. Ids are given out one after the other, so what
   has so many threads at most has a place for each, and others find one within a window. */
#define TRACEES 4096
#define WINDOW 16
static uint64_t tracees[TRACEES];

static uint64_t *place_of(uint32_t thread, uint32_t index) { return &tracees[(thread + index) % TRACEES]; }

static uint64_t *find(uint32_t thread) {
  for (uint32_t i = 0; i < WINDOW; i++)
    if ((uint32_t)__atomic_load_n(place_of(thread, i), __ATOMIC_RELAXED) == thread) return place_of(thread, i);
  return NULL;
}

/* One that somebody else has waited for, or nobody. */
static int has_ended(uint32_t thread) { return cordon_agent_call(NR_tkill, thread, 0, 0, 0, 0, 0) == -CORDON_ESRCH; }

/* A place for a thread that has none: a free one, one of a thread that is gone, or, where there are too many, another's. */
static void take_place(uint32_t thread, uint64_t entry) {
  for (uint32_t i = 0; i < 2 * WINDOW; i++) {
    uint64_t *place = place_of(thread, i % WINDOW), found = __atomic_load_n(place, __ATOMIC_RELAXED);
    int is_free = found == 0 || (i >= WINDOW && has_ended((uint32_t)found));
    if (is_free && __atomic_compare_exchange_n(place, &found, entry, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) return;
  }
  __atomic_store_n(place_of(thread, 0), entry, __ATOMIC_RELAXED);
}

static uint32_t last_request(uint32_t thread) {
  const uint64_t *place = find(thread);
  return place != NULL ? (uint32_t)(__atomic_load_n(place, __ATOMIC_RELAXED) >> 32) : 0;
}

/* Another one may have its id. */
static void forget(uint32_t thread) {
  uint64_t *place = find(thread);
  if (place != NULL) __atomic_store_n(place, 0, __ATOMIC_RELAXED);
}

/* Lets a trap be delivered, where the debugger wants the thread to run. One that goes step by step is shown to it. */
static int conceals(long thread, int32_t status) {
  if (status != (CORDON_SIGSYS << 8 | 0x7f)) return 0;
  KernelSiginfo info;
  uint32_t request = last_request((uint32_t)thread);
  if (request != PTRACE_CONT && request != PTRACE_SYSCALL) return 0;
  if (trace(PTRACE_GETSIGINFO, thread, 0, (long)&info) != 0) return 0;
  int is_ours = info.code == CORDON_SYS_USER_DISPATCH ||
                (info.code == CORDON_SYS_SECCOMP && (uint16_t)info.error == CORDON_AGENT_TRAP_DATA);
  return is_ours && trace(request, thread, 0, CORDON_SIGSYS) == 0;
}

/* Waits until the thread has stopped, and takes note of that: 0. One that has ended is left for the debugger's own wait. */
static int wait_for_stop(long thread, int32_t *status) {
  KernelSiginfo info;
  if (cordon_agent_call(NR_waitid, P_PID, thread, (long)&info, WSTOPPED | WEXITED | WNOWAIT | WAIT_ALL, 0, 0) != 0) return 1;
  if (info.code == CLD_EXITED || info.code == CLD_KILLED || info.code == CLD_DUMPED) return 1;
  return cordon_agent_call(NR_wait4, thread, (long)status, WAIT_ALL, 0, 0, 0) != thread;
}

/* Where the thread is at the beginning of the loader's file, it goes on until the program begins. Returns whether it has
   ended meanwhile. */
static int finish_loading(long thread) {
  Registers registers;
  int32_t status;
  if (trace(PTRACE_GETREGS, thread, 0, (long)&registers) != 0 || registers.rip != (uint64_t)cordon_agent_loaded) return 0;
  registers.rbx = 1;
  if (trace(PTRACE_SETREGS, thread, 0, (long)&registers) != 0) return 0;
  long signal = 0;
  for (;;) {
    if (trace(PTRACE_CONT, thread, 0, signal) != 0) return 0;
    if (wait_for_stop(thread, &status)) return 1;
    signal = status >> 16 == 0 ? status >> 8 & 0xff : 0;
    if (trace(PTRACE_GETREGS, thread, 0, (long)&registers) != 0) return 0;
    if (signal == SIGTRAP && registers.rip == (uint64_t)cordon_agent_ready) break;
  }
  uint64_t entry;
  trace(PTRACE_PEEKDATA, thread, (long)(registers.rsp - 16), (long)&entry);
  uint64_t *words = (uint64_t *)&registers;
  for (size_t i = 0; i < offsetof(Registers, original_rax) / 8; i++) ((volatile uint64_t *)words)[i] = 0;
  registers.rip = entry;
  registers.original_rax = UINT64_MAX;
  registers.eflags = 0x202;
  trace(PTRACE_SETREGS, thread, 0, (long)&registers);
  return 0;
}

static int has_executed(long thread, int32_t status) {
  if ((status & 0xffff) != (SIGTRAP << 8 | 0x7f)) return 0;
  /* One that is stopped at its calls is to see the end of this one. */
  return status >> 16 == 0 || (status >> 16 == PTRACE_EVENT_EXEC && last_request((uint32_t)thread) != PTRACE_SYSCALL);
}

void cordon_agent_note_request(uint32_t thread, uint32_t request) {
  uint64_t *place = find(thread), entry = (uint64_t)request << 32 | thread;
  if (place == NULL) (void)finish_loading(thread);
  if (request == PTRACE_DETACH)
    forget(thread);
  else if (place != NULL)
    __atomic_store_n(place, entry, __ATOMIC_RELAXED);
  else
    take_place(thread, entry);
}

static int is_end(int32_t status) { return (status & 0x7f) != 0x7f && status != CONTINUED; }

long cordon_agent_wait(const CordonTrap *trap) {
  int32_t status;
  long thread;
  do {
    thread = cordon_agent_call(NR_wait4, (long)trap->arguments[0], (long)&status, (long)trap->arguments[2],
                               (long)trap->arguments[3], 0, 0);
  } while (thread > 0 &&
           (conceals(thread, status) || (has_executed(thread, status) && finish_loading(thread))));
  if (thread <= 0) return thread;
  if (is_end(status)) forget((uint32_t)thread);
  if (trap->arguments[1] != 0 && cordon_copy_out(trap->arguments[1], &status, sizeof status) != 0) return -CORDON_EFAULT;
  return thread;
}

CORDON_AGENT_END
