/* Setting the engine up: the gate, and taking over SIGSYS. Runs in ordinary code, but without libc all the same, so that
   it also works where there is none. */
#include "signal_path.h"

extern CORDON_HIDDEN const uint8_t cordon_fixed_begin[], cordon_fixed_end[], cordon_fixed_restorer[],
    cordon_fixed_call[], cordon_fixed_called[], cordon_fixed_call80[], cordon_fixed_called80[],
    cordon_fixed_sigreturn[], cordon_fixed_sigreturn80[], cordon_fixed_sigaltstack[], cordon_fixed_shared_syscall[], cordon_fixed_shared_called[],
    cordon_fixed_shared_int80[], cordon_fixed_shared_called80[], cordon_fixed_child[], cordon_fixed_cleared_child[],
    cordon_fixed_child80[], cordon_site_template[], cordon_int80_template[], cordon_fork_template[],
    cordon_fork_template_jump[], cordon_fork80_template[], cordon_fork80_template_jump[], cordon_code32_template[],
    cordon_templates_end[];

CordonEngine cordon_engine;

CORDON_RARE_PATH_BEGIN

#define PROT_READ 1
#define PROT_WRITE 2
#define PROT_EXEC 4
#define MAP_PRIVATE 0x02
#define MAP_ANONYMOUS 0x20
#define MAP_NORESERVE 0x4000

static long raw_call(long number, long a, long b, long c, long d, long e, long f) {
  long result = number;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "+a"(result)
                   : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}

/* Code that lies in one piece: a template, `slots` times, `offset` bytes above the gate. Templates and slots are aligned to
   words, and whole words of them. */
typedef struct {
  uint64_t offset;
  const uint8_t *begin;
  uint64_t width, slots;
  /* The displacement of a jump that each slot has of its own, and what of the fixed page it leads to; NULL where there is none. */
  const uint8_t *jump, *target;
} Part;

/* What the kinds of thunks are, and the fixed page. */
#define PARTS (CORDON_THUNK_KINDS + 1)

static Part part_of(uint32_t kind, const uint32_t slots[CORDON_THUNK_KINDS]) {
  switch (kind) {
  case CordonThunkSite: return (Part){CORDON_SITE_OFFSET, cordon_site_template, 16, slots[kind], NULL, NULL};
  case CordonThunkInt80: return (Part){CORDON_INT80_OFFSET, cordon_int80_template, 16, slots[kind], NULL, NULL};
  case CordonThunkCode32: return (Part){CORDON_CODE32_OFFSET, cordon_code32_template, 16, slots[kind], NULL, NULL};
  case CordonThunkFork:
    return (Part){CORDON_FORK_OFFSET, cordon_fork_template, 32, slots[kind], cordon_fork_template_jump, cordon_fixed_child};
  case CordonThunkCleared:
    return (Part){CORDON_CLEARED_OFFSET, cordon_fork_template, 32, slots[kind], cordon_fork_template_jump,
                  cordon_fixed_cleared_child};
  case CordonThunkFork80:
    return (Part){CORDON_FORK80_OFFSET, cordon_fork80_template, 32, slots[kind], cordon_fork80_template_jump,
                  cordon_fixed_child80};
  default:
    return (Part){0, cordon_fixed_begin, ((uint64_t)(cordon_fixed_end - cordon_fixed_begin) + 7) & ~7ull, 1, NULL, NULL};
  }
}

static void write_part(uint8_t *to, const Part *part) {
  for (uint64_t i = 0; i < part->slots; i++) {
    uint64_t slot = i * part->width;
    cordon_copy_words(to + slot, part->begin, part->width);
    if (part->jump == NULL) continue;
    uint64_t displacement = slot + (uint64_t)(part->jump - part->begin);
    uint64_t next = part->offset + displacement + 4, target = (uint64_t)(part->target - cordon_fixed_begin);
    *(int32_t *)(to + displacement) = (int32_t)(target - next);
  }
}

static void write_code(uint8_t *gate, const uint32_t slots[CORDON_THUNK_KINDS]) {
  for (uint32_t kind = 0; kind < PARTS; kind++) {
    Part part = part_of(kind, slots);
    write_part(gate + part.offset, &part);
  }
}

