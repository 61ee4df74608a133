/* Having all other threads stand still, with SIGSYS open, while a filter is attached to them.

   A filter that traps calls of native code kills threads that have SIGSYS blocked at that moment, and libc blocks every
   signal for a moment whenever it makes a thread or a process, the one by which requests come among them. So a thread that
   has got to the handler of a request is outside of such a moment, and stays there until the filter is attached.

   While threads stand still nothing is allocated and no lock is taken: they may hold it. They may also hold what a thread
   waits for that cannot be asked yet (libc's list of stacks, which a thread that ends wants with all signals blocked). So
   they are let go where nobody moves any more, and it is tried again. */
#include "signal_path.h"

CORDON_RARE_PATH_BEGIN

/* One thread that was asked: its id, what has become of it, how often it was asked, and in which turn that was. */
typedef _Atomic(uint64_t) CordonPlace;

/* Open addressing by thread; never unmapped, as one that a handler may read. */
struct CordonParkingLot {
  uint64_t mask; /* how many places there are, a power of two, less one */
  uint64_t used;
  uint64_t length; /* of all of this, in bytes */
  CordonPlace places[];
};

typedef enum {
  unasked = 1, /* also: has answered in an earlier turn */
  asked,
  parked,  /* stands still */
  blocks,  /* has SIGSYS blocked and this signal open, and has gone on */
  away,    /* will not run code of the program before it gets to answering, or never will */
} State;

#define STATE_BITS 3
#define QUESTIONS_SHIFT (CORDON_THREAD_BITS + STATE_BITS)
/* How often a thread is asked in a turn that answers with SIGSYS blocked: it may be so for a moment only. */
#define MOST_QUESTIONS 16

static uint64_t place_of(uint32_t thread, State state, uint32_t questions, uint32_t turn) {
  return (uint64_t)turn << 32 | (uint64_t)questions << QUESTIONS_SHIFT | (uint64_t)state << CORDON_THREAD_BITS | thread;
}
static uint32_t thread_in(uint64_t place) { return (uint32_t)place & ((1u << CORDON_THREAD_BITS) - 1); }
static State last_state_in(uint64_t place) {
  return (State)((uint32_t)place >> CORDON_THREAD_BITS & ((1u << STATE_BITS) - 1));
}
/* What a thread did in another turn says nothing of this one; that it is still to answer holds on. */
static State state_in(uint64_t place, uint32_t turn) {
  State state = last_state_in(place);
  return state == asked || (uint32_t)(place >> 32) == turn ? state : unasked;
}
static uint32_t questions_in(uint64_t place, uint32_t turn) {
  return (uint32_t)(place >> 32) == turn ? (uint32_t)place >> QUESTIONS_SHIFT : 0;
}

