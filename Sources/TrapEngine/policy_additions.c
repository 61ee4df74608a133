/* Adding policies; of no use to a program whose map never changes. How they are read is told in policies.c. */
#include "signal_path.h"

CORDON_SIGNAL_PATH_BEGIN

#define POLICIES 65536
#define INSTRUCTIONS (1 << 23)
#define PAGE 4096ull
#define PROT_NONE 0
#define PROT_READ_WRITE 3
#define MAP_PRIVATE_ANONYMOUS_NORESERVE 0x4022

static uint64_t entries_size(void) { return POLICIES * sizeof(CordonPolicy); }

static long reserve(void) {
  uint64_t size = entries_size() + INSTRUCTIONS * sizeof(CordonInstruction);
  long base = cordon_engine.call(CORDON_NR_mmap, 0, (long)size, PROT_NONE, MAP_PRIVATE_ANONYMOUS_NORESERVE, -1, 0);
  if (base < 0 && base > -4096) return base;
  uint64_t nothing = 0;
  if (!__atomic_compare_exchange_n((uint64_t *)&cordon_policies.entries, &nothing, (uint64_t)base, 0, __ATOMIC_ACQ_REL,
                                   __ATOMIC_ACQUIRE))
    cordon_engine.call(CORDON_NR_munmap, base, (long)size, 0, 0, 0, 0); /* another thread was first */
  return 0;
}

/* Whole pages around it; that they are committed already does no harm. */
static long commit(uint64_t start, uint64_t size) {
  uint64_t begin = start & ~(PAGE - 1), end = (start + size + PAGE - 1) & ~(PAGE - 1);
  return cordon_engine.call(CORDON_NR_mprotect, (long)begin, (long)(end - begin), PROT_READ_WRITE, 0, 0, 0);
}

long cordon_policy_add(const CordonInstruction *instructions, uint64_t count) {
  if (count == 0 || count > 4096) return -CORDON_EINVAL;
  long result = __atomic_load_n((uint64_t *)&cordon_policies.entries, __ATOMIC_ACQUIRE) != 0 ? 0 : reserve();
  if (result != 0) return result;
  /* What is taken here stays taken where memory for it cannot be had. */
  uint64_t index = __atomic_fetch_add((uint64_t *)&cordon_policies.count, 1, __ATOMIC_RELAXED);
  uint64_t first = __atomic_fetch_add((uint64_t *)&cordon_policies.used, count, __ATOMIC_RELAXED);
  if (index >= POLICIES || first + count > INSTRUCTIONS) return -CORDON_ENOMEM;
  CordonPolicy *entry = &cordon_policies.entries[index];
  CordonInstruction *own = (CordonInstruction *)((uint8_t *)cordon_policies.entries + entries_size()) + first;
  result = commit((uint64_t)entry, sizeof *entry);
  if (result == 0) result = commit((uint64_t)own, count * sizeof *own);
  if (result != 0) return result;
  cordon_copy_words(own, instructions, count * sizeof *own);
  entry->instructions = own;
  entry->length = count;
  return (long)index;
}

CORDON_SIGNAL_PATH_END
