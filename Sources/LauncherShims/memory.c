/* Memory that agents share with the launcher. A lock of flock(2) belongs to an open file, and a mapping keeps its file open: so
   the kernel keeps count of those who have the memory, those that are forked and those that are killed too. */
#define _GNU_SOURCE
#include "LauncherShims.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

long cordon_shared_memory(uint64_t size, int32_t *given) {
  int own = memfd_create("cordon", MFD_CLOEXEC);
  if (own < 0) return -errno;
  char path[40];
  snprintf(path, sizeof path, "/proc/self/fd/%d", own);
  int other = ftruncate(own, (off_t)size) == 0 ? open(path, O_RDWR | O_CLOEXEC) : -1;
  if (other < 0 || flock(other, LOCK_SH) != 0) {
    int error = errno;
    if (other >= 0) close(other);
    close(own);
    return -error;
  }
  *given = other;
  return own;
}

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

long cordon_memory_file(uint64_t size) {
  unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  int file = memfd_create("cordon", flags | MFD_EXEC);
  if (file < 0 && errno == EINVAL) file = memfd_create("cordon", flags); /* Linux before 6.3 */
  if (file < 0) return -errno;
  if (ftruncate(file, (off_t)size) == 0) return file;
  int error = errno;
  close(file);
  return -error;
}

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

long cordon_memory_file_seal(int32_t file) {
  int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW;
  if (fcntl(file, F_ADD_SEALS, seals | F_SEAL_FUTURE_WRITE) == 0) return 0;
  return errno == EINVAL && fcntl(file, F_ADD_SEALS, seals) == 0 ? 0 : -errno; /* Linux before 5.1 */
}

int cordon_shared_memory_is_left(int32_t descriptor) { return flock(descriptor, LOCK_EX | LOCK_NB) == 0; }