/* Takes a gate whose code and data are there. */
static void adopt(uint8_t *gate, const uint32_t slots[CORDON_THUNK_KINDS]) {
  for (int kind = 0; kind < CORDON_THUNK_KINDS; kind++) cordon_engine.slots[kind] = slots[kind];
  *(uint64_t *)(gate + CORDON_GATE_SIZE + CORDON_DATA_CHILD) = (uint64_t)cordon_start_child;
  cordon_engine.memory_owner = (uint64_t *)(gate + 2 * CORDON_GATE_SIZE);
#define AT_GATE(label) ((uint64_t)gate + (uint64_t)(label - cordon_fixed_begin))
  cordon_engine.restorer = AT_GATE(cordon_fixed_restorer);
  cordon_engine.call = (CordonGateCall)AT_GATE(cordon_fixed_call);
  cordon_engine.called = AT_GATE(cordon_fixed_called);
  cordon_engine.call80 = (CordonGateCall)AT_GATE(cordon_fixed_call80);
  cordon_engine.called80 = AT_GATE(cordon_fixed_called80);
  cordon_engine.sigreturn_thunk = AT_GATE(cordon_fixed_sigreturn);
  cordon_engine.sigreturn80_thunk = AT_GATE(cordon_fixed_sigreturn80);
  cordon_engine.sigaltstack_thunk = AT_GATE(cordon_fixed_sigaltstack);
  cordon_engine.shared_syscall_thunk = AT_GATE(cordon_fixed_shared_syscall);
  cordon_engine.shared_syscall_called = AT_GATE(cordon_fixed_shared_called);
  cordon_engine.shared_int80_thunk = AT_GATE(cordon_fixed_shared_int80);
  cordon_engine.shared_int80_called = AT_GATE(cordon_fixed_shared_called80);
  cordon_engine.gate = gate;
}

static long make_gate(uint64_t hint, const uint32_t slots[CORDON_THUNK_KINDS]) {
  long size = 2 * CORDON_GATE_SIZE + CORDON_MEMORY_SIZE;
  long at = raw_call(CORDON_NR_mmap, (long)hint, size, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at < 0 && at > -4096) return at;
  uint8_t *gate = (uint8_t *)at;
  write_code(gate, slots);
  /* Never writable and executable at once. */
  long result = raw_call(CORDON_NR_mprotect, at, CORDON_GATE_SIZE, PROT_READ | PROT_EXEC, 0, 0, 0);
  if (result != 0) {
    raw_call(CORDON_NR_munmap, at, size, 0, 0, 0, 0);
    return result;
  }
  adopt(gate, slots);
  return 0;
}

/* Several threads may ask at once; a gate that replaced another one would leave the restorer outside it. */
long cordon_prepare_gate(uint64_t hint, const uint32_t slots[CORDON_THUNK_KINDS]) {
  enum { missing, in_the_making, ready };
  for (;;) {
    uint32_t state = missing;
    if (__atomic_compare_exchange_n((uint32_t *)&cordon_engine.gate_state, &state, in_the_making, 0, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE)) {
      long result = make_gate(hint, slots);
      __atomic_store_n((uint32_t *)&cordon_engine.gate_state, result == 0 ? ready : missing, __ATOMIC_RELEASE);
      return result;
    }
    if (state == ready) return 0;
    __builtin_ia32_pause();
  }
}

static void count_placed(uint32_t slots[CORDON_THUNK_KINDS]) {
  slots[CordonThunkSite] = CORDON_PLACED_SITE_SLOTS;
  slots[CordonThunkInt80] = CORDON_PLACED_INT80_SLOTS;
  slots[CordonThunkFork] = CORDON_PLACED_FORK_SLOTS;
  slots[CordonThunkCleared] = CORDON_PLACED_CLEARED_SLOTS;
  slots[CordonThunkFork80] = CORDON_PLACED_FORK80_SLOTS;
  slots[CordonThunkCode32] = CORDON_PLACED_CODE32_SLOTS;
}

_Static_assert(CORDON_PLACED_SITE_SLOTS * 16 <= CORDON_GATE_PART_LIMIT && CORDON_PLACED_FORK_SLOTS * 32 <= CORDON_GATE_PART_LIMIT &&
                   CORDON_FIXED_SIZE <= CORDON_GATE_PART_LIMIT,
               "every part of a placed gate has room");

