/* Threads that have blocked SIGSYS, as far as they know. The kernel never blocks it for them, since their next trap would
   kill; where the configuration says so, they are told all the same what they have set, and a SIGSYS that somebody sends
   them waits until they unblock it.

   Open addressing by thread, within a window: a thread that blocks everything for a moment, as libc's do whenever they make
   another, finds a place without a search, and one that finds none is told that SIGSYS is open.

   A child has from its maker what that has blocked, and nobody need hear of it when it is made. What it finds in its copy of
   the memory, or in the memory that it has from its maker, is of another process: it takes over what is of a thread with its
   own thread pointer, which fork(2) and vfork(2) leave as it is. */
#include "signal_path.h"

CORDON_RARE_PATH_BEGIN

#define PLACES (sizeof cordon_engine.blocked / sizeof cordon_engine.blocked[0])
#define WINDOW 16

static uint32_t this_thread(void) { return (uint32_t)cordon_engine.call(CORDON_NR_gettid, 0, 0, 0, 0, 0, 0); }
static uint32_t this_process(void) { return (uint32_t)cordon_engine.call(CORDON_NR_getpid, 0, 0, 0, 0, 0, 0); }

static uint64_t this_thread_pointer(void) {
  uint64_t pointer = 0;
  if (cordon_engine.configuration.reads_thread_pointers) __asm__ volatile("rdfsbase %0" : "=r"(pointer));
  return pointer;
}

static CordonBlockedThread *place(uint32_t thread, uint32_t index) {
  return &cordon_engine.blocked[(thread * 0x9e3779b1u + index) % PLACES];
}

static uint32_t thread_at(const CordonBlockedThread *one) {
  return __atomic_load_n((const uint32_t *)&one->thread, __ATOMIC_ACQUIRE);
}

/* The place of the calling thread; not one of a thread that had its number in a process which this has its memory from. */
static CordonBlockedThread *own_place(uint32_t thread, uint32_t process) {
  for (uint32_t i = 0; i < WINDOW; i++) {
    CordonBlockedThread *one = place(thread, i);
    if (thread_at(one) == thread && one->process == process) return one;
  }
  return NULL;
}

/* The place of the thread that has made this process. What children have left behind that had the memory for a while is no
   such place. */
static CordonBlockedThread *maker_of(uint32_t process) {
  uint64_t pointer = this_thread_pointer();
  for (uint32_t i = 0; pointer != 0 && i < PLACES; i++) {
    CordonBlockedThread *one = &cordon_engine.blocked[i];
    if (thread_at(one) != 0 && one->process != process && one->thread_pointer == pointer && !one->is_borrower) return one;
  }
  return NULL;
}

static int nobody_blocks(void) {
  return __atomic_load_n((uint32_t *)&cordon_engine.blocked_count, __ATOMIC_ACQUIRE) == 0;
}

static void give_up(CordonBlockedThread *one) {
  one->is_pending = 0;
  __atomic_store_n((uint32_t *)&one->thread, 0, __ATOMIC_RELEASE);
  __atomic_fetch_sub((uint32_t *)&cordon_engine.blocked_count, 1, __ATOMIC_ACQ_REL);
}

/* In a copy of the memory there is nobody else. */
static void give_up_others(uint32_t process) {
  for (uint32_t i = 0; i < PLACES; i++) {
    CordonBlockedThread *one = &cordon_engine.blocked[i];
    if (thread_at(one) != 0 && one->process != process) give_up(one);
  }
}

static CordonBlockedThread *take_place(uint32_t thread, uint32_t process, int is_open) {
  const uint32_t in_the_making = UINT32_MAX;
  for (uint32_t i = 0; i < WINDOW; i++) {
    CordonBlockedThread *one = place(thread, i);
    uint32_t found = thread_at(one);
    int is_left = found != 0 && found != in_the_making && one->is_borrower && one->process != process;
    if (found != 0 && !is_left) continue;
    if (!__atomic_compare_exchange_n((uint32_t *)&one->thread, &found, in_the_making, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
      continue;
    if (found == 0) __atomic_fetch_add((uint32_t *)&cordon_engine.blocked_count, 1, __ATOMIC_ACQ_REL);
    one->process = process;
    one->thread_pointer = this_thread_pointer();
    one->is_borrower = (uint32_t)cordon_borrows_memory();
    one->is_open = (uint32_t)is_open;
    one->is_pending = 0;
    __atomic_store_n((uint32_t *)&one->thread, thread, __ATOMIC_RELEASE);
    return one;
  }
  return NULL;
}

static void block(void) {
  uint32_t thread = this_thread(), process = this_process();
  CordonBlockedThread *one = own_place(thread, process);
  if (one == NULL) one = take_place(thread, process, 0);
  if (one != NULL) one->is_open = 0;
}

/* The place of the calling thread where it has blocked SIGSYS, or has it blocked from its maker. */
static CordonBlockedThread *blocked_place(void) {
  if (nobody_blocks()) return NULL;
  uint32_t thread = this_thread(), process = this_process();
  CordonBlockedThread *one = own_place(thread, process);
  if (one != NULL) return one->is_open ? NULL : one;
  CordonBlockedThread *maker = maker_of(process);
  if (maker == NULL) return NULL;
  one = take_place(thread, process, 0);
  if (one != NULL && !one->is_borrower) give_up_others(process);
  return one;
}

/* What has been sent meanwhile comes now, before the call that unblocks it returns. */
static void unblock(void) {
  CordonBlockedThread *one = blocked_place();
  if (one == NULL) return;
  uint32_t is_pending = one->is_pending;
  KernelSiginfo info;
  cordon_clear_words(&info, sizeof info);
  info.signo = CORDON_SIGSYS;
  info.code = one->code;
  info.queued.pid = one->pid;
  info.queued.uid = one->uid;
  info.queued.value = one->value;
  if (one->is_borrower) {
    one->is_pending = 0;
    one->is_open = 1;
  } else {
    give_up(one);
  }
  if (!is_pending) return;
  /* Who may queue what says that it is the kernel's, or of somebody else's kill(2), is up to the kernel: to itself a thread
     may. */
  cordon_engine.call(CORDON_NR_rt_tgsigqueueinfo, this_process(), this_thread(), CORDON_SIGSYS, (long)&info, 0, 0);
}

static int is_remembered(void) { return cordon_engine.configuration.shows_blocked_sigsys != 0; }

int cordon_blocks_sigsys(void) { return is_remembered() && blocked_place() != NULL; }

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

/* Its number may be another's soon. */
void cordon_thread_ends(void) {
  if (nobody_blocks()) return;
  CordonBlockedThread *one = own_place(this_thread(), this_process());
  if (one != NULL) give_up(one);
}

uint32_t cordon_mask_leave(void) {
  if (!is_remembered() || nobody_blocks() || !cordon_borrows_memory()) return CordonMaskAsMakers;
  CordonBlockedThread *one = own_place(this_thread(), this_process());
  if (one == NULL) return CordonMaskAsMakers;
  uint32_t mask = one->is_open ? CordonMaskOpen : CordonMaskBlocked;
  give_up(one);
  return mask;
}

void cordon_mask_return(uint32_t mask) {
  if (mask != CordonMaskAsMakers) (void)take_place(this_thread(), this_process(), mask == CordonMaskOpen);
}

/* Of several that are sent the first is kept, as the kernel does with signals below 32. */
int cordon_keep_until_unblocked(const KernelSiginfo *info) {
  if (!is_remembered()) return 0;
  CordonBlockedThread *one = blocked_place();
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
