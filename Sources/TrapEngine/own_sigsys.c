/* The program's own disposition of SIGSYS. The kernel's slot holds our handler, so what the program set before, or sets
   later from trapped code, is kept here; a SIGSYS that is not ours is answered as the kernel would have done. */
#include "signal_path.h"

CORDON_SIGNAL_PATH_BEGIN

#define RECORDS (sizeof cordon_engine.own / sizeof cordon_engine.own[0])
#define BORROWERS (sizeof cordon_engine.borrowed / sizeof cordon_engine.borrowed[0])
#define KCMP_VM 1

static long this_process(void) { return cordon_engine.call(CORDON_NR_getpid, 0, 0, 0, 0, 0, 0); }

static KernelSigaction *borrower_action(long process) {
  for (uint32_t i = 0; i < BORROWERS; i++) {
    if (__atomic_load_n((int64_t *)&cordon_engine.borrowed[i].borrower, __ATOMIC_ACQUIRE) == process)
      return &cordon_engine.borrowed[i].action;
  }
  return NULL;
}

static KernelSigaction *own_action(void) {
  KernelSigaction *borrowers = borrower_action(this_process());
  if (borrowers != NULL) return borrowers;
  return &cordon_engine.own[__atomic_load_n((uint32_t *)&cordon_engine.own_newest, __ATOMIC_ACQUIRE) % RECORDS];
}

/* A record is written once and then published, so a delivery in another thread reads the old one or the new one. */
static void publish(const KernelSigaction *record) {
  /* A vfork child (posix_spawn's resets every handler) has dispositions of its own, but writes to its parent's memory.
     They are kept apart, where however many of them never push out the parent's. */
  long process = this_process(), parent = cordon_engine.call(CORDON_NR_getppid, 0, 0, 0, 0, 0, 0);
  if (cordon_engine.call(CORDON_NR_kcmp, process, parent, KCMP_VM, 0, 0, 0) == 0) {
    KernelSigaction *borrowers = borrower_action(process);
    if (borrowers == NULL) {
      uint32_t next = __atomic_fetch_add((uint32_t *)&cordon_engine.borrowed_next, 1, __ATOMIC_ACQ_REL) % BORROWERS;
      borrowers = &cordon_engine.borrowed[next].action;
      __atomic_store_n((int64_t *)&cordon_engine.borrowed[next].borrower, process, __ATOMIC_RELEASE);
    }
    cordon_copy_words(borrowers, record, sizeof *record);
    return;
  }
  uint32_t newest = __atomic_load_n((uint32_t *)&cordon_engine.own_newest, __ATOMIC_ACQUIRE) + 1;
  cordon_copy_words(&cordon_engine.own[newest % RECORDS], record, sizeof *record);
  __atomic_store_n((uint32_t *)&cordon_engine.own_newest, newest, __ATOMIC_RELEASE);
}

static uint64_t handler_flags(void) {
  /* A queued or killed SIGSYS interrupts calls as the program's own handler would have it; where it has none, a
     delivery that only we answer should not be noticed, so calls restart. Traps are synchronous and do not care. */
  KernelSigaction *own = own_action();
  int has_handler = own->handler != CORDON_SIG_DFL && own->handler != CORDON_SIG_IGN;
  uint64_t restart = has_handler ? own->flags & CORDON_SA_RESTART : CORDON_SA_RESTART;
  return CORDON_SA_SIGINFO | CORDON_SA_NODEFER | CORDON_SA_ONSTACK | CORDON_SA_RESTORER | restart;
}

long cordon_take_sigsys(void) {
  /* Where the gate's code finds it too: children set it anew. */
  KernelSigaction *ours = (KernelSigaction *)(cordon_engine.gate + CORDON_GATE_SIZE + CORDON_DATA_ACTION);
  ours->handler = (uint64_t)cordon_sigsys;
  ours->restorer = cordon_engine.restorer;
  ours->mask = 0;
  __atomic_store_n(&ours->flags, handler_flags(), __ATOMIC_RELEASE);
  return cordon_engine.call(CORDON_NR_rt_sigaction, CORDON_SIGSYS, (long)ours, 0, 8, 0, 0);
}

long cordon_own_sigaction(uint64_t new_action, uint64_t old_action) {
  KernelSigaction old;
  cordon_copy_words(&old, own_action(), sizeof old);
  if (new_action != 0) {
    KernelSigaction record;
    long result = cordon_copy_in(&record, new_action, sizeof record);
    if (result != 0) return result;
    record.mask &= ~CORDON_UNBLOCKABLE_BITS;
    publish(&record);
    cordon_take_sigsys();
  }
  return old_action != 0 ? cordon_copy_out(old_action, &old, sizeof old) : 0;
}

void cordon_restore_own_sigaction(void) {
  cordon_engine.call(CORDON_NR_rt_sigaction, CORDON_SIGSYS, (long)own_action(), 0, 8, 0, 0);
}

/* Dies of SIGSYS, as a program without a handler does: with a core dump and the right wait status. */
void cordon_die(KernelSiginfo *info) {
  KernelSigaction fatal = {CORDON_SIG_DFL, CORDON_SA_RESTORER, cordon_engine.restorer, 0};
  cordon_engine.call(CORDON_NR_rt_sigaction, CORDON_SIGSYS, (long)&fatal, 0, 8, 0, 0);
  long pid = this_process();
  long tid = cordon_engine.call(CORDON_NR_gettid, 0, 0, 0, 0, 0, 0);
  /* The same siginfo again where the kernel lets us, so that a core dump tells the truth about the sender. */
  if (info->code >= 0 || cordon_engine.call(CORDON_NR_rt_tgsigqueueinfo, pid, tid, CORDON_SIGSYS, (long)info, 0, 0) != 0)
    cordon_engine.call(CORDON_NR_tgkill, pid, tid, CORDON_SIGSYS, 0, 0, 0);
}

void cordon_forward(KernelSiginfo *info, KernelUcontext *context) {
  cordon_count(&cordon_engine.counters.forwarded);
  KernelSigaction own;
  cordon_copy_words(&own, own_action(), sizeof own);
  /* A signal that the kernel forces (another filter's trap) kills where it is ignored. */
  int forced = info->code == CORDON_SYS_SECCOMP || info->code == CORDON_SYS_USER_DISPATCH;
  if (own.handler == CORDON_SIG_IGN && !forced) return;
  if (own.handler == CORDON_SIG_DFL || own.handler == CORDON_SIG_IGN) {
    cordon_die(info);
    return;
  }
  if (own.flags & CORDON_SA_RESETHAND) {
    KernelSigaction reset;
    cordon_clear_words(&reset, sizeof reset);
    publish(&reset);
  }
  /* The handler runs with its own mask, but never with SIGSYS blocked: the next trap would kill. The mask before it
     comes back with our frame. */
  uint64_t block = own.mask & ~CORDON_SIGSYS_BIT;
  if (block != 0) cordon_engine.call(CORDON_NR_rt_sigprocmask, 0 /* SIG_BLOCK */, (long)&block, 0, 8, 0, 0);
  if (own.flags & CORDON_SA_SIGINFO)
    ((void (*)(int, KernelSiginfo *, KernelUcontext *))own.handler)(CORDON_SIGSYS, info, context);
  else
    ((void (*)(int))own.handler)(CORDON_SIGSYS);
}

CORDON_SIGNAL_PATH_END
