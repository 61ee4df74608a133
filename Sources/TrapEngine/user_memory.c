/* Reads and writes through pointers that the trapped code supplied: a bad pointer is an -EFAULT to hand back and not a
   fault in our handler.

   The kernel is asked by rt_sigprocmask(2), which touches 8 bytes and changes nothing. It is the one call that nobody's
   filter refuses to code that uses signals, whereas process_vm_readv(2) is forbidden in many a sandbox. That one is asked
   second, since it also reaches memory that a protection key keeps from a signal handler. */
#include "signal_path.h"

CORDON_RARE_PATH_BEGIN

#define SIGSET_SIZE 8
#define NO_SUCH_WAY (-1) /* of changing the mask: EINVAL, once the set has been read */

typedef struct {
  uint64_t base, length;
} IoVector;

static long copy_by_kernel(long number, void *ours, uint64_t theirs, size_t size) {
  IoVector local = {(uint64_t)ours, size}, remote = {theirs, size};
  /* The process id is asked for each time: it differs after fork, and in a vfork child. */
  long pid = cordon_engine.call(CORDON_NR_getpid, 0, 0, 0, 0, 0, 0);
  long copied = cordon_engine.call(number, pid, (long)&local, 1, (long)&remote, 1, 0);
  if (copied == (long)size) return 0;
  if (copied >= 0 || copied == -CORDON_EFAULT) return -CORDON_EFAULT;
  return copied;
}

typedef enum { Usable, Bad, Unknown } Access;

/* The aligned word that holds the address, and so its page. */
static Access can_read(uint64_t address) {
  switch (cordon_engine.call(CORDON_NR_rt_sigprocmask, NO_SUCH_WAY, (long)(address & ~7ull), 0, SIGSET_SIZE, 0, 0)) {
  case -CORDON_EINVAL: return Usable;
  case 0: /* the word at 0, which stands for no set */
  case -CORDON_EFAULT: return Bad;
  default: return Unknown;
  }
}

/* 8 bytes, which hold a mask then. */
static Access can_write(uint64_t address) {
  if (address == 0) return Bad;
  switch (cordon_engine.call(CORDON_NR_rt_sigprocmask, 0, 0, (long)address, SIGSET_SIZE, 0, 0)) {
  case 0: return Usable;
  case -CORDON_EFAULT: return Bad;
  default: return Unknown;
  }
}

static void copy_bytes(volatile uint8_t *to, const volatile uint8_t *from, size_t size) {
  for (size_t i = 0; i < size; i++) to[i] = from[i];
}

long cordon_copy_in(void *to, uint64_t from, size_t size) {
  /* What is copied is smaller than a page, so it lies on that of its first byte and that of its last. */
  uint64_t last = from + size - 1;
  Access access = last >= from ? can_read(from) : Bad;
  if (access == Usable && (from ^ last) >= 4096) access = can_read(last);
  if (access != Usable) {
    long result = copy_by_kernel(CORDON_NR_process_vm_readv, to, from, size);
    if (result == 0 || result == -CORDON_EFAULT || access == Bad) return result == 0 ? 0 : -CORDON_EFAULT;
    /* Where both are refused a good pointer must still work. */
  }
  copy_bytes(to, (const volatile uint8_t *)from, size);
  return 0;
}

long cordon_copy_out(uint64_t to, const void *from, size_t size) {
  Access access = size >= SIGSET_SIZE ? can_write(to) : Unknown;
  if (access == Usable && size > SIGSET_SIZE) access = can_write(to + size - SIGSET_SIZE);
  if (access != Usable) {
    long result = copy_by_kernel(CORDON_NR_process_vm_writev, (void *)from, to, size);
    if (result == 0 || result == -CORDON_EFAULT || access == Bad) return result == 0 ? 0 : -CORDON_EFAULT;
  }
  copy_bytes((volatile uint8_t *)to, from, size);
  return 0;
}

CORDON_SIGNAL_PATH_END
