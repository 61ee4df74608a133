/* The program's own disposition of SIGSYS. The kernel's slot holds our handler, so what the program set before, or sets
   later from trapped code, is kept here; a SIGSYS that is not ours is answered as the kernel would have done. */
#include "signal_path.h"

CORDON_RARE_PATH_BEGIN

static uint64_t handler_flags(void) {
  /* A queued or killed SIGSYS interrupts calls as the program's own handler would have it; where it has none, a
     delivery that only we answer should not be noticed, so calls restart. Traps are synchronous and do not care. */
  KernelSigaction own;
  cordon_own_action(&own);
  int has_handler = own.handler != CORDON_SIG_DFL && own.handler != CORDON_SIG_IGN;
  uint64_t restart = has_handler ? own.flags & CORDON_SA_RESTART : CORDON_SA_RESTART;
  return CORDON_SA_SIGINFO | CORDON_SA_NODEFER | CORDON_SA_ONSTACK | CORDON_SA_RESTORER | restart;
}

long cordon_take_sigsys(void) {
  KernelSigaction ours;
  ours.handler = (uint64_t)cordon_sigsys;
  ours.flags = handler_flags();
  ours.restorer = cordon_engine.restorer;
  ours.mask = 0;
  return cordon_engine.call(CORDON_NR_rt_sigaction, CORDON_SIGSYS, (long)&ours, 0, 8, 0, 0);
}

long cordon_own_sigaction(uint64_t new_action, uint64_t old_action) {
  KernelSigaction old;
  if (new_action == 0) {
    cordon_own_action(&old);
  } else {
    KernelSigaction action;
    long result = cordon_copy_in(&action, new_action, sizeof action);
    if (result != 0) return result;
    action.mask &= ~CORDON_UNBLOCKABLE_BITS;
    cordon_set_own_action(&action, &old);
    cordon_take_sigsys();
  }
  return old_action != 0 ? cordon_copy_out(old_action, &old, sizeof old) : 0;
}

void cordon_restore_own_sigaction(void) {
  KernelSigaction own;
  cordon_own_action(&own);
  cordon_engine.call(CORDON_NR_rt_sigaction, CORDON_SIGSYS, (long)&own, 0, 8, 0, 0);
}

uint32_t cordon_sigsys_to_inherit(void) {
  KernelSigaction own;
  cordon_own_action(&own);
  return (own.handler == CORDON_SIG_IGN ? CORDON_SIGSYS_IGNORED : 0u) |
         (cordon_blocks_sigsys() ? CORDON_SIGSYS_BLOCKED : 0u);
}

void cordon_sigsys_inherit(uint32_t what) {
  if (what & CORDON_SIGSYS_IGNORED) {
    KernelSigaction ignored = {CORDON_SIG_IGN, 0, 0, 0};
    cordon_set_own_action(&ignored, NULL);
  }
  if (what & CORDON_SIGSYS_BLOCKED) cordon_note_mask(0 /* SIG_BLOCK */, CORDON_SIGSYS_BIT);
}

/* Dies of SIGSYS, as a program without a handler does: with a core dump and the right wait status. */
void cordon_die(KernelSiginfo *info) {
  KernelSigaction fatal = {CORDON_SIG_DFL, CORDON_SA_RESTORER, cordon_engine.restorer, 0};
  cordon_engine.call(CORDON_NR_rt_sigaction, CORDON_SIGSYS, (long)&fatal, 0, 8, 0, 0);
  long pid = cordon_engine.call(CORDON_NR_getpid, 0, 0, 0, 0, 0, 0);
  long tid = cordon_engine.call(CORDON_NR_gettid, 0, 0, 0, 0, 0, 0);
  /* The same siginfo again where the kernel lets us, so that a core dump tells the truth about the sender. */
  if (info->code >= 0 || cordon_engine.call(CORDON_NR_rt_tgsigqueueinfo, pid, tid, CORDON_SIGSYS, (long)info, 0, 0) != 0)
    cordon_engine.call(CORDON_NR_tgkill, pid, tid, CORDON_SIGSYS, 0, 0, 0);
}