static uint32_t load(const void *word) { return __atomic_load_n((const uint32_t *)word, __ATOMIC_SEQ_CST); }
static void store(void *word, uint32_t value) { __atomic_store_n((uint32_t *)word, value, __ATOMIC_SEQ_CST); }
static uint64_t look_at(const CordonPlace *place) { return __atomic_load_n((const uint64_t *)place, __ATOMIC_ACQUIRE); }
static int replace(CordonPlace *place, uint64_t before, uint64_t after) {
  return __atomic_compare_exchange_n((uint64_t *)place, &before, after, 0, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

/* The place of a thread, or the free one where it would be; NULL where there is neither. */
static CordonPlace *find(struct CordonParkingLot *lot, uint32_t thread) {
  for (uint64_t i = 0; i <= lot->mask; i++) {
    CordonPlace *place = &lot->places[((uint64_t)(thread * 0x9e3779b1u) + i) & lot->mask];
    uint64_t found = look_at(place);
    if (found == 0 || thread_in(found) == thread) return place;
  }
  return NULL;
}

static uint32_t this_thread(void) { return (uint32_t)cordon_engine.call(CORDON_NR_gettid, 0, 0, 0, 0, 0, 0); }
static void wake(const void *word) {
  cordon_engine.call(CORDON_NR_futex, (long)word, CORDON_FUTEX_WAKE_PRIVATE, INT32_MAX, 0, 0, 0);
}

/* A thread that has been asked: answers, and stands still until the turn is over. Nothing interrupts it there but what it
   raises itself. */
static void stand_still(KernelUcontext *context) {
  CordonParking *parking = &cordon_engine.parking;
  uint32_t turn = load(&parking->turn), thread = this_thread();
  struct CordonParkingLot *lot = __atomic_load_n(&parking->lot, __ATOMIC_ACQUIRE);
  CordonPlace *place = find(lot, thread);
  if (place == NULL) return;
  __atomic_add_fetch((uint32_t *)&parking->arrived, 1, __ATOMIC_SEQ_CST);
  State state = unasked;
  if (turn % 2 == 1) state = context->mask & CORDON_SIGSYS_BIT ? blocks : parked;
  for (;;) {
    uint64_t before = look_at(place);
    State found = thread_in(before) == thread ? last_state_in(before) : unasked;
    if (found != asked && found != away) return;
    if (replace(place, before, place_of(thread, state, questions_in(before, turn), turn))) break;
  }
  uint32_t answered = __atomic_add_fetch((uint32_t *)&parking->answered, 1, __ATOMIC_SEQ_CST);
  if (answered == load(&parking->wanted) || state != parked) wake(&parking->answered);
  /* Without a time: one would take the place of what the interrupted call has to go on with (restart_syscall(2)). */
  while (state == parked && load(&parking->turn) == turn)
    cordon_engine.call(CORDON_NR_futex, (long)&parking->turn, CORDON_FUTEX_WAIT_PRIVATE, turn, 0, 0, 0);
}

/* Leaves the signal blocked by which it is asked, as it is in all of the handler: see cordon_go_on_waiting. */
static void park(KernelUcontext *context) {
  uint64_t all = ~CORDON_SYNCHRONOUS_BITS, after = context->mask | CORDON_SIGNAL_BIT(CORDON_REQUEST_SIGNAL);
  cordon_engine.call(CORDON_NR_rt_sigprocmask, 0 /* SIG_BLOCK */, (long)&all, 0, 8, 0, 0);
  stand_still(context);
  cordon_engine.call(CORDON_NR_rt_sigprocmask, 2 /* SIG_SETMASK */, (long)&after, 0, 8, 0, 0);
}

/* A round of asking. */
typedef struct {
  uint64_t listed;     /* all threads but the caller */
  uint64_t missing;    /* those that do not stand still */
  uint64_t unanswered; /* those that are still to answer */
  uint64_t moving;     /* those that may do so before others go on */
  uint64_t starving;   /* those that may do so if they are given a processor */
  CordonSilence silence;
} Round;

#define LIST_SIZE 32768

/* Room for so many threads, and for a list of some of them behind that. */
static long make_lot(uint64_t threads) {
  CordonParking *parking = &cordon_engine.parking;
  struct CordonParkingLot *lot = parking->lot;
  uint64_t places = 1024;
  while (places < threads * 4) places *= 2;
  if (lot != NULL && lot->mask + 1 >= places) {
    /* Of threads that have ended; who is asked twice answers once. */
    if (lot->used > lot->mask / 2) {
      cordon_clear_words(lot->places, (lot->mask + 1) * sizeof(CordonPlace));
      lot->used = 0;
    }
    return 0;
  }
  uint64_t length = sizeof *lot + places * sizeof(CordonPlace);
  long at = cordon_engine.call(CORDON_NR_mmap, 0, (long)(length + LIST_SIZE), 3 /* PROT_READ | PROT_WRITE */,
                               0x22 /* MAP_PRIVATE | MAP_ANONYMOUS */, -1, 0);
  if (at < 0 && at > -4096) return at;
  lot = (struct CordonParkingLot *)at;
  lot->mask = places - 1;
  lot->length = length;
  __atomic_store_n(&parking->lot, lot, __ATOMIC_RELEASE);
  return 0;
}

/* How many threads the process has: each is a subdirectory of /proc/self/task. */
static long count_threads(long directory) {
  struct {
    uint64_t device, inode, links, rest[15];
  } status;
  long result = cordon_engine.call(CORDON_NR_fstat, directory, (long)&status, 0, 0, 0, 0);
  return result < 0 ? result : (long)status.links - 2;
}

static void ask(CordonPlace *place, uint32_t thread, uint32_t turn, Round *round) {
  uint64_t before = look_at(place), now = place_of(thread, asked, questions_in(before, turn) + 1, turn);
  if (!replace(place, before, now)) return;
  long result = cordon_queue_request((int32_t)thread, CORDON_ASKS_TO_PARK);
  if (result == 0) {
    round->unanswered++;
    round->moving++;
    return;
  }
  replace(place, now, place_of(thread, unasked, 0, turn));
  if (result != -CORDON_ESRCH) round->silence.thread = (int32_t)thread, round->silence.error = result;
}

/* One that has not answered for some while. */
static void examine(CordonPlace *place, uint32_t thread, uint32_t turn, Round *round) {
  CordonThreadLook look;
  uint64_t request = CORDON_SIGNAL_BIT(CORDON_REQUEST_SIGNAL), before = look_at(place);
  if (cordon_look_at_thread((int32_t)thread, &look) != 0 || last_state_in(before) != asked) {
    round->moving++, round->starving++; /* it has ended, or answered meanwhile */
    return;
  }
  int will_answer_first = look.makes_child && look.pending & request && !(look.blocked & (request | CORDON_SIGSYS_BIT));
  if (look.runs_no_code || will_answer_first) {
    if (will_answer_first) store(&cordon_engine.requests.given_up, 1);
    replace(place, before, place_of(thread, away, 0, turn));
    return;
  }
  /* It has the id of one that has ended, or is just about to answer, and is asked twice then. */
  if (!(look.pending & request) && replace(place, before, place_of(thread, unasked, 0, turn)))
    store(&cordon_engine.requests.given_up, 1);
  round->starving += look.is_runnable;
  round->moving += !look.is_asleep;
  round->silence.thread = (int32_t)thread;
  round->silence.error = look.blocked & CORDON_SIGSYS_BIT ? -CORDON_EBUSY : -CORDON_ETIMEDOUT;
}

typedef struct {
  uint64_t inode, offset;
  uint16_t length;
  uint8_t type;
  char name[];
} DirectoryEntry;

/* Goes through the list of threads once, and asks those that do not stand still, or examines them. */
static long go_round(long directory, uint32_t self, uint32_t turn, int examines, Round *round) {
  struct CordonParkingLot *lot = cordon_engine.parking.lot;
  char *list = (char *)lot + lot->length;
  cordon_engine.call(CORDON_NR_lseek, directory, 0, 0, 0, 0, 0);
  for (;;) {
    long length = cordon_engine.call(CORDON_NR_getdents64, directory, (long)list, LIST_SIZE, 0, 0, 0);
    if (length <= 0) return length;
    for (long at = 0; at < length; at += ((DirectoryEntry *)(list + at))->length) {
      const char *name = ((DirectoryEntry *)(list + at))->name;
      uint32_t thread = 0;
      for (; *name >= '0' && *name <= '9'; name++) thread = thread * 10 + (uint32_t)(*name - '0');
      if (thread == 0 || thread == self) continue;
      round->listed++;
      CordonPlace *place = find(lot, thread);
      if (place == NULL) return -CORDON_EAGAIN;
      uint64_t found = look_at(place);
      if (found == 0) {
        if (++lot->used > lot->mask / 4 * 3) return -CORDON_EAGAIN;
      }
      State state = found == 0 ? unasked : state_in(found, turn);
      if (state == parked || state == away) continue;
      round->missing++;
      if (state == blocks) {
        round->silence.thread = (int32_t)thread, round->silence.error = -CORDON_EBUSY;
        CordonThreadLook look;
        if (examines && cordon_look_at_thread((int32_t)thread, &look) == 0) round->starving += look.is_runnable;
      }
      if (state != asked) {
        if (state == blocks && questions_in(found, turn) >= MOST_QUESTIONS) continue;
        /* So late, it is new or was just about to answer: it has not been silent. */
        if (examines) round->starving++;
        ask(place, thread, turn, round);
        continue;
      }
      round->unanswered++;
      if (examines)
        examine(place, thread, turn, round);
      else
        round->moving++;
    }
  }
}

/* Has all threads stand still, for as long as the turn lasts: 0; -EAGAIN where those that do not will not before the others
   go on, or none has come to it for `slice`, and `silence` says of one why. */
static long gather(long directory, uint32_t turn, int64_t slice, CordonSilence *silence, uint64_t *starving) {
  CordonParking *parking = &cordon_engine.parking;
  uint32_t self = this_thread();
  int64_t end = cordon_now() + slice;
  uint64_t standing = 0;
  int examines = 0, stuck = 0;
  for (;;) {
    /* Whoever has come to stand still before they are counted makes no thread after it. So where they are as many as there
       were, and none has come since, they are all: the kernel leaves some out of a list from which another one vanishes. */
    uint32_t arrived = load(&parking->arrived);
    long threads = count_threads(directory);
    if (threads < 0) return threads;
    if (threads == 1) return 0;
    uint32_t answered = load(&parking->answered);
    Round round;
    cordon_clear_words(&round, sizeof round);
    long result = go_round(directory, self, turn, examines, &round);
    if (result < 0) return result;
    if (round.missing == 0 && round.listed + 1 == (uint64_t)threads) {
      if (load(&parking->arrived) == arrived) return 0;
      continue;
    }
    if (round.silence.error != 0) *silence = round.silence;
    if (examines) *starving = round.starving;
    stuck = round.missing > 0 && round.moving == 0 ? stuck + 1 : 0;
    if (round.listed - round.missing > standing) end = cordon_now() + slice;
    standing = round.listed - round.missing;
    int is_over = stuck >= 2 || cordon_now() >= end;
    if (is_over && examines) return -CORDON_EAGAIN;
    if (is_over) {
      /* Not without knowing why. */
      examines = 1;
      continue;
    }
    store(&parking->wanted, answered + (uint32_t)round.unanswered);
    uint32_t now = load(&parking->answered);
    if (round.unanswered == 0 || (int32_t)(now - load(&parking->wanted)) < 0)
      cordon_wait_on(&parking->answered, now, CORDON_MILLISECOND / (round.unanswered == 0 ? 10 : 1));
    /* Not while answers are coming in: it takes longer than to answer. */
    examines = load(&parking->answered) == answered;
  }
}

/* One attempt, given up where no thread answers for `slice` and some have not. */
static long attempt(long directory, int64_t slice, const void *instructions, uint16_t count, uint32_t flags, long *loaded,
                    CordonSilence *silence, uint64_t *starving) {
  CordonParking *parking = &cordon_engine.parking;
  long result = count_threads(directory);
  if (result >= 0) result = make_lot((uint64_t)result);
  if (result >= 0) result = cordon_requests_take_signal();
  if (result < 0) return result;
  /* A forked child may have come by an odd one. */
  uint32_t turn = (load(&parking->turn) + 1) | 1;
  store(&parking->turn, turn);
  result = gather(directory, turn, slice, silence, starving);
  if (result == 0) {
    struct {
      uint16_t length;
      const void *instructions;
    } program;
    program.length = count;
    program.instructions = instructions;
    *loaded = cordon_engine.call(CORDON_NR_seccomp, 1 /* SECCOMP_SET_MODE_FILTER */, (long)flags, (long)&program, 0, 0, 0);
  }
  store(&parking->turn, turn + 1);
  wake(&parking->turn);
  return result;
}

long cordon_seccomp_load_parked(const void *instructions, uint16_t count, uint32_t flags, CordonPatience patience,
                                CordonSilence *silence) {
  CordonParking *parking = &cordon_engine.parking;
  silence->thread = 0, silence->error = 0;
  long directory = cordon_engine.call(CORDON_NR_openat, -100 /* AT_FDCWD */, (long)"/proc/self/task",
                                      0200000 | 02000000 /* O_DIRECTORY | O_CLOEXEC */, 0, 0, 0);
  if (directory < 0) {
    silence->error = directory;
    return 0;
  }
  __atomic_store_n(&cordon_engine.park, park, __ATOMIC_RELEASE);
  int64_t start = cordon_now();
  int64_t slice = 20 * CORDON_MILLISECOND, pause = CORDON_MILLISECOND;
  long loaded = 0, result;
  for (;;) {
    uint64_t starving = 0;
    result = attempt(directory, slice, instructions, count, flags, &loaded, silence, &starving);
    if (result != -CORDON_EAGAIN) break;
    int64_t waited = cordon_now() - start;
    if (cordon_is_over(patience, waited, starving != 0)) break;
    /* For whoever holds what another one waits for: the longer, the longer that has taken, since on a busy machine it may
       have to wait for a processor each time. */
    cordon_wait_on(&parking->turn, load(&parking->turn), pause);
    if (pause < 32 * CORDON_MILLISECOND) pause *= 2;
    if (pause < waited / 16) pause = waited / 16;
    if (starving != 0 && slice < CORDON_SECOND / 2) slice *= 2;
  }
  cordon_engine.call(CORDON_NR_close, directory, 0, 0, 0, 0, 0);
  if (result == 0) {
    silence->thread = 0, silence->error = 0;
    return loaded;
  }
  store(&cordon_engine.requests.given_up, 1);
  if (silence->error == 0 || result != -CORDON_EAGAIN) silence->thread = 0, silence->error = result;
  return 0;
}

CORDON_SIGNAL_PATH_END
