/* Children that want to be traced while they share their parent's memory, as debuggers make them with vfork(2). Every trap
   would stop them for a tracer that waits until they execute a program, so they are traced from then on. */
#include "agent.h"

CORDON_AGENT_BEGIN

#define PTRACE_TRACEME 0

static int64_t wishes[16]; /* processes */
static uint32_t traces; /* this process has traced something */
static uint64_t resumptions[256]; /* by thread: its id, and in the upper half the request by which it goes on */

int cordon_agent_traces(void) { return __atomic_load_n(&traces, __ATOMIC_ACQUIRE) != 0; }

static void begin_to_trace(void) { __atomic_store_n(&traces, 1, __ATOMIC_RELEASE); }

static uint64_t *resumption(long thread) { return &resumptions[(uint64_t)thread % (sizeof resumptions / sizeof resumptions[0])]; }

void cordon_agent_note_trace(const CordonTrap *trap) {
  uint32_t request = (uint32_t)trap->arguments[0], thread = (uint32_t)trap->arguments[1];
  if (request == PTRACE_TRACEME) return;
  begin_to_trace();
  __atomic_store_n(resumption(thread), (uint64_t)request << 32 | thread, __ATOMIC_RELAXED);
}

uint32_t cordon_agent_last_request(long thread) {
  uint64_t found = __atomic_load_n(resumption(thread), __ATOMIC_RELAXED);
  return (uint32_t)found == (uint32_t)thread ? (uint32_t)(found >> 32) : 0;
}

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
  begin_to_trace(); /* in the memory of the one who will */
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
