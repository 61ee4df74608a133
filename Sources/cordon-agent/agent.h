/* The agent: the trap engine in a program that knows nothing of it. No libc, no TLS, no FPU registers, nothing that
   needs relocation; everything here may run inside a signal or before the program's first instruction. */
#ifndef CORDON_AGENT_H
#define CORDON_AGENT_H

#include "AgentInterface.h"
#include "TrapEngine.h"

#define CORDON_AGENT_BEGIN                                                                                      \
  _Pragma("clang attribute push(__attribute__((no_stack_protector, target(\"general-regs-only\"))), apply_to = function)")
#define CORDON_AGENT_END _Pragma("clang attribute pop")
#define CORDON_ARCH_X86_64 0xc000003eu
#define CORDON_ARCH_I386 0x40000003u
#define CORDON_HIDDEN __attribute__((visibility("hidden")))

extern CORDON_HIDDEN const CordonAgentHeader cordon_agent_header;
extern CORDON_HIDDEN uint8_t cordon_agent_data_end[];

/* start.S: a system call that is exempt. */
CORDON_HIDDEN long cordon_agent_call(long number, long a, long b, long c, long d, long e, long f);

/* prepare.c: runs once in every program, before its first instruction. It has from the one before it what CORDON_SIGSYS_* of
   `inherited` say. */
CORDON_HIDDEN void cordon_agent_prepare(uint64_t inherited);

/* hook.c: what becomes of a trapped call. */
CORDON_HIDDEN CordonVerdict cordon_agent_hook(CordonTrap *trap, void *context);

/* account.c: finds out where the call comes from, counts it, and has its module's policy answer it: 1 when it has. `site` is
   NULL for a call that passes and is not accounted. */
CORDON_HIDDEN int cordon_agent_count(const CordonTrap *trap, CordonSite **site, CordonVerdict *verdict);
/* Has the call timed, where that can be done. */
CORDON_HIDDEN void cordon_agent_time(const CordonTrap *trap, CordonSite *site, CordonVerdict *verdict);
/* The CordonCall of a call that the hook makes itself, or NULL; and its end. */
CORDON_HIDDEN CordonCall *cordon_agent_open(const CordonTrap *trap, const CordonSite *site);
CORDON_HIDDEN void cordon_agent_close(CordonCall *call, long result);

/* policy.c: what the policy of the module, or, where that is NULL, of code elsewhere answers: SECCOMP_RET_*. */
CORDON_HIDDEN uint32_t cordon_agent_judge(const CordonTrap *trap, const CordonModule *module);
#define CORDON_ACTION_KILL_THREAD 0x00000000u

/* calls.c: thunks and the CordonCalls that they belong to. */
CORDON_HIDDEN long cordon_agent_make_thunks(void);
/* The thunk that makes an ordinary call. */
CORDON_HIDDEN uint64_t cordon_agent_thunk(CordonCall *call);
CORDON_HIDDEN CordonCall *cordon_agent_call_of_thunk(uint64_t thunk);
/* The thunk that makes a child, which goes on where `thunk`, the engine's own, has made it; 0 where there is none. */
CORDON_HIDDEN uint64_t cordon_agent_child_thunk(CordonCall *call, uint64_t thunk, int shares_memory);
/* One that is free, its last call taken note of; NULL when there is none. */
CORDON_HIDDEN CordonCall *cordon_agent_claim(uint64_t stack_pointer);
CORDON_HIDDEN void cordon_agent_give_back(CordonCall *call);

/* sites.c: the site of a call, or NULL when it is not to be accounted, or cannot be; and its module, or NULL. */
CORDON_HIDDEN CordonSite *cordon_agent_site(const CordonTrap *trap, const CordonModule **module);

/* modules.c: modules by their numbers, which are their places in the table, counted from 1. Whether one lies in this memory;
   the one that is known to lie at an address, and, where none is, the one that the launcher finds there, or 0. */
CORDON_HIDDEN int cordon_agent_has_module(uint32_t number);
CORDON_HIDDEN uint32_t cordon_agent_known_module(uint64_t address);
CORDON_HIDDEN uint32_t cordon_agent_module_at(uint64_t address);
/* What lies there is looked for anew when it calls. */
CORDON_HIDDEN void cordon_agent_unmapped(uint64_t start, uint64_t length);
/* The same for what a call changes; and whether code has been known there, so that it is to be forgotten again when the call
   has been made: whoever has looked for it meanwhile may have found it still. */
CORDON_HIDDEN void cordon_agent_notice_change(const CordonTrap *trap);
CORDON_HIDDEN int cordon_agent_changes_code(const CordonTrap *trap);

/* log.c: leaves the record of a call. */
CORDON_HIDDEN void cordon_agent_record(const CordonRecord *record);

/* place.c: maps a module that is to be trapped where the filter traps; 1 when it has answered the call. */
CORDON_HIDDEN int cordon_agent_place(const CordonTrap *trap, CordonVerdict *verdict);

/* cancel.c: rt_sigaction(2) of a signal by which threads are cancelled, and its result. */
CORDON_HIDDEN int cordon_agent_is_cancel_action(const CordonTrap *trap);
CORDON_HIDDEN long cordon_agent_cancel_action(const CordonTrap *trap);

/* ask.c: asks the launcher; its answer, or -ENOSYS where there is none any more. */
CORDON_HIDDEN long cordon_agent_ask(long question, uint64_t argument);
CORDON_HIDDEN long cordon_agent_ask_of_area(long question, uint64_t argument, uint64_t area);

