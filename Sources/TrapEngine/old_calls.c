/* The same calls by `int $0x80`: i386's numbers, structs of 32-bit words, and pointers below 4 GiB. The two that x32 shares
   with it, rt_sigaction and sigaltstack, are here as well. */
#include "signal_path.h"

CORDON_RARE_PATH_BEGIN

#define KERNEL_SIGSET_SIZE 8
#define IORING_ENTER_EXT_ARG 8
#define PROT_READ_WRITE 3
#define MAP_PRIVATE_ANONYMOUS_32BIT 0x62
#define PAGE 4096

typedef struct {
  uint32_t handler, flags, restorer, mask[2];
} RtSigaction32;
typedef struct {
  uint32_t handler, mask, flags, restorer;
} Sigaction32;

/* What such a call is to be given in place of the program's own struct: a page that its pointers reach, for as long as the
   call lasts. Where a handler jumps out of the call, the page stays. 0: there is none to be had. */
static uint32_t *low_page(void) {
  long page = cordon_engine.call(CORDON_NR_mmap, 0, PAGE, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS_32BIT, -1, 0);
  return page > 0 && page <= UINT32_MAX - PAGE ? (uint32_t *)page : NULL;
}

static long call_with_page(const CordonTrap *trap, int argument, uint32_t *page, uint32_t *at) {
  long arguments[6];
  for (int i = 0; i < 6; i++) arguments[i] = (long)trap->arguments[i];
  arguments[argument] = (long)at;
  CordonGateCall call = trap->architecture == CORDON_AUDIT_ARCH_I386 ? cordon_engine.call80 : cordon_engine.call;
  long result = call(trap->number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
  cordon_engine.call(CORDON_NR_munmap, (long)page, PAGE, 0, 0, 0, 0);
  return result;
}

/* Our handler gets 64-bit frames, which a handler in 32-bit code could not read: only what needs none can be set. */
static long set_own_action(uint32_t handler, uint32_t flags, uint64_t mask, KernelSigaction *old) {
  if (handler > CORDON_SIG_IGN) return -CORDON_ENOSYS;
  KernelSigaction action;
  action.handler = handler;
  action.flags = flags;
  action.restorer = 0;
  action.mask = mask & ~CORDON_UNBLOCKABLE_BITS;
  cordon_set_own_action(&action, old);
  return cordon_take_sigsys();
}

/* The signal by which threads are asked: libc's own, for which 32-bit code in a 64-bit process has no handler. */
static int is_request_signal(const CordonTrap *trap) {
  uint32_t signal = cordon_requests_signal();
  return signal != 0 && (uint32_t)trap->arguments[0] == signal;
}

static long rt_sigaction(const CordonTrap *trap) {
  uint64_t new_at = trap->arguments[1], old_at = trap->arguments[2];
  RtSigaction32 action;
  if (new_at != 0 && cordon_copy_in(&action, new_at, sizeof action) != 0) return CORDON_ORDINARY;
  if ((int32_t)trap->arguments[0] == CORDON_SIGSYS) {
    if (trap->arguments[3] != KERNEL_SIGSET_SIZE) return -CORDON_EINVAL;
    KernelSigaction old;
    cordon_own_action(&old);
    if (new_at != 0) {
      uint64_t mask = action.mask[0] | (uint64_t)action.mask[1] << 32;
      long result = set_own_action(action.handler, action.flags, mask, &old);
      if (result != 0) return result;
    }
    if (old_at == 0) return 0;
    action.handler = (uint32_t)old.handler;
    action.flags = (uint32_t)old.flags;
    action.restorer = (uint32_t)old.restorer;
    action.mask[0] = (uint32_t)old.mask;
    action.mask[1] = (uint32_t)(old.mask >> 32);
    return cordon_copy_out(old_at, &action, sizeof action);
  }
  if (new_at != 0 && is_request_signal(trap)) return -CORDON_EINVAL;
  if (new_at == 0) return CORDON_ORDINARY;
  uint64_t mask = action.mask[0] | (uint64_t)action.mask[1] << 32, kept = mask & ~cordon_kept_open();
  if (kept == mask) return CORDON_ORDINARY;
  uint32_t *page = low_page();
  if (page == NULL) return -CORDON_ENOMEM;
  page[0] = action.handler, page[1] = action.flags, page[2] = action.restorer;
  page[3] = (uint32_t)kept, page[4] = (uint32_t)(kept >> 32);
  return call_with_page(trap, 1, page, page);
}

static long sigaction(const CordonTrap *trap) {
  uint64_t new_at = trap->arguments[1], old_at = trap->arguments[2];
  if (new_at != 0 && is_request_signal(trap)) return -CORDON_EINVAL;
  Sigaction32 action;
  if (new_at != 0 && cordon_copy_in(&action, new_at, sizeof action) != 0) return CORDON_ORDINARY;
  if ((int32_t)trap->arguments[0] == CORDON_SIGSYS) {
    KernelSigaction old;
    cordon_own_action(&old);
    if (new_at != 0) {
      long result = set_own_action(action.handler, action.flags, action.mask, &old);
      if (result != 0) return result;
    }
    if (old_at == 0) return 0;
    action.handler = (uint32_t)old.handler;
    action.mask = (uint32_t)old.mask;
    action.flags = (uint32_t)old.flags;
    action.restorer = (uint32_t)old.restorer;
    return cordon_copy_out(old_at, &action, sizeof action);
  }
  if (new_at == 0 || !(action.mask & CORDON_SIGSYS_BIT)) return CORDON_ORDINARY;
  uint32_t *page = low_page();
  if (page == NULL) return -CORDON_ENOMEM;
  page[0] = action.handler, page[1] = action.mask & ~(uint32_t)CORDON_SIGSYS_BIT;
  page[2] = action.flags, page[3] = action.restorer;
  return call_with_page(trap, 1, page, page);
}

static long signal(const CordonTrap *trap) {
  if (is_request_signal(trap)) return -CORDON_EINVAL;
  if ((int32_t)trap->arguments[0] != CORDON_SIGSYS) return CORDON_ORDINARY;
  KernelSigaction old;
  long result = set_own_action((uint32_t)trap->arguments[1], CORDON_SA_RESETHAND | CORDON_SA_NODEFER, 0, &old);
  return result == 0 ? (long)(uint32_t)old.handler : result;
}

static long rt_sigprocmask(const CordonTrap *trap, KernelUcontext *context) {
  uint64_t set_at = trap->arguments[1], old_at = trap->arguments[2], set;
  if (trap->arguments[3] != KERNEL_SIGSET_SIZE) return -CORDON_EINVAL;
  uint64_t old = cordon_mask_as_set(context);
  if (set_at != 0) {
    long result = cordon_copy_in(&set, set_at, sizeof set);
    if (result == 0) result = cordon_set_mask(context, (int32_t)trap->arguments[0], set);
    if (result != 0) return result;
  }
  return old_at != 0 ? cordon_copy_out(old_at, &old, sizeof old) : 0;
}

/* Knows the first 32 signals only, and leaves the others as they are. */
static long sigprocmask(const CordonTrap *trap, KernelUcontext *context) {
  int32_t how = (int32_t)trap->arguments[0];
  uint64_t set_at = trap->arguments[1], old_at = trap->arguments[2];
  uint32_t set, old = (uint32_t)cordon_mask_as_set(context);
  if (set_at != 0) {
    long result = cordon_copy_in(&set, set_at, sizeof set);
    uint64_t others = context->mask & ~(uint64_t)UINT32_MAX;
    if (result == 0) result = cordon_set_mask(context, how, how == 2 /* SIG_SETMASK */ ? others | set : set);
    if (result != 0) return result;
  }
  return old_at != 0 ? cordon_copy_out(old_at, &old, sizeof old) : 0;
}

static long ssetmask(const CordonTrap *trap, KernelUcontext *context) {
  int32_t old = (int32_t)cordon_mask_as_set(context);
  (void)cordon_set_mask(context, 2 /* SIG_SETMASK */, (uint32_t)trap->arguments[0]);
  return old;
}

/* The mask itself is the third argument. */
static long sigsuspend(const CordonTrap *trap) {
  if (!(trap->arguments[2] & CORDON_SIGSYS_BIT)) return CORDON_ORDINARY;
  return cordon_engine.call80(CORDON_NI_sigsuspend, (long)trap->arguments[0], (long)trap->arguments[1],
                              (long)(trap->arguments[2] & ~CORDON_SIGSYS_BIT), 0, 0, 0);
}

/* See cordon_wait_with_mask. `mask_argument` points to the mask, or if `holder_words` are not 0, to a struct of so many
   words that points to it by its first one, or two. */
static long wait_with_mask(const CordonTrap *trap, int mask_argument, uint32_t holder_words) {
  uint32_t holder[6];
  uint64_t mask_at = trap->arguments[mask_argument], mask;
  if (holder_words != 0) {
    if (mask_at == 0 || cordon_copy_in(holder, mask_at, holder_words * sizeof holder[0]) != 0) return CORDON_ORDINARY;
    mask_at = holder_words == 2 ? holder[0] : holder[0] | (uint64_t)holder[1] << 32;
  }
  if (mask_at == 0 || cordon_copy_in(&mask, mask_at, sizeof mask) != 0 || !(mask & cordon_kept_open()))
    return CORDON_ORDINARY;
  uint32_t *page = low_page();
  if (page == NULL) return -CORDON_ENOMEM;
  *(uint64_t *)page = mask & ~cordon_kept_open();
  if (holder_words == 0) return call_with_page(trap, mask_argument, page, page);
  uint32_t *copy = page + 2;
  for (uint32_t i = 0; i < holder_words; i++) copy[i] = holder[i];
  copy[0] = (uint32_t)(uint64_t)page;
  if (holder_words != 2) copy[1] = 0;
  return call_with_page(trap, mask_argument, page, copy);
}

long cordon_special_old_call(const CordonTrap *trap, KernelUcontext *context) {
  if (trap->architecture != CORDON_AUDIT_ARCH_I386) {
    int is_action = cordon_number_without_x32(trap->number) == CORDON_NX_rt_sigaction;
    return is_action ? rt_sigaction(trap) : cordon_sigaltstack(trap, context, CordonStack32);
  }
  switch (trap->number) {
  case CORDON_NI_exit:
  case CORDON_NI_exit_group: cordon_thread_ends(); return CORDON_ORDINARY;
  case CORDON_NI_signal: return signal(trap);
  case CORDON_NI_sigaction: return sigaction(trap);
  case CORDON_NI_ssetmask: return ssetmask(trap, context);
  case CORDON_NI_sigsuspend: return sigsuspend(trap);
  case CORDON_NI_sigprocmask: return sigprocmask(trap, context);
  case CORDON_NI_prctl: return cordon_refuse_dispatch(trap->arguments);
  case CORDON_NI_rt_sigaction: return rt_sigaction(trap);
  case CORDON_NI_rt_sigprocmask: return rt_sigprocmask(trap, context);
  case CORDON_NI_sigaltstack: return cordon_sigaltstack(trap, context, CordonStack32);
  case CORDON_NI_rt_sigsuspend: return wait_with_mask(trap, 0, 0);
  case CORDON_NI_ppoll:
  case CORDON_NI_ppoll_time64: return wait_with_mask(trap, 3, 0);
  case CORDON_NI_epoll_pwait:
  case CORDON_NI_epoll_pwait2: return wait_with_mask(trap, 4, 0);
  case CORDON_NI_pselect6:
  case CORDON_NI_pselect6_time64:
  case CORDON_NI_io_pgetevents:
  case CORDON_NI_io_pgetevents_time64: return wait_with_mask(trap, 5, 2);
  case CORDON_NI_io_uring_enter: return wait_with_mask(trap, 4, trap->arguments[3] & IORING_ENTER_EXT_ARG ? 6 : 0);
  default: return CORDON_ORDINARY;
  }
}

CORDON_SIGNAL_PATH_END
