/* Processes that want to be traced by their parents, as debuggers make them. Every trap would stop them for a tracer that
   waits until they execute a program, until they send themselves a signal, or until they fault, so they are traced from then
   on. */
#include "agent.h"
#include "../TrapEngine/signal_path.h"

CORDON_AGENT_BEGIN

#define PTRACE_TRACEME 0

static int64_t wishes[16]; /* processes that borrow this memory, by vfork(2) */
static int64_t own_wish;   /* the process, where it is this one */
static uint32_t traces; /* this process has traced something */

int cordon_agent_traces(void) { return __atomic_load_n(&traces, __ATOMIC_ACQUIRE) != 0; }

static void begin_to_trace(void) { __atomic_store_n(&traces, 1, __ATOMIC_RELEASE); }

void cordon_agent_note_trace(const CordonTrap *trap) {
  uint32_t request = (uint32_t)trap->arguments[0], thread = (uint32_t)trap->arguments[1];
  if (request == PTRACE_TRACEME) return;
  begin_to_trace();
  cordon_agent_note_request(thread, request);
}

static int change(int64_t from, int64_t to) {
  for (size_t i = 0; i < sizeof wishes / sizeof wishes[0]; i++) {
    int64_t found = from;
    if (__atomic_compare_exchange_n(&wishes[i], &found, to, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) return 1;
  }
  return 0;
}

static int64_t this_process(void) { return cordon_agent_call(NR_getpid, 0, 0, 0, 0, 0, 0); }

#define INT3 0xcc
#define SIGTRAP 5
static const int32_t fault_signals[] = {4 /* SIGILL */, SIGTRAP, 7 /* SIGBUS */, 8 /* SIGFPE */, 11 /* SIGSEGV */};
#define FAULTS (sizeof fault_signals / sizeof fault_signals[0])
static KernelSigaction fault_actions[FAULTS]; /* the program's */

/* The process is traced, and faults again. */
static void fault(int signal, KernelSiginfo *info, KernelUcontext *context) {
  (void)info;
  cordon_agent_trace_begin();
  if (signal == SIGTRAP && *(const uint8_t *)(context->registers.rip - 1) == INT3) context->registers.rip--;
}

static void watch_faults(void) {
  KernelSigaction ours;
  ours.handler = (uint64_t)fault;
  ours.flags = CORDON_SA_SIGINFO | CORDON_SA_NODEFER | CORDON_SA_ONSTACK | CORDON_SA_RESTORER;
  ours.restorer = cordon_engine.restorer;
  ours.mask = 0;
  for (size_t i = 0; i < FAULTS; i++)
    cordon_agent_call(NR_rt_sigaction, fault_signals[i], (long)&ours, (long)&fault_actions[i], 8, 0, 0);
}

static void give_back_faults(void) {
  for (size_t i = 0; i < FAULTS; i++) {
    KernelSigaction found;
    long result = cordon_agent_call(NR_rt_sigaction, fault_signals[i], 0, (long)&found, 8, 0, 0);
    if (result == 0 && found.handler == (uint64_t)fault)
      cordon_agent_call(NR_rt_sigaction, fault_signals[i], (long)&fault_actions[i], 0, 8, 0, 0);
  }
}

/* A process that was forked off one with a wish has none. */
static int has_own_wish(void) {
  if (own_wish == 0 || cordon_borrows_memory()) return 0;
  if (own_wish != this_process()) {
    own_wish = 0;
    give_back_faults();
  }
  return own_wish != 0;
}

int cordon_agent_postpones_trace(const CordonTrap *trap, CordonVerdict *verdict) {
  if ((uint32_t)trap->arguments[0] != PTRACE_TRACEME) return 0;
  verdict->kind = CordonVerdictValue;
  if (!cordon_borrows_memory()) {
    if (has_own_wish()) {
      verdict->value = -CORDON_AGENT_EPERM;
      return 1;
    }
    own_wish = this_process();
    watch_faults();
    return 1;
  }
  (void)change(this_process(), 0); /* of an earlier one of that number, which never got that far */
  if (!change(0, this_process())) {
    verdict->kind = CordonVerdictPass;
    return 0;
  }
  begin_to_trace(); /* in the memory of the one who will */
  return 1;
}

/* Whether the call sends this process a signal, and not others as well. */
static int signals_itself(const CordonTrap *trap) {
  if (trap->architecture != CORDON_ARCH_X86_64) return 0;
  int64_t to = (int32_t)trap->arguments[0];
  switch (trap->number) {
  case NR_tkill: return to == cordon_agent_call(NR_gettid, 0, 0, 0, 0, 0, 0);
  case NR_kill:
  case NR_tgkill:
  case NR_rt_sigqueueinfo:
  case NR_rt_tgsigqueueinfo: return to == own_wish;
  default: return 0;
  }
}

int cordon_agent_signals_tracer(const CordonTrap *trap) {
  if (!has_own_wish() || !signals_itself(trap)) return 0;
  cordon_agent_trace_begin();
  return 1;
}

int cordon_agent_is_to_be_traced(void) {
  if (has_own_wish()) return 1;
  int64_t process = 0;
  for (size_t i = 0; i < sizeof wishes / sizeof wishes[0]; i++) {
    int64_t wish = __atomic_load_n(&wishes[i], __ATOMIC_ACQUIRE);
    if (wish == 0) continue;
    if (process == 0) process = this_process();
    if (wish == process && cordon_borrows_memory()) return 1;
  }
  return 0;
}

void cordon_agent_trace_begin(void) {
  if (has_own_wish()) {
    own_wish = 0;
    give_back_faults();
  } else {
    (void)change(this_process(), 0);
  }
  cordon_agent_call(NR_ptrace, PTRACE_TRACEME, 0, 0, 0, 0, 0);
}

CORDON_AGENT_END
