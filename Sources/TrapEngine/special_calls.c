/* Calls that would leave trapped code with SIGSYS blocked, without our handler, or without a stack to be trapped on: its
   next trap would kill it. */
#include "signal_path.h"

CORDON_RARE_PATH_BEGIN

#define KERNEL_SIGSET_SIZE 8
#define PR_SET_SYSCALL_USER_DISPATCH 59
#define SYS_DISPATCH_OFF 0
#define PTRACE_TRACEME 0

/* The number without the bit of the x32 interface, where the kernel has that; other kernels know no such number. */
int32_t cordon_number_without_x32(int32_t number) {
  if (number < 0 || !(number & CORDON_X32_BIT)) return number;
  long asked = cordon_engine.call(CORDON_NR_getpid | CORDON_X32_BIT, 0, 0, 0, 0, 0, 0);
  return asked == -CORDON_ENOSYS ? number : number & ~CORDON_X32_BIT;
}

static long rt_sigprocmask(const CordonTrap *trap, KernelUcontext *context) {
  uint64_t set_at = trap->arguments[1], old_at = trap->arguments[2];
  if (trap->arguments[3] != KERNEL_SIGSET_SIZE) return -CORDON_EINVAL;
  uint64_t old = cordon_mask_as_set(context);
  if (set_at != 0) {
    uint64_t set;
    long result = cordon_copy_in(&set, set_at, sizeof set);
    if (result == 0) result = cordon_set_mask(context, (int32_t)trap->arguments[0], set);
    if (result != 0) return result;
  }
  return old_at != 0 ? cordon_copy_out(old_at, &old, sizeof old) : 0;
}

/* rt_sigaction(2) of another signal, with SIGSYS taken out of the mask that its handler runs with. It changes nothing
   that belongs to the frame, so it may be issued from here. */
static long rt_sigaction(const CordonTrap *trap) {
  uint64_t action_at = trap->arguments[1];
  if ((int32_t)trap->arguments[0] == CORDON_SIGSYS) {
    if (trap->arguments[3] != KERNEL_SIGSET_SIZE) return -CORDON_EINVAL;
    return cordon_own_sigaction(action_at, trap->arguments[2]);
  }
  KernelSigaction action;
  if (action_at != 0 && cordon_copy_in(&action, action_at, sizeof action) != 0) return CORDON_ORDINARY;
  KernelSigaction old;
  long result = cordon_request_signal_action((int32_t)trap->arguments[0], action_at != 0 ? &action : NULL, &old);
  if (result != CORDON_ORDINARY)
    return trap->arguments[2] != 0 ? cordon_copy_out(trap->arguments[2], &old, sizeof old) : result;
  if (action_at == 0) return CORDON_ORDINARY;
  if (!(action.mask & cordon_kept_open())) return CORDON_ORDINARY;
  action.mask &= ~cordon_kept_open();
  return cordon_engine.call(CORDON_NR_rt_sigaction, (long)trap->arguments[0], (long)&action, (long)trap->arguments[2],
                            (long)trap->arguments[3], 0, 0);
}

/* A thread has one dispatch. Under a session that uses it a second one would end the session; under a filter's, it would
   catch the engine's own calls, in the middle of a trap, with a handler that knows nothing of them. So the program is told
   what kernels without the feature say. Turning it off is granted, since it is off as far as the program is concerned. */
long cordon_refuse_dispatch(const uint64_t *arguments) {
  if (arguments[0] != PR_SET_SYSCALL_USER_DISPATCH) return CORDON_ORDINARY;
  int turns_off = arguments[1] == SYS_DISPATCH_OFF && (arguments[2] | arguments[3] | arguments[4]) == 0;
  return turns_off ? 0 : -CORDON_EINVAL;
}

/* ptrace(2) of a vfork child: every trap would stop it for its tracer, which waits in vfork until it executes a program. */
static long refuse_trace_of_borrower(const CordonTrap *trap) {
  return trap->arguments[0] == PTRACE_TRACEME && cordon_borrows_memory() ? -CORDON_EPERM : CORDON_ORDINARY;
}

/* Whose stack is about to go: musl's threads unmap their own and then call exit(2). */
static void before_munmap(const CordonTrap *trap, KernelUcontext *context) {
  if (context->registers.rsp - trap->arguments[0] < trap->arguments[1]) cordon_keep_a_stack(context);
}

long cordon_special_call(const CordonTrap *trap, KernelUcontext *context) {
  int32_t number = cordon_number_without_x32(trap->number);
  switch (number) {
  case CORDON_NR_rt_sigprocmask: return rt_sigprocmask(trap, context);
  case CORDON_NR_rt_sigaction:
    /* x32 has another number for it. */
    return number == trap->number ? rt_sigaction(trap) : CORDON_ORDINARY;
  case CORDON_NR_sigaltstack:
    return number == trap->number ? cordon_sigaltstack(trap, context, CordonStack64) : CORDON_ORDINARY;
  case CORDON_NR_rt_sigsuspend:
  case CORDON_NR_ppoll:
  case CORDON_NR_pselect6:
  case CORDON_NR_epoll_pwait:
  case CORDON_NR_epoll_pwait2:
  case CORDON_NR_io_pgetevents:
  case CORDON_NR_io_uring_enter: return cordon_wait_with_mask(trap, number);
  case CORDON_NR_prctl: {
    long result = cordon_refuse_dispatch(trap->arguments);
    return result != CORDON_ORDINARY ? result : cordon_memory_call(trap);
  }
  case CORDON_NR_ptrace: return refuse_trace_of_borrower(trap);
  case CORDON_NR_exit:
  case CORDON_NR_exit_group: cordon_thread_ends(); return CORDON_ORDINARY;
  case CORDON_NR_munmap: before_munmap(trap, context); return cordon_memory_call(trap);
  case CORDON_NR_brk:
  case CORDON_NR_mmap:
  case CORDON_NR_mprotect:
  case CORDON_NR_mremap:
  case CORDON_NR_remap_file_pages:
  case CORDON_NR_seccomp:
  case CORDON_NR_shmat:
  case CORDON_NR_shmdt:
  case CORDON_NR_pkey_mprotect: return cordon_memory_call(trap);
  case CORDON_NX_rt_sigaction:
  case CORDON_NX_sigaltstack:
    return number != trap->number ? cordon_special_old_call(trap, context) : CORDON_ORDINARY;
  default: return CORDON_ORDINARY;
  }
}

CORDON_SIGNAL_PATH_END
