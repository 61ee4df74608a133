/* Children that want to be traced while they share their parent's memory, as debuggers make them with vfork(2). Every trap
   would stop them for a tracer that waits until they execute a program, so they are traced from then on. */
#include "agent.h"

CORDON_AGENT_BEGIN

#define PTRACE_TRACEME 0

static int64_t wishes[16]; /* processes */

static int change(int64_t from, int64_t to) {
  for (size_t i = 0; i < sizeof wishes / sizeof wishes[0]; i++) {
    int64_t found = from;
    if (__atomic_compare_exchange_n(&wishes[i], &found, to, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) return 1;
  }
  return 0;
}

static int64_t this_process(void) { return cordon_agent_call(NR_getpid, 0, 0, 0, 0, 0, 0); }

int cordon_agent_postpones_trace(const CordonTrap *trap) {
  if ((uint32_t)trap->arguments[0] != PTRACE_TRACEME || !cordon_borrows_memory()) return 0;
  (void)change(this_process(), 0); /* of an earlier one of that number, which never got that far */
  if (!change(0, this_process())) return 0;
  cordon_agent_begins_to_trace(); /* in the memory of the one who will */
  return 1;
}

int cordon_agent_is_to_be_traced(void) {
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
  (void)change(this_process(), 0);
  cordon_agent_call(NR_ptrace, PTRACE_TRACEME, 0, 0, 0, 0, 0);
}

CORDON_AGENT_END
