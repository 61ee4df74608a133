/* Puts modules that are to be trapped into the arena, where the filter traps. A loader maps a module's whole span first, at an
   address that it leaves to the kernel, and then the parts over it: so it is enough to choose that first address. The span is
   of the module's file, or, where that asks for a greater alignment than a page's, memory that nobody may access yet. */
#include "agent.h"

CORDON_AGENT_BEGIN

#define PROT_EXEC 4
#define MAP_PRIVATE 0x02
#define MAP_FIXED 0x10
#define MAP_ANONYMOUS 0x20
#define MAP_32BIT 0x40
#define MAP_FIXED_NOREPLACE 0x100000
#define PAGE 4096ull
#define GAP 0x200000ull /* to the next module, and its alignment */
#define NO_FILE (-1)
#define NOWHERE (-CORDON_AGENT_EEXIST)

static uint64_t used; /* bytes of the arena that have been given out, each for the first time */

/* What has been given out: a module that is loaded anew goes where it was, or where one of its size was, so that neither
   the arena nor the books fill up with places that nobody is at any more. */
static struct {
  uint64_t address, length;
} places[256];
static uint32_t placed;

/* The descriptor of the last file that the launcher was asked about, plus 1, until its code is mapped. */
static uint64_t asked;

/* Whether the file of the descriptor, or with NO_FILE one that the program has open, is a module to be trapped. With
   `is_astray` the launcher says of such a module that its calls will not be. */
static int is_to_be_placed(int32_t descriptor, int is_astray) {
  return cordon_agent_call(NR_execveat, CORDON_QUESTION_PLACE, descriptor, is_astray, 0, CORDON_AGENT_ASKS, 0) == 1;
}

static long map_at(uint64_t address, const uint64_t *arguments) {
  long at = cordon_agent_call(NR_mmap, (long)address, (long)arguments[1], (long)arguments[2],
                              (long)(arguments[3] | MAP_FIXED_NOREPLACE), (long)arguments[4], (long)arguments[5]);
  /* Whatever was known of the place was unmapped by a call that has not trapped. */
  if (at == (long)address && cordon_agent_header.duties & CORDON_AGENT_ACCOUNTS) cordon_agent_unmapped(address, arguments[1]);
  return at;
}

static void note(uint64_t address, uint64_t length) {
  uint32_t index = __atomic_fetch_add(&placed, 1, __ATOMIC_RELAXED);
  if (index >= sizeof places / sizeof places[0]) return;
  places[index].address = address;
  __atomic_store_n(&places[index].length, length, __ATOMIC_RELEASE);
}

static long map_where_one_was(uint64_t length, const uint64_t *arguments) {
  uint32_t count = __atomic_load_n(&placed, __ATOMIC_RELAXED);
  for (uint32_t i = 0; i < count && i < sizeof places / sizeof places[0]; i++) {
    if (__atomic_load_n(&places[i].length, __ATOMIC_ACQUIRE) != length) continue;
    long at = map_at(places[i].address, arguments);
    if (at != NOWHERE) return at;
  }
  return NOWHERE;
}

static long map_in_arena(uint64_t length, const uint64_t *arguments) {
  uint64_t start = cordon_agent_header.arena_start, end = cordon_agent_header.arena_end;
  uint64_t span = (length + 2 * GAP - 1) & ~(GAP - 1);
  if (length == 0 || span < length || span > end - start) return NOWHERE;
  long at = map_where_one_was(length, arguments);
  if (at != NOWHERE) return at;
  if (__atomic_load_n(&used, __ATOMIC_RELAXED) <= end - start - span) {
    uint64_t address = start + __atomic_fetch_add(&used, span, __ATOMIC_RELAXED);
    at = address <= end - span ? map_at(address, arguments) : NOWHERE;
    if (at == (long)address) note(address, length);
    if (at != NOWHERE) return at;
  }
  for (uint64_t address = start; address <= end - span; address += GAP) {
    at = map_at(address, arguments);
    if (at != NOWHERE) return at;
  }
  return NOWHERE;
}

/* What a loader reserves for a module that asks for a great alignment; heaps and stacks are reserved with other flags. */
static int is_reservation(const uint64_t *arguments) {
  return arguments[0] == 0 && arguments[2] == 0 && arguments[3] == (MAP_PRIVATE | MAP_ANONYMOUS);
}

/* Code at an address of the program's own choice. Where that is no part of a span that the launcher has been asked about,
   nothing can be chosen any more. */
static void notice_code(const uint64_t *arguments) {
  int32_t descriptor = (int32_t)arguments[4];
  if (!(arguments[2] & PROT_EXEC) || arguments[3] & MAP_ANONYMOUS || descriptor < 0) return;
  if (arguments[0] >= cordon_agent_header.arena_start && arguments[0] < cordon_agent_header.arena_end) return;
  if (__atomic_exchange_n(&asked, 0, __ATOMIC_RELAXED) != (uint64_t)descriptor + 1) is_to_be_placed(descriptor, 1);
}

int cordon_agent_place(const CordonTrap *trap, CordonVerdict *verdict) {
  if (trap->architecture != CORDON_ARCH_X86_64 || trap->number != NR_mmap) return 0;
  const uint64_t *arguments = trap->arguments;
  uint64_t flags = arguments[3];
  if (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) notice_code(arguments);
  if (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE | MAP_32BIT)) return 0;
  int32_t descriptor = flags & MAP_ANONYMOUS ? NO_FILE : (int32_t)arguments[4];
  if (descriptor < 0 && !is_reservation(arguments)) return 0;
  if (descriptor >= 0) __atomic_store_n(&asked, (uint64_t)descriptor + 1, __ATOMIC_RELAXED);
  if (!is_to_be_placed(descriptor, 0)) return 0;
  long at = map_in_arena((arguments[1] + PAGE - 1) & ~(PAGE - 1), arguments);
  if (at == NOWHERE) {
    (void)is_to_be_placed(descriptor, 1);
    return 0;
  }
  verdict->kind = CordonVerdictValue;
  verdict->value = at;
  return 1;
}

CORDON_AGENT_END
