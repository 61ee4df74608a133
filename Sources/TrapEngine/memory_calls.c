/* Calls by which memory is marked as making no system calls, unmarked, moved or unmapped, and those that have the marks
   count. Most calls of these numbers are about other memory: they are told apart here, without a lock, since libc makes
   them with its own locks held. */
#include "signal_path.h"

CORDON_RARE_PATH_BEGIN

#define MAP_FIXED 0x10
#define MREMAP_FIXED 2
#define PR_GET_SECCOMP 21
#define PR_SET_SECCOMP 22
#define SECCOMP_MODE_MEMMAP 3
#define SECCOMP_SET_MODE_MEMMAP 4

/* Whether some instruction that the map says something of, or a byte of the memory that is kept for marks, lies there. */
static int concerns(uint64_t start, uint64_t length) {
  const CordonConfiguration *configuration = &cordon_engine.configuration;
  if (length == 0) length = 1;
  uint64_t end = start + length < start ? UINT64_MAX - 2 : start + length;
  if (start < configuration->memory_end && end > configuration->memory_start) return 1;
  return cordon_table_has(start + 1, end + 1);
}

static int is_about_marks(int32_t number, const uint64_t *a) {
  switch (number) {
  case CORDON_NR_mmap: return (a[2] & CORDON_PROT_NOSYSCALL) != 0 || (a[3] & MAP_FIXED && concerns(a[0], a[1]));
  case CORDON_NR_mprotect:
  case CORDON_NR_pkey_mprotect: return (a[2] & CORDON_PROT_NOSYSCALL) != 0 || concerns(a[0], a[1]);
  case CORDON_NR_munmap: return concerns(a[0], a[1]);
  case CORDON_NR_mremap: return concerns(a[0], a[1]) || (a[3] & MREMAP_FIXED && concerns(a[4], a[2]));
  case CORDON_NR_seccomp: return (uint32_t)a[0] == SECCOMP_SET_MODE_MEMMAP;
  case CORDON_NR_prctl:
    return (int32_t)a[0] == PR_GET_SECCOMP || ((int32_t)a[0] == PR_SET_SECCOMP && a[1] == SECCOMP_MODE_MEMMAP);
  default: return 0;
  }
}

long cordon_memory_call(const CordonTrap *trap) {
  const CordonConfiguration *configuration = &cordon_engine.configuration;
  if (configuration->memory_hook == NULL || !is_about_marks(trap->number, trap->arguments)) return CORDON_ORDINARY;
  return configuration->memory_hook(trap, configuration->memory_context);
}

CORDON_SIGNAL_PATH_END
