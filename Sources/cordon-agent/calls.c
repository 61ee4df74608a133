/* Calls that are timed. A CordonCall is claimed at the trap; its thunk marks it done when the call has returned; and whoever
   claims it next takes note of what it says, so that nothing but the thunk runs between the call and its site. */
#include "agent.h"

extern CORDON_HIDDEN const uint8_t cordon_agent_thunk_template[];
extern CORDON_HIDDEN const uint8_t cordon_agent_child_thunk_template[];
extern CORDON_HIDDEN const uint8_t cordon_agent_call_returned[];

CORDON_AGENT_BEGIN

#define PROT_READ 1
#define PROT_WRITE 2
#define PROT_EXEC 4
#define MAP_PRIVATE 0x02
#define MAP_ANONYMOUS 0x20
#define MAP_FIXED 0x10
#define THUNK_SIZE 32
#define CHILD_THUNK_SIZE 64
#define SYSCALL_LENGTH 2

/* By CordonCall, in memory that is this process's: where the child goes on, and whether it has yet to take that. */
static uint64_t children[CORDON_AGENT_CHILD_THUNKS];
static uint8_t awaited[CORDON_AGENT_CHILD_THUNKS];

static uint32_t index_of(const CordonCall *call) { return (uint32_t)(call - cordon_area_call(cordon_agent_area(), 0)); }

static uint64_t thunk_at(uint32_t index) {
  return (uint64_t)&cordon_agent_header + CORDON_AGENT_CALLS + (uint64_t)index * THUNK_SIZE;
}

static uint64_t child_thunk_at(uint32_t index) {
  return (uint64_t)&cordon_agent_header + CORDON_AGENT_CHILD_CALLS + (uint64_t)index * CHILD_THUNK_SIZE;
}

CordonCall *cordon_agent_call_of_thunk(uint64_t thunk) {
  return cordon_area_call(cordon_agent_area(), (thunk - thunk_at(0)) / THUNK_SIZE);
}

uint64_t cordon_agent_thunk(CordonCall *call) {
  uint64_t thunk = thunk_at(index_of(call));
  call->back = thunk + 14; /* what follows the jump to cordon_agent_call_returned */
  return thunk;
}

uint64_t cordon_agent_child_thunk(CordonCall *call, uint64_t thunk, int shares_memory) {
  uint32_t index = index_of(call);
  if (index >= CORDON_AGENT_CHILD_THUNKS) return 0;
  call->back = child_thunk_at(index) + 19;
  children[index] = thunk + SYSCALL_LENGTH;
  __atomic_store_n(&awaited[index], shares_memory ? 1 : 0, __ATOMIC_RELEASE);
  return child_thunk_at(index);
}

static void stamp(uint64_t thunk, const uint8_t *template, uint32_t size) {
  for (uint32_t word = 0; word < size / 8; word++)
    ((volatile uint64_t *)thunk)[word] = ((const uint64_t *)template)[word];
}

static void fill_in(uint64_t thunk, uint32_t offset, uint32_t end, uint64_t target) {
  *(volatile int32_t *)(thunk + offset) = (int32_t)(target - (thunk + end));
}

/* The displacements of what follows the call in both kinds of thunks, from `offset` on. */
static void fill_in_call(uint64_t thunk, uint32_t offset, CordonCall *call) {
  fill_in(thunk, offset + 3, offset + 7, (uint64_t)call);
  fill_in(thunk, offset + 8, offset + 12, (uint64_t)cordon_agent_call_returned);
  fill_in(thunk, offset + 15, offset + 19, (uint64_t)&call->resume);
  fill_in(thunk, offset + 21, offset + 26, (uint64_t)&call->state);
}

long cordon_agent_make_thunks(void) {
  long size = CORDON_AGENT_GATE - CORDON_AGENT_CALLS;
  long start = (long)thunk_at(0);
  long at = cordon_agent_call(NR_mmap, start, size, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0); /* the agent's file has nothing there */
  if (at != start) return at;
  for (uint32_t i = 0; i < CORDON_AREA_CALLS; i++) {
    stamp(thunk_at(i), cordon_agent_thunk_template, THUNK_SIZE);
    fill_in_call(thunk_at(i), SYSCALL_LENGTH, cordon_area_call(cordon_agent_area(), i));
  }
  for (uint32_t i = 0; i < CORDON_AGENT_CHILD_THUNKS; i++) {
    uint64_t thunk = child_thunk_at(i);
    stamp(thunk, cordon_agent_child_thunk_template, CHILD_THUNK_SIZE);
    fill_in_call(thunk, 7, cordon_area_call(cordon_agent_area(), i));
    fill_in(thunk, 38, 42, (uint64_t)&children[i]);
    fill_in(thunk, 44, 49, (uint64_t)&awaited[i]);
  }
  return cordon_agent_call(NR_mprotect, start, size, PROT_READ | PROT_EXEC, 0, 0, 0);
}

static int is_error(uint64_t result) { return (int64_t)result < 0 && (int64_t)result >= -4095; }

/* The call has returned; nobody else has it. */
static void take_note(const CordonCall *call) {
  CordonAgentArea *area = cordon_agent_area();
  CordonSite *site = cordon_area_site(area, call->site);
  __atomic_fetch_add(&site->ticks, call->ended - call->began, __ATOMIC_RELAXED);
  __atomic_fetch_add(&site->timed, 1, __ATOMIC_RELAXED);
  if (is_error(call->result)) __atomic_fetch_add(&site->errors, 1, __ATOMIC_RELAXED);
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

/* Whether a thread that the last call has made has yet to go on from there. One that failed has made none. */
static int is_awaited(const CordonCall *call, uint64_t index) {
  return index < CORDON_AGENT_CHILD_THUNKS && __atomic_load_n(&awaited[index], __ATOMIC_ACQUIRE) &&
         !is_error(__atomic_load_n(&call->result, __ATOMIC_RELAXED));
}

CordonCall *cordon_agent_claim(uint64_t stack_pointer) {
  CordonAgentArea *area = cordon_agent_area();
  /* Threads have stacks of their own, so each comes back to a place of its own; a few threads stay at the beginning. */
  uint64_t index = (((stack_pointer >> 16) * 0x9e3779b97f4a7c15ull) >> 58);
  for (uint32_t probe = 0; probe < CORDON_AREA_CALLS - 64; probe++, index++) {
    CordonCall *call = cordon_area_call(area, index);
    uint8_t state = __atomic_load_n(&call->state, __ATOMIC_ACQUIRE);
    if ((state != CordonCallFree && state != CordonCallDone) || is_awaited(call, index)) continue;
    uint8_t next = state == CordonCallDone ? CordonCallNoted : CordonCallClaimed;
    if (!__atomic_compare_exchange_n(&call->state, &state, next, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) continue;
    if (state == CordonCallDone) {
      take_note(call);
      __atomic_store_n(&call->state, CordonCallClaimed, __ATOMIC_RELEASE);
    }
    uint32_t end = __atomic_load_n(&area->calls_end, __ATOMIC_RELAXED);
    while (end <= index && !__atomic_compare_exchange_n(&area->calls_end, &end, (uint32_t)index + 1, 0, __ATOMIC_RELEASE,
                                                         __ATOMIC_RELAXED)) {
    }
    return call;
  }
  return NULL;
}

void cordon_agent_give_back(CordonCall *call) { cordon_call_free(call); }

CORDON_AGENT_END
