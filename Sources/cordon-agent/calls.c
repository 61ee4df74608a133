/* Calls that are timed. A CordonCall is claimed at the trap; its thunk marks it done when the call has returned; and whoever
   claims it next takes note of what it says, so that nothing but the thunk runs between the call and its site. */
#include "agent.h"

extern CORDON_HIDDEN const uint8_t cordon_agent_thunk_template[];
extern CORDON_HIDDEN const uint8_t cordon_agent_call_returned[];

CORDON_AGENT_BEGIN

#define PROT_READ 1
#define PROT_WRITE 2
#define PROT_EXEC 4
#define MAP_PRIVATE 0x02
#define MAP_ANONYMOUS 0x20
#define MAP_FIXED_NOREPLACE 0x100000
#define THUNK_SIZE 32

static uint64_t thunks(void) { return (uint64_t)&cordon_agent_header + CORDON_AGENT_CALLS; }

uint64_t cordon_agent_thunk(uint32_t index) { return thunks() + (uint64_t)index * THUNK_SIZE; }

static void fill_in(uint64_t thunk, uint32_t offset, uint32_t end, uint64_t target) {
  *(volatile int32_t *)(thunk + offset) = (int32_t)(target - (thunk + end));
}

long cordon_agent_make_thunks(void) {
  long size = THUNK_SIZE * CORDON_AREA_CALLS;
  long at = cordon_agent_call(NR_mmap, (long)thunks(), size, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  if (at != (long)thunks()) return at < 0 ? at : -17 /* EEXIST */;
  for (uint32_t i = 0; i < CORDON_AREA_CALLS; i++) {
    uint64_t thunk = cordon_agent_thunk(i);
    for (uint32_t word = 0; word < THUNK_SIZE / 8; word++)
      ((volatile uint64_t *)thunk)[word] = ((const uint64_t *)cordon_agent_thunk_template)[word];
    CordonCall *call = cordon_area_call(cordon_agent_area(), i);
    fill_in(thunk, 5, 9, (uint64_t)call);
    fill_in(thunk, 10, 14, (uint64_t)cordon_agent_call_returned);
    fill_in(thunk, 17, 21, (uint64_t)&call->resume);
    fill_in(thunk, 23, 28, (uint64_t)&call->state);
  }
  return cordon_agent_call(10 /* mprotect */, (long)thunks(), size, PROT_READ | PROT_EXEC, 0, 0, 0);
}

/* The call has returned; nobody else has it. */
static void take_note(const CordonCall *call) {
  CordonAgentArea *area = cordon_agent_area();
  CordonSite *site = cordon_area_site(area, call->site);
  __atomic_fetch_add(&site->ticks, call->ended - call->began, __ATOMIC_RELAXED);
  __atomic_fetch_add(&site->timed, 1, __ATOMIC_RELAXED);
  if ((int64_t)call->result < 0 && (int64_t)call->result >= -4095)
    __atomic_fetch_add(&site->errors, 1, __ATOMIC_RELAXED);
  if (!(cordon_agent_header.duties & CORDON_AGENT_LOGS)) return;
  CordonRecord record;
  record.key = site->key;
  record.module = site->module;
  record.began = call->began;
  record.ended = call->ended;
  record.result = (int64_t)call->result;
  for (int i = 0; i < 6; i++) record.arguments[i] = call->arguments[i];
  record.thread = call->thread;
  record.process = call->process;
  record.has_result = 1;
  cordon_agent_record(&record);
}

CordonCall *cordon_agent_claim(uint64_t stack_pointer) {
  CordonAgentArea *area = cordon_agent_area();
  /* Threads have stacks of their own, so each comes back to a place of its own; a few threads stay at the beginning. */
  uint64_t index = (((stack_pointer >> 16) * 0x9e3779b97f4a7c15ull) >> 58);
  for (uint32_t probe = 0; probe < CORDON_AREA_CALLS - 64; probe++, index++) {
    CordonCall *call = cordon_area_call(area, index);
    uint8_t state = __atomic_load_n(&call->state, __ATOMIC_RELAXED);
    if (state == CordonCallOpen) continue;
    if (!__atomic_compare_exchange_n(&call->state, &state, CordonCallOpen, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
      continue;
    if (state == CordonCallDone) take_note(call);
    uint32_t end = __atomic_load_n(&area->calls_end, __ATOMIC_RELAXED);
    while (end <= index && !__atomic_compare_exchange_n(&area->calls_end, &end, (uint32_t)index + 1, 0, __ATOMIC_RELEASE,
                                                         __ATOMIC_RELAXED)) {
    }
    return call;
  }
  return NULL;
}

CORDON_AGENT_END