uint64_t cordon_gate_part(uint32_t number, void *memory, uint64_t *offset) {
  if (number >= PARTS) return 0;
  uint32_t slots[CORDON_THUNK_KINDS];
  count_placed(slots);
  Part part = part_of(number, slots);
  write_part(memory, &part);
  *offset = part.offset;
  return part.width * part.slots;
}

void cordon_engine_adopt_gate(uint64_t address) {
  uint32_t slots[CORDON_THUNK_KINDS];
  count_placed(slots);
  adopt((uint8_t *)address, slots);
}

void cordon_engine_gate(uint64_t *start, uint64_t *end) {
  *start = (uint64_t)cordon_engine.gate;
  *end = cordon_engine.gate ? *start + CORDON_GATE_SIZE : 0;
}

long cordon_engine_install(const CordonConfiguration *configuration) {
  if (cordon_engine.gate == NULL || configuration->hook == NULL || configuration->step_count == 0)
    return -CORDON_EINVAL;
  uint32_t installed = 0;
  if (!__atomic_compare_exchange_n((uint32_t *)&cordon_engine.installed, &installed, 1, 0, __ATOMIC_ACQ_REL,
                                   __ATOMIC_ACQUIRE))
    return -CORDON_EBUSY;
  cordon_copy_words(&cordon_engine.configuration, configuration, sizeof *configuration);
  cordon_engine.configuration.uses_dispatch |= configuration->dispatch.operation != 0;
  if (cordon_engine.configuration.uses_dispatch) cordon_dispatch_configure(&configuration->dispatch);
  /* The program's own disposition is read first, since the flags of ours depend on it. */
  KernelSigaction found;
  cordon_table_start(configuration->steps, configuration->step_count);
  long result = cordon_engine.call(CORDON_NR_rt_sigaction, CORDON_SIGSYS, 0, (long)&found, 8, 0, 0);
  if (result == 0) cordon_begin_with_action(&found);
  if (result == 0) result = cordon_take_sigsys();
  if (result != 0) {
    __atomic_store_n((uint32_t *)&cordon_engine.installed, 0, __ATOMIC_RELEASE);
    return result;
  }
  /* From here on a call that a filter of the program's own traps fails, and no longer kills. */
  cordon_enlarge_calling_stack();
  cordon_note_memory_owner();
  return result;
}

void cordon_engine_uninstall(void) {
  if (!cordon_engine_is_installed()) return;
  cordon_give_back_request_signal();
  cordon_restore_own_sigaction();
  cordon_restore_calling_stack();
  __atomic_store_n((uint32_t *)&cordon_engine.installed, 0, __ATOMIC_RELEASE);
}

int cordon_engine_is_installed(void) {
  return __atomic_load_n((uint32_t *)&cordon_engine.installed, __ATOMIC_ACQUIRE) != 0;
}

void cordon_engine_counters(CordonCounters *counters) {
#define READ(name) counters->name = __atomic_load_n((uint64_t *)&cordon_engine.counters.name, __ATOMIC_RELAXED)
  READ(traps);
  READ(hooked);
  READ(passed);
  READ(permitted);
  READ(unasked);
  READ(refused);
  READ(forwarded);
  READ(sites);
  READ(shared_thunks);
}

long cordon_gate_call(long number, long a, long b, long c, long d, long e, long f) {
  return cordon_engine.call(number, a, b, c, d, e, f);
}

#define SECCOMP_SET_MODE_FILTER 1

long cordon_seccomp_load(const void *instructions, uint16_t count, uint32_t flags) {
  struct {
    uint16_t length;
    const void *instructions;
  } program;
  program.length = count;
  program.instructions = instructions;
  return raw_call(CORDON_NR_seccomp, SECCOMP_SET_MODE_FILTER, (long)flags, (long)&program, 0, 0, 0);
}

long cordon_seccomp_probe(uint32_t flags) {
  /* The kernel looks at the flags before it reads the program: EFAULT says that it knows them. No program can lie at the
     last address; at 0 one can. */
  long result = raw_call(CORDON_NR_seccomp, SECCOMP_SET_MODE_FILTER, (long)flags, -1, 0, 0, 0);
  return result == -CORDON_EFAULT ? 0 : result;
}

CORDON_SIGNAL_PATH_END
