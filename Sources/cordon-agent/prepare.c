/* Sets the engine up in a program that has just been executed. The filter is there already, inherited, so every call is
   made from the exempt range. */
#include "agent.h"
#include "../TrapEngine/gate_layout.h"

_Static_assert(CORDON_AGENT_GATE + CORDON_GATE_SIZE == CORDON_AGENT_EXEMPT_END, "the exempt range ends with the gate");
_Static_assert(CORDON_AGENT_GATE + 2 * CORDON_GATE_SIZE + CORDON_MEMORY_SIZE <= CORDON_AGENT_DATA, "the gate's data has room");

CORDON_AGENT_BEGIN

#define PROT_READ 1
#define PROT_WRITE 2
#define MAP_PRIVATE 0x02
#define MAP_ANONYMOUS 0x20
#define MAP_NORESERVE 0x4000
#define MAP_FIXED_NOREPLACE 0x100000
#define MAP_SHARED 0x01
#define DEFECT 70

/* Everything traps, and the hook decides. */
static const CordonStep steps[1] = {{0, CORDON_NO_REGION, 1}};

static void fail(const char *what, long error) {
  cordon_agent_say(what, -error, NULL);
  for (;;) cordon_agent_call(NR_exit_group, DEFECT, 0, 0, 0, 0, 0);
}

static void share_area(uint64_t base) {
  long descriptor = cordon_agent_ask(CORDON_QUESTION_AREA, 0);
  if (descriptor < 0) fail("the launcher gives the agent no memory: error ", descriptor);
  long area = (long)(base + CORDON_AGENT_AREA);
  long at = cordon_agent_call(NR_mmap, area, CORDON_AREA_SIZE, PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_FIXED_NOREPLACE, descriptor, 0);
  cordon_agent_call(NR_close, descriptor, 0, 0, 0, 0, 0);
  if (at != area) fail("the agent's shared memory cannot be mapped: error ", at);
  long result = cordon_agent_make_thunks();
  if (result != 0) fail("the agent's thunks cannot be made: error ", result);
}

void cordon_agent_prepare(uint64_t inherited) {
  uint64_t base = (uint64_t)&cordon_agent_header, data = base + CORDON_AGENT_EXEMPT_END;
  long at = cordon_agent_call(NR_mmap, (long)data, (long)((uint64_t)cordon_agent_data_end - data), PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
  if (at != (long)data) fail("the agent's data cannot be mapped: error ", at);
  cordon_engine_adopt_gate(base + CORDON_AGENT_GATE);
  if (cordon_agent_header.duties & CORDON_AGENT_ACCOUNTS) share_area(base);
  CordonConfiguration configuration;
  for (size_t i = 0; i < sizeof configuration; i++) ((volatile uint8_t *)&configuration)[i] = 0;
  configuration.steps = steps;
  configuration.step_count = 1;
  configuration.hook = cordon_agent_hook;
  configuration.trap_data = CORDON_AGENT_TRAP_DATA;
  configuration.shows_blocked_sigsys = 1;
  configuration.reads_thread_pointers = cordon_agent_header.duties & CORDON_AGENT_READS_THREAD_POINTERS;
  if (cordon_agent_header.duties & CORDON_AGENT_DISPATCHES) {
    configuration.dispatch.operation = 1; /* exclusive: all calls but those from this range */
    configuration.dispatch.offset = base;
    configuration.dispatch.length = CORDON_AGENT_EXEMPT_END;
    configuration.dispatch_follows = 1;
  }
  long result = cordon_engine_install(&configuration);
  if (result != 0) fail("the agent cannot take over SIGSYS: error ", result);
  cordon_sigsys_inherit((uint32_t)inherited);
  if (cordon_agent_header.duties & CORDON_AGENT_DISPATCHES) {
    result = cordon_dispatch_arm(NULL);
    if (result != 0) fail("the agent cannot switch syscall user dispatch on: error ", result);
  }
}

CORDON_AGENT_END