/* load.c: executes a program by way of the loader's file, of which `loader` is a descriptor that is closed: -errno, or it
   does not return. The rest is as for execveat(2). */
CORDON_HIDDEN long cordon_agent_load(long loader, long folder, long path, long arguments, long environment, long flags);

/* own_name.c: the path of the program, where /proc/self/exe names the loader's file; and whether a path means it there. */
CORDON_HIDDEN void cordon_agent_note_own_name(const char *path);
CORDON_HIDDEN const char *cordon_agent_own_name(void);
CORDON_HIDDEN int cordon_agent_means_itself(uint64_t path);

/* In its flags: the thread is to be traced by its parent from then on; the path means the program itself. */
#define CORDON_AGENT_TRACED 0x40000000
#define CORDON_AGENT_ITSELF 0x20000000

/* trace.c: takes note of a PTRACE_TRACEME that has to wait, and answers it; 1 when it has. */
CORDON_HIDDEN int cordon_agent_postpones_trace(const CordonTrap *trap, CordonVerdict *verdict);
/* Whether the process has one waiting; and what it waits for. */
CORDON_HIDDEN int cordon_agent_is_to_be_traced(void);
CORDON_HIDDEN void cordon_agent_trace_begin(void);

/* trace.c: whether the process traces others, by a call of its own or since a child has asked to be traced. */
CORDON_HIDDEN int cordon_agent_traces(void);
/* Takes note of a ptrace(2) that it makes. */
CORDON_HIDDEN void cordon_agent_note_trace(const CordonTrap *trap);
/* Whether a process that has one waiting sends itself a signal: it is for its tracer, which it has from now on. */
CORDON_HIDDEN int cordon_agent_signals_tracer(const CordonTrap *trap);
/* tracer.c, only where the process traces others: what it is about to ask of a thread. */
CORDON_HIDDEN void cordon_agent_note_request(uint32_t thread, uint32_t request);
/* wait4(2) for it: the call's result. */
CORDON_HIDDEN long cordon_agent_wait(const CordonTrap *trap);

/* loader.c: maps the program, and builds its stack below `words`, where the kernel has left what it is given. */
typedef struct CordonStartingPoint {
  uint64_t entry, stack;
} CordonStartingPoint;
CORDON_HIDDEN CordonStartingPoint cordon_agent_become(uint64_t *words);

/* What is shared with the launcher; only with CORDON_AGENT_ACCOUNTS. */
static inline CordonAgentArea *cordon_agent_area(void) {
  return (CordonAgentArea *)((uint64_t)&cordon_agent_header + CORDON_AGENT_AREA);
}

/* message.c: one line on standard error: `cordon: WHERE: WHAT`, with a number behind it where that is not negative. */
CORDON_HIDDEN void cordon_agent_say(const char *what, long number, const char *rest);
/* A text with a number behind it. */
CORDON_HIDDEN void cordon_agent_number_text(char *to, size_t limit, const char *text, unsigned long number);

enum { /* asm-generic/errno-base.h */
  CORDON_AGENT_EPERM = 1,
  CORDON_AGENT_ENOENT = 2,
  CORDON_AGENT_E2BIG = 7,
  CORDON_AGENT_ENOEXEC = 8,
  CORDON_AGENT_EAGAIN = 11,
  CORDON_AGENT_EACCES = 13,
  CORDON_AGENT_EEXIST = 17,
  CORDON_AGENT_EISDIR = 21,
  CORDON_AGENT_EINVAL = 22,
  CORDON_AGENT_ESPIPE = 29,
  CORDON_AGENT_ENAMETOOLONG = 36,
  CORDON_AGENT_ENOSYS = 38,
  CORDON_AGENT_ELOOP = 40,
};

enum { /* asm/unistd_64.h */
  NR_write = 1,
  NR_kill = 62,
  NR_rt_sigqueueinfo = 129,
  NR_tkill = 200,
  NR_waitid = 247,
  NR_rt_tgsigqueueinfo = 297,
  NR_close = 3,
  NR_mmap = 9,
  NR_mprotect = 10,
  NR_munmap = 11,
  NR_brk = 12,
  NR_pread64 = 17,
  NR_pwrite64 = 18,
  NR_rt_sigaction = 13,
  NR_rt_sigprocmask = 14,
  NR_rt_sigreturn = 15,
  NR_mremap = 25,
  NR_shmat = 30,
  NR_nanosleep = 35,
  NR_getpid = 39,
  NR_clone = 56,
  NR_fork = 57,
  NR_vfork = 58,
  NR_execve = 59,
  NR_exit = 60,
  NR_rt_sigsuspend = 130,
  NR_sigaltstack = 131,
  NR_fcntl = 72,
  NR_readlink = 89,
  NR_wait4 = 61,
  NR_shmdt = 67,
  NR_ptrace = 101,
  NR_personality = 135,
  NR_prctl = 157,
  NR_gettid = 186,
  NR_tgkill = 234,
  NR_exit_group = 231,
  NR_openat = 257,
  NR_pselect6 = 270,
  NR_ppoll = 271,
  NR_epoll_pwait = 281,
  NR_seccomp = 317,
  NR_getrandom = 318,
  NR_execveat = 322,
  NR_io_pgetevents = 333,
  NR_io_uring_enter = 426,
  NR_pkey_mprotect = 329,
  NR_clone3 = 435,
  NR_faccessat2 = 439,
  NR_epoll_pwait2 = 441,
};

#endif
