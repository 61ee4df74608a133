/* Signals that the launcher reads instead of having handlers for them. Masks are the kernel's 64 bits. */
#define _GNU_SOURCE
#include "LauncherShims.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SET 8 /* bytes of the kernel's sigset_t */

long cordon_signal_descriptor(uint64_t mask) {
  long result = syscall(SYS_signalfd4, -1, &mask, SET, SFD_CLOEXEC | SFD_NONBLOCK);
  return result < 0 ? -errno : result;
}

long cordon_signal_block(uint64_t mask, uint64_t *before) {
  return syscall(SYS_rt_sigprocmask, SIG_BLOCK, &mask, before, SET) == 0 ? 0 : -errno;
}

void cordon_signal_set_mask(uint64_t mask) { syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, SET); }

void cordon_signal_stop(int32_t number) {
  struct sigaction stops = {.sa_handler = SIG_DFL}, before;
  uint64_t set = 1ull << (number - 1), mask;
  if (sigaction(number, &stops, &before) != 0) return;
  kill(getpid(), number);
  syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, &set, &mask, SET);
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, SET);
  sigaction(number, &before, NULL);
}

long cordon_signal_read(int32_t descriptor, CordonSignal *signal) {
  struct signalfd_siginfo info;
  signal->number = 0;
  if (read(descriptor, &info, sizeof info) != sizeof info) return errno == EAGAIN ? 0 : -errno;
  signal->number = (int32_t)info.ssi_signo;
  signal->code = info.ssi_code;
  signal->sender = (int32_t)info.ssi_pid;
  signal->user = info.ssi_uid;
  signal->value = info.ssi_ptr;
  return 0;
}

void cordon_signal_forward(const CordonSignal *signal, int32_t process) {
  siginfo_t info = {.si_signo = signal->number, .si_code = signal->code};
  info.si_pid = signal->sender;
  info.si_uid = signal->user;
  info.si_value.sival_ptr = (void *)signal->value;
  /* What nobody queues is not let through with what it says of itself. */
  if (signal->code >= 0 || syscall(SYS_rt_sigqueueinfo, process, signal->number, &info) != 0) kill(process, signal->number);
}
