/* The agent: the trap engine in a program that knows nothing of it. No libc, no TLS, no FPU registers, nothing that
   needs relocation; everything here may run inside a signal or before the program's first instruction. */
#ifndef CORDON_AGENT_H
#define CORDON_AGENT_H

#include "AgentInterface.h"
#include "TrapEngine.h"

#define CORDON_AGENT_BEGIN                                                                                      \
  _Pragma("clang attribute push(__attribute__((no_stack_protector, target(\"general-regs-only\"))), apply_to = function)")
#define CORDON_AGENT_END _Pragma("clang attribute pop")
#define CORDON_HIDDEN __attribute__((visibility("hidden")))

extern CORDON_HIDDEN const CordonAgentHeader cordon_agent_header;
extern CORDON_HIDDEN uint8_t cordon_agent_data_end[];

/* start.S: a system call that is exempt. */
CORDON_HIDDEN long cordon_agent_call(long number, long a, long b, long c, long d, long e, long f);

/* prepare.c: runs once in every program, before its first instruction. */
CORDON_HIDDEN void cordon_agent_prepare(void);

/* hook.c: what becomes of a trapped call. */
CORDON_HIDDEN CordonVerdict cordon_agent_hook(CordonTrap *trap, void *context);

/* message.c: one line on standard error: `cordon: WHERE: WHAT`, with a number behind it where that is not negative. */
CORDON_HIDDEN void cordon_agent_say(const char *what, long number, const char *rest);

enum { /* asm/unistd_64.h */
  NR_write = 1,
  NR_mmap = 9,
  NR_execve = 59,
  NR_exit_group = 231,
  NR_execveat = 322,
};

#endif
