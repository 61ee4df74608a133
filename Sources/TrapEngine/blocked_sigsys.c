/* Threads that have blocked SIGSYS, as far as they know. The kernel never blocks it for them, since their next trap would
   kill; where the configuration says so, they are told all the same what they have set, and a SIGSYS that somebody sends
   them waits until they unblock it.

   Open addressing by thread, within a window: a thread that blocks everything for a moment, as libc's do whenever they make
   another, finds a place without a search, and one that finds none is told that SIGSYS is open. */
#include "signal_path.h"

CORDON_RARE_PATH_BEGIN

#define PLACES (sizeof cordon_engine.blocked / sizeof cordon_engine.blocked[0])
#define WINDOW 16

static uint32_t this_thread(void) { return (uint32_t)cordon_engine.call(CORDON_NR_gettid, 0, 0, 0, 0, 0, 0); }

static CordonBlockedThread *place(uint32_t thread, uint32_t index) {
  return &cordon_engine.blocked[(thread * 0x9e3779b1u + index) % PLACES];
}

static CordonBlockedThread *find(uint32_t thread) {
  for (uint32_t i = 0; i < WINDOW; i++) {
    CordonBlockedThread *one = place(thread, i);
    if (__atomic_load_n((uint32_t *)&one->thread, __ATOMIC_ACQUIRE) == thread) return one;
  }
  return NULL;
}

static int nobody_blocks(void) {
  return __atomic_load_n((uint32_t *)&cordon_engine.blocked_count, __ATOMIC_ACQUIRE) == 0;
}

static void block(void) {
  uint32_t thread = this_thread();
  if (find(thread) != NULL) return;
  for (uint32_t i = 0; i < WINDOW; i++) {
    CordonBlockedThread *one = place(thread, i);
    uint32_t nobody = 0;
    if (__atomic_load_n((uint32_t *)&one->thread, __ATOMIC_ACQUIRE) != 0) continue;
    if (!__atomic_compare_exchange_n((uint32_t *)&one->thread, &nobody, thread, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
      continue;
    __atomic_fetch_add((uint32_t *)&cordon_engine.blocked_count, 1, __ATOMIC_ACQ_REL);
    return;
  }
}

/* What has been sent meanwhile comes now, before the call that unblocks it returns. */
static void unblock(void) {
  if (nobody_blocks()) return;
  uint32_t thread = this_thread();
  CordonBlockedThread *one = find(thread);
  if (one == NULL) return;
  uint32_t is_pending = one->is_pending;
  KernelSiginfo info;
  cordon_clear_words(&info, sizeof info);
  info.signo = CORDON_SIGSYS;
  info.code = one->code;
  info.queued.pid = one->pid;
  info.queued.uid = one->uid;
  info.queued.value = one->value;
  one->is_pending = 0;
  __atomic_store_n((uint32_t *)&one->thread, 0, __ATOMIC_RELEASE);
  __atomic_fetch_sub((uint32_t *)&cordon_engine.blocked_count, 1, __ATOMIC_ACQ_REL);
  if (!is_pending) return;
  long pid = cordon_engine.call(CORDON_NR_getpid, 0, 0, 0, 0, 0, 0);
  /* Who may queue what says that it is the kernel's, or of somebody else's kill(2), is up to the kernel: to itself a thread
     may. */
  cordon_engine.call(CORDON_NR_rt_tgsigqueueinfo, pid, thread, CORDON_SIGSYS, (long)&info, 0, 0);
}

static int is_remembered(void) { return cordon_engine.configuration.shows_blocked_sigsys != 0; }

int cordon_blocks_sigsys(void) { return is_remembered() && !nobody_blocks() && find(this_thread()) != NULL; }

uint64_t cordon_mask_as_set(const KernelUcontext *context) {
  uint64_t mask = context->mask & ~CORDON_SIGSYS_BIT;
  return cordon_blocks_sigsys() ? mask | CORDON_SIGSYS_BIT : mask;
}

void cordon_note_mask(int32_t how, uint64_t set) {
  if (!is_remembered()) return;
  int names_it = (set & CORDON_SIGSYS_BIT) != 0;
  if (how == 1 /* SIG_UNBLOCK */) {
    if (names_it) unblock();
  } else if (names_it) {
    block();
  } else if (how == 2 /* SIG_SETMASK */) {
    unblock();
  }
}

void cordon_forget_mask(void) {
  if (nobody_blocks()) return;
  CordonBlockedThread *one = find(this_thread());
  if (one == NULL) return;
  one->is_pending = 0;
  __atomic_store_n((uint32_t *)&one->thread, 0, __ATOMIC_RELEASE);
  __atomic_fetch_sub((uint32_t *)&cordon_engine.blocked_count, 1, __ATOMIC_ACQ_REL);
}

/* Of several that are sent the first is kept, as the kernel does with signals below 32. */
int cordon_keep_until_unblocked(const KernelSiginfo *info) {
  if (!is_remembered() || nobody_blocks()) return 0;
  CordonBlockedThread *one = find(this_thread());
  if (one == NULL) return 0;
  if (!one->is_pending) {
    one->code = info->code;
    one->pid = info->queued.pid;
    one->uid = info->queued.uid;
    one->value = info->queued.value;
    one->is_pending = 1;
  }
  return 1;
}

CORDON_SIGNAL_PATH_END