/* The last two arguments of the calls below, which the kernel does not look at: where to go on from, and one of these. */
static uint64_t opens(void) { return (uint64_t)&cordon_engine.called; }
static uint64_t goes_on(void) { return opens() + 1; }

static int is_interrupted_going_on(const CordonRegisters *registers) {
  uint64_t called = cordon_engine.called;
  if (registers->r9 == opens()) return registers->rip == called;
  if (registers->r9 != goes_on()) return 0;
  return registers->rip == called - 2 || (registers->rip == called && (int64_t)registers->rax == -CORDON_EINTR);
}

/* An ignored signal does not interrupt a call. This one did, since the kernel knows only of our handler. A call that
   counts its time down (nanosleep, poll, a futex) goes on where it was by restart_syscall(2), as long as nothing has
   returned from a signal; for any other the kernel has nothing to restart, and answers EINTR here too. So where a signal
   comes in one that goes on already, its handler does not return either: it is left for the one that waits. One that has
   come before, while it was blocked, does in the call that unblocks it. */
void cordon_go_on_waiting(KernelUcontext *context) {
  CordonRegisters *registers = &context->registers;
  if (is_interrupted_going_on(registers)) __builtin_longjmp((void **)registers->r8, 1);
  if ((int64_t)registers->rax != -CORDON_EINTR || registers->rip == cordon_engine.called) return;
  void *place[5];
  (void)__builtin_setjmp(place);
  cordon_engine.call(CORDON_NR_rt_sigprocmask, 2 /* SIG_SETMASK */, (long)&context->mask, 0, 8, (long)place,
                     (long)opens());
  registers->rax =
      (uint64_t)cordon_engine.call(CORDON_NR_restart_syscall, 0, 0, 0, 0, (long)place, (long)goes_on());
}

void cordon_forward(KernelSiginfo *info, KernelUcontext *context) {
  KernelSigaction own;
  cordon_own_action(&own);
  /* A signal that the kernel forces (another filter's trap) kills where it is ignored, or blocked. */
  int forced = info->code == CORDON_SYS_SECCOMP || info->code == CORDON_SYS_USER_DISPATCH;
  if (!forced && cordon_keep_until_unblocked(info)) {
    cordon_go_on_waiting(context);
    return;
  }
  cordon_count(&cordon_engine.counters.forwarded);
  if (own.handler == CORDON_SIG_IGN && !forced) {
    cordon_go_on_waiting(context);
    return;
  }
  if (own.handler == CORDON_SIG_DFL || own.handler == CORDON_SIG_IGN) {
    cordon_die(info);
    return;
  }
  if (forced) cordon_leave_thunk(info, context);
  if (own.flags & CORDON_SA_RESETHAND) {
    KernelSigaction reset;
    cordon_clear_words(&reset, sizeof reset);
    cordon_set_own_action(&reset, NULL);
  }
  /* The handler runs with its own mask, but never with SIGSYS blocked: the next trap would kill. The mask before it
     comes back with our frame. */
  uint64_t block = own.mask & ~cordon_kept_open();
  if (block != 0) cordon_engine.call(CORDON_NR_rt_sigprocmask, 0 /* SIG_BLOCK */, (long)&block, 0, 8, 0, 0);
  KernelStack stack;
  cordon_copy_words(&stack, &context->stack, sizeof stack);
  int shows_own = cordon_show_own_stack(&context->stack);
  if (own.flags & CORDON_SA_SIGINFO)
    ((void (*)(int, KernelSiginfo *, KernelUcontext *))own.handler)(CORDON_SIGSYS, info, context);
  else
    ((void (*)(int))own.handler)(CORDON_SIGSYS);
  if (shows_own) cordon_copy_words(&context->stack, &stack, sizeof stack);
}

CORDON_SIGNAL_PATH_END
