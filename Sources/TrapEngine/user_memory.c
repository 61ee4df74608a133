/* Reads and writes through pointers that the trapped code supplied. The kernel does the copy, from this process to
   itself, so a bad pointer is an -EFAULT to hand back and not a fault in our handler. */
#include "signal_path.h"

CORDON_SIGNAL_PATH_BEGIN

typedef struct {
  uint64_t base, length;
} IoVector;

static long copy(long number, void *ours, uint64_t theirs, size_t size) {
  IoVector local = {(uint64_t)ours, size}, remote = {theirs, size};
  /* The process id is asked for each time: it differs after fork, and in a vfork child. */
  long pid = cordon_engine.call(CORDON_NR_getpid, 0, 0, 0, 0, 0, 0);
  long copied = cordon_engine.call(number, pid, (long)&local, 1, (long)&remote, 1, 0);
  if (copied == (long)size) return 0;
  if (copied >= 0 || copied == -CORDON_EFAULT) return -CORDON_EFAULT;
  return copied;
}

long cordon_copy_in(void *to, uint64_t from, size_t size) {
  long result = copy(CORDON_NR_process_vm_readv, to, from, size);
  if (result == 0 || result == -CORDON_EFAULT) return result;
  /* Containers have filters that refuse the call. A good pointer must still work there. */
  for (size_t i = 0; i < size; i++) ((volatile uint8_t *)to)[i] = ((const volatile uint8_t *)from)[i];
  return 0;
}

long cordon_copy_out(uint64_t to, const void *from, size_t size) {
  long result = copy(CORDON_NR_process_vm_writev, (void *)from, to, size);
  if (result == 0 || result == -CORDON_EFAULT) return result;
  for (size_t i = 0; i < size; i++) ((volatile uint8_t *)to)[i] = ((const volatile uint8_t *)from)[i];
  return 0;
}

CORDON_SIGNAL_PATH_END
