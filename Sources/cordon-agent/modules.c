/* Which modules lie in this memory. The launcher's table is shared with the processes that were forked off, or that forked
   this one off, and those map other code where this one has some: so this is in memory of one's own, which a child has as its
   parent had it. */
#include "agent.h"
#include "../TrapEngine/signal_path.h"

CORDON_AGENT_BEGIN

#define PAGE 4096ull
#define ATTEMPTS 8

static uint32_t turns[CORDON_AREA_MODULES]; /* by module: its turn in the table where it lies in this memory, or 0 */
static uint32_t changes;                    /* of what lies where */

static const CordonModule *module_of(uint32_t number) { return cordon_area_module(cordon_agent_area(), number - 1); }

int cordon_agent_has_module(uint32_t number) {
  uint32_t turn = __atomic_load_n(&turns[(number - 1) % CORDON_AREA_MODULES], __ATOMIC_ACQUIRE);
  return turn != 0 && turn == cordon_module_turn(module_of(number));
}

uint32_t cordon_agent_known_module(uint64_t address) {
  uint32_t number = __atomic_load_n(&cordon_agent_area()->modules, __ATOMIC_ACQUIRE);
  for (; number > 0; number--) {
    const CordonModule *module = module_of(number);
    if (cordon_agent_has_module(number) && module->start <= address && address < module->end) return number;
  }
  return 0;
}

/* Takes the modules of these numbers for ones that are here, or for ones that are not. */
static void learn(uint32_t first, uint32_t count, int are_here) {
  for (uint32_t number = first; number < first + count && number <= CORDON_AREA_MODULES; number++)
    __atomic_store_n(&turns[number - 1], are_here ? cordon_module_turn(module_of(number)) : 0, __ATOMIC_SEQ_CST);
}

uint32_t cordon_agent_module_at(uint64_t address) {
  uint32_t number = 0;
  for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
    uint32_t known = cordon_agent_known_module(address);
    if (known != 0) return known;
    uint32_t before = __atomic_load_n(&changes, __ATOMIC_SEQ_CST);
    long answer = cordon_agent_ask_of_area(CORDON_QUESTION_MODULE, address, cordon_agent_area()->number);
    if (answer <= 0) return 0;
    number = (uint32_t)answer & 0xffff;
    uint32_t first = ((uint32_t)(answer >> 16) & 0xffff) + 1, count = (uint32_t)(answer >> 32);
    if (number != 0) learn(number, 1, 1);
    learn(first, count, 1);
    if (__atomic_load_n(&changes, __ATOMIC_SEQ_CST) == before) return number;
    /* What the launcher has seen need not be there any more. */
    if (number != 0) learn(number, 1, 0);
    learn(first, count, 0);
  }
  return number;
}

static int overlaps(const CordonModule *module, uint64_t start, uint64_t length) {
  uint64_t end = start + ((length + PAGE - 1) & ~(PAGE - 1));
  return start < module->end && module->start < (end < start ? UINT64_MAX : end);
}

/* A writability that it may have is not looked at where it is ANY. */
#define ANY 2

static uint32_t next_touched(uint32_t number, uint64_t start, uint64_t length, int is_writable) {
  uint32_t count = __atomic_load_n(&cordon_agent_area()->modules, __ATOMIC_ACQUIRE);
  for (number++; number <= count; number++) {
    const CordonModule *module = module_of(number);
    if (overlaps(module, start, length) && (is_writable == ANY || module->is_writable != is_writable)) return number;
  }
  return 0;
}

static void forget(uint64_t start, uint64_t length, int is_writable) {
  __atomic_fetch_add(&changes, 1, __ATOMIC_SEQ_CST);
  for (uint32_t number = 0; (number = next_touched(number, start, length, is_writable)) != 0;) learn(number, 1, 0);
}

void cordon_agent_unmapped(uint64_t start, uint64_t length) { forget(start, length, ANY); }

/* Other code, or none, or code that comes to be writable or not any more: where a call may bring that. */
typedef struct {
  uint64_t start, length;
  int is_writable; /* afterwards; ANY where all changes */
} Span;

#define PROT_WRITE 2
#define PROT_EXEC 4
#define MAP_FIXED 0x10
#define MREMAP_FIXED 2
#define SHM_REMAP 040000

/* By `int $0x80`, which hardly a program does: all of it. */
static int old_spans(const CordonTrap *trap, Span *spans) {
  switch (trap->number) {
  case 45:          /* brk */
  case 90: case 91: /* mmap with its arguments in memory, munmap */
  case 117:         /* ipc */
  case 125: case 163: case 192: /* mprotect, mremap, mmap2 */
  case 380:         /* pkey_mprotect */
  case 397: case 398: /* shmat, shmdt */
    spans[0] = (Span){0, UINT64_MAX - PAGE, ANY};
    return 1;
  default: return 0;
  }
}

static int spans_of(const CordonTrap *trap, Span spans[2]) {
  if (trap->architecture != CORDON_ARCH_X86_64) return old_spans(trap, spans);
  const uint64_t *arguments = trap->arguments;
  spans[0] = (Span){arguments[0], arguments[1], ANY};
  switch (trap->number & ~CORDON_X32_BIT) {
  case NR_mremap:
    spans[1] = (Span){arguments[4], arguments[2], ANY};
    return arguments[3] & MREMAP_FIXED ? 2 : 1;
  case NR_mmap: return (arguments[3] & MAP_FIXED) != 0;
  case NR_munmap: return 1;
  case NR_mprotect:
  case NR_pkey_mprotect:
    spans[0].is_writable = (arguments[2] & PROT_WRITE) != 0;
    return (arguments[2] & PROT_EXEC) != 0; /* what cannot be executed does not call */
  case NR_brk:
    spans[0].length = 1;
    return 1;
  case NR_shmat: /* of a length that is not known here */
    spans[0] = (Span){arguments[1], UINT64_MAX - PAGE - arguments[1], ANY};
    return (arguments[2] & SHM_REMAP) != 0;
  case NR_shmdt:
    spans[0].length = UINT64_MAX - PAGE - arguments[0];
    return 1;
  default: return 0;
  }
}

void cordon_agent_notice_change(const CordonTrap *trap) {
  Span spans[2];
  int count = spans_of(trap, spans);
  for (int i = 0; i < count; i++) forget(spans[i].start, spans[i].length, spans[i].is_writable);
}

/* Not where the thread's own stack changes as well, on which it stands. */
int cordon_agent_changes_code(const CordonTrap *trap) {
  Span spans[2];
  int count = spans_of(trap, spans), changes_some = 0;
  if (trap->architecture != CORDON_ARCH_X86_64) return 0;
  for (int i = 0; i < count; i++) {
    uint64_t start = spans[i].start, length = spans[i].length;
    if (trap->registers->rsp - start < length || (uint64_t)__builtin_frame_address(0) - start < length) return 0;
    changes_some |= next_touched(0, start, length, spans[i].is_writable) != 0;
  }
  return changes_some;
}

CORDON_AGENT_END
