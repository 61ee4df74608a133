/* Calls by which memory is marked as making no system calls, unmarked, moved, replaced or unmapped, and those that have
   the marks count. Most calls of these numbers are about other memory: they are told apart here, without a lock, since
   libc makes them with its own locks held. */
#include "signal_path.h"

CORDON_RARE_PATH_BEGIN

#define MAP_FIXED 0x10
#define MREMAP_FIXED 2
#define SHM_REMAP 0x4000
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

/* Whether a new break takes away what does. */
static int break_concerns(uint64_t end) {
  uint64_t now = end == 0 ? 0 : (uint64_t)cordon_engine.call(CORDON_NR_brk, 0, 0, 0, 0, 0, 0);
  return end < now && concerns(end, now - end);
}

static int is_about_marks(int32_t number, const uint64_t *a) {
  switch (number) {
  case CORDON_NR_mmap: return (a[2] & CORDON_PROT_NOSYSCALL) != 0 || (a[3] & MAP_FIXED && concerns(a[0], a[1]));
  case CORDON_NR_mprotect:
  case CORDON_NR_pkey_mprotect: return (a[2] & CORDON_PROT_NOSYSCALL) != 0 || concerns(a[0], a[1]);
  case CORDON_NR_munmap:
  case CORDON_NR_remap_file_pages: return concerns(a[0], a[1]);
  case CORDON_NR_mremap: return concerns(a[0], a[1]) || (a[3] & MREMAP_FIXED && concerns(a[4], a[2]));
  case CORDON_NR_brk: return break_concerns(a[0]);
  /* How long a segment is they do not say. */
  case CORDON_NR_shmat: return (a[2] & SHM_REMAP) != 0 && concerns(a[1], INT64_MAX);
  case CORDON_NR_shmdt: return concerns(a[0], INT64_MAX);
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
