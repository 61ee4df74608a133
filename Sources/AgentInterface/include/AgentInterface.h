/// What the launcher and the agent agree on: where in the agent's span of addresses what lies, and what the launcher
/// tells an agent that it has placed.
#ifndef CORDON_AGENT_INTERFACE_H
#define CORDON_AGENT_INTERFACE_H

#include <stddef.h>
#include <stdint.h>

/// Offsets from the agent's base. The launcher chooses the base once for a tree of processes, since inherited filters name
/// it, and the kernel's first calls on it are made before anything lies there.
enum {
  /// Header, code and constants, readable and executable.
  CORDON_AGENT_IMAGE_LIMIT = 0x10000,
  /// Thunks of calls that are timed.
  CORDON_AGENT_CALLS = 0x10000,
  /// Thunks of those that make a child.
  CORDON_AGENT_CHILD_CALLS = 0x18000,
  CORDON_AGENT_CHILD_THUNKS = 256,
  /// The trap engine's gate, and behind its code its data.
  CORDON_AGENT_GATE = 0x1c000,
  /// Where the exempt range ends: calls from [base, base + this) are the agent's own. Every process of a tree has it from one
  /// and the same file, with the image and the gate's code in it.
  CORDON_AGENT_EXEMPT_END = 0xbd000,
  /// The agent's variables, all zero at first. The linker script has the same number.
  CORDON_AGENT_DATA = 0x160000,
  /// In a process that has executed the loader's file: a CordonLoadRecord, until the program is there.
  CORDON_AGENT_RECORD = 0x1e0000,
  CORDON_AGENT_RECORD_LIMIT = 0x8000,
  /// What the agent shares with the launcher: CordonAgentArea.
  CORDON_AGENT_AREA = 0x200000,
  /// Nothing of the agent lies at or above this.
  CORDON_AGENT_SPAN = 0x1000000,
};

/// SECCOMP_RET_DATA of the filter's traps.
#define CORDON_AGENT_TRAP_DATA 0xc04d

#define CORDON_AGENT_MAGIC 0x6e6f64726f436567ull

/// A call of this number ends its thread or its process as a filter does, core dump and all, where the lower half of its
/// first argument says which. No kernel has such a call; the filter with the listener answers it.
#define CORDON_KILL_CALL 0x0ac04d00
enum {
  CORDON_KILL_THREAD = 1,
  CORDON_KILL_PROCESS = 2,
};

/// What an agent is to do besides letting calls pass.
enum {
  CORDON_AGENT_ACCOUNTS = 1, ///< counts and times calls, in an area that it asks the launcher for
  CORDON_AGENT_LOGS = 2,     ///< leaves a record of each call in the area's ring
  CORDON_AGENT_PLACES = 4,   ///< maps modules that are to be trapped where the filter traps
  CORDON_AGENT_DISPATCHES = 8, ///< traps by syscall user dispatch
  CORDON_AGENT_READS_THREAD_POINTERS = 16, ///< may, by an instruction that not all machines have
};

/// The first bytes of the image. The second half is the launcher's to fill in before it lets the agent run.
typedef struct CordonAgentHeader {
  uint64_t magic;
  /// Offset of the code to start at, in a program that has just been executed.
  uint32_t start;
  /// Offset of `long call(long number, long a, long b, long c, long d, long e, long f)`.
  uint32_t call;
  /// Where the image ends, as an offset.
  uint32_t end;
  /// CORDON_AGENT_ACCOUNTS and the like.
  uint32_t duties;

  /// Process id of the supervisor, as the launcher sees it; for messages.
  int64_t supervisor;
  /// Where modules go that are to be trapped, with CORDON_AGENT_PLACES.
  uint64_t arena_start, arena_end;
  /// In the loader's file, what of SIGSYS the program has from the one that has executed it: CORDON_SIGSYS_IGNORED,
  /// CORDON_SIGSYS_BLOCKED.
  uint64_t inherited;
  /// Offsets of `long load(long loader, long folder, long path, long arguments, long environment, long flags)`, and of the
  /// code to start at in a process that has executed the loader's file.
  uint32_t load, loaded;
  /// Offsets of the code that a program begins with, and of its end.
  uint32_t birth, birth_end;
} CordonAgentHeader;

/// How a program gets its agent. The launcher has stopped it before its first instruction, writes the code between `birth` and
/// `birth_end` behind the code of its vDSO, sets these registers, and lets it go. That code makes a call that waits at the
/// filter's listener, of the number in R12 and with the base as its first argument, is answered with a descriptor of the
/// agent's file, and maps that. What it cannot map it says by the same call, with the negated errno as the second argument.
/// Then it goes on at R13.
///
/// The number is of the call by which the program has been executed, so that no filter of the program's own has it fail.
enum {
  CORDON_BIRTH_FLAGS = 0x100002, ///< of its mmap: MAP_PRIVATE | MAP_FIXED_NOREPLACE
};

/// A thread that somebody else traces, or that the launcher may not trace, is not given a new program's agent from outside.
/// Its call is answered with a descriptor instead, of an ELF file with the agent in it, which it executes in the program's
/// place (`load`), and which maps the program (`loaded`). The file is an ELF header in a page of its own, what the agent's file
/// has, and this with the texts behind it.
typedef struct CordonLoadRecord {
  /// Descriptors of the program and of its ELF interpreter; -1 where it has none.
  int32_t program, interpreter;
  /// How many of the texts are words that come before the arguments, in the place of the first: those of a script's
  /// interpreters. Before them is the name of the program as it was given.
  uint32_t words;
  /// Whether the program was given as a descriptor and not by a path.
  uint32_t is_nameless;
} CordonLoadRecord;

enum {
  CORDON_LOADER_IMAGE_OFFSET = 4096,
  CORDON_LOADER_RECORD_OFFSET = CORDON_LOADER_IMAGE_OFFSET + CORDON_AGENT_EXEMPT_END,
};

/// The sixth argument of execveat(2), which has five, where the loader's file is executed.
#define CORDON_AGENT_LOADS 0x5ac04d01

/// The agent asks the launcher by a call that waits at the filter's listener: execveat with these flags, which the kernel
/// knows none of, and the question as its first argument.
#define CORDON_AGENT_ASKS 0x5ac04d00

/// The sixth argument of the execve and execveat that an agent makes for a program whose call it times: plus the index of
/// that CordonCall, which nobody is left to close where the call succeeds, and in the upper half the number of the area.
#define CORDON_AGENT_EXECUTES 0x5ac10000

enum {
  /// For an area: answered with a descriptor of it.
  CORDON_QUESTION_AREA = 1,
  /// What lies at the address in the second argument, of those whose area has the number in the third: answered in the area's
  /// table of modules, and with its place there, plus 1, or 0, in bits 0 to 15. Bits 16 to 31 and 32 to 47 are the first and
  /// the number of others that are new in the table and in the process's memory too.
  CORDON_QUESTION_MODULE = 2,
  /// Whether the file of the descriptor in the second argument is a module to be trapped: answered with 1 or 0. With -1, whether
  /// the process has one open: a loader that reserves memory for it has. The third argument is 1 where it cannot be placed.
  CORDON_QUESTION_PLACE = 3,
  /// None: the second argument is what the program that this thread executes next has of SIGSYS. Answered with 0.
  CORDON_QUESTION_INHERIT = 4,
  /// For the loader's file: answered with a descriptor of it. The sixth argument is as that of the call which it takes the
  /// place of.
  CORDON_QUESTION_LOADER = 5,
  /// For the agent's file: answered with a descriptor of it.
  CORDON_QUESTION_AGENT = 6,
};

enum {
  CORDON_AREA_MODULES = 2048,
  CORDON_AREA_SITES = 16384,
  CORDON_AREA_INDEX = 32768, ///< a hash table of sites; a power of two
  CORDON_AREA_CALLS = 1024,
  CORDON_AREA_RECORDS = 8192,
  CORDON_AREA_POLICY_INSTRUCTIONS = 16384,
};

/// Code that is mapped from one file, or from none, and where. Written by the launcher before it counts. The table holds what
/// any of the processes has mapped that share it; which of it lies in a process's memory its agent knows.
typedef struct CordonModule {
  uint64_t start, end;
  /// Of the first byte in its file.
  uint64_t file_offset;
  /// Index of its name, which only the launcher has.
  uint32_t name;
  /// Whether its calls are accounted, whatever its policy says.
  uint8_t traps;
  /// Whether it can be written.
  uint8_t is_writable;
  /// What becomes of its calls: a program for the kernel's BPF machine, among the area's; of length 0 where they pass.
  uint16_t policy_length;
  uint32_t policy_start;
  /// How many modules have had this place of the table, with this one: what an agent knows of an earlier one does not hold for
  /// it. Counted from 1, and changed by the launcher before all else of it.
  uint32_t turn;
} CordonModule;

/// An instruction of a policy: struct sock_filter.
typedef struct CordonPolicyInstruction {
  uint16_t code;
  uint8_t if_true, if_false;
  uint32_t constant;
} CordonPolicyInstruction;

/// A call number at a place that calls.
typedef struct CordonSite {
  /// The address shifted left by 16, with 0x8000 for int $0x80, 0x4000 for x32, and 14 bits of the number. 0: none.
  uint64_t key;
  uint64_t calls;
  uint64_t errors;
  /// Ticks of the time stamp counter in calls that were timed, and how many were.
  uint64_t ticks, timed;
  /// The time stamp counter at its first call.
  uint64_t first;
  /// Index of the module, plus 1.
  uint32_t module;
  uint32_t reserved;
} CordonSite;

enum {
  CordonCallFree = 0,
  CordonCallOpen = 1,
  CordonCallDone = 2,
  CordonCallNoted = 3,   ///< done, and being taken note of
  CordonCallClaimed = 4, ///< for a call that is yet to be described
};

/// A call that is timed, from its trap until somebody takes note of its end. The assembly file has the same offsets.
typedef struct CordonCall {
  uint64_t resume, result, scratch, back;
  uint64_t began, ended;
  uint8_t state;
  uint8_t reserved[3];
  uint32_t site;
  int32_t thread, process;
  uint64_t arguments[6];
  uint64_t padding[2];
} CordonCall;

/// How far a record is. The launcher takes records in the order of their places, and sets one aside that is long begun: its
/// writer may have ended, or jumped out of a signal handler, and whoever waits for it waits for ever.
typedef enum CordonRecordState {
  CordonRecordComplete = 0,
  CordonRecordBegun = 1,
  CordonRecordSetAside = 2, ///< begun, and no longer waited for
  CordonRecordLate = 3,     ///< set aside, and complete after all
  CordonRecordPassed = 4,   ///< nothing was, or will be, written here in this turn
} CordonRecordState;

/// A call, for the log.
typedef struct CordonRecord {
  /// A CordonRecordState, and above it, from bit 3 on, the turn of the ring that it is of, counted from 1. 0: unused.
  uint64_t state;
  uint64_t key;
  uint64_t began, ended;
  int64_t result;
  uint64_t arguments[6];
  uint32_t module;
  int32_t thread, process;
  /// Whether `result` and `ended` are there.
  uint32_t has_result;
} CordonRecord;

/// What all processes share that have been forked off one program since it was executed: this, and the tables behind it.
typedef struct CordonAgentArea {
  /// How many modules there are; the launcher adds to them.
  uint32_t modules;
  /// Calls from sites that found no room, and records.
  uint32_t lost_calls, lost_records;
  /// How many sites have been given out, and below which place all calls lie.
  uint32_t sites, calls_end;
  /// The policy of code that is in none of them, as a module's.
  uint32_t elsewhere_policy_start, elsewhere_policy_length;
  /// By which the launcher knows it: no other has it.
  uint32_t number;
  uint64_t written, read;
  /// 1 more than `read` was when a program gave up waiting for room.
  uint64_t given_up;
} CordonAgentArea;

enum {
  CORDON_AREA_MODULES_AT = 4096,
  CORDON_AREA_CALLS_AT = CORDON_AREA_MODULES_AT + CORDON_AREA_MODULES * 40,
  CORDON_AREA_INDEX_AT = CORDON_AREA_CALLS_AT + CORDON_AREA_CALLS * 128,
  CORDON_AREA_SITES_AT = CORDON_AREA_INDEX_AT + CORDON_AREA_INDEX * 2,
  CORDON_AREA_RECORDS_AT = CORDON_AREA_SITES_AT + CORDON_AREA_SITES * 56,
  CORDON_AREA_POLICIES_AT = CORDON_AREA_RECORDS_AT + CORDON_AREA_RECORDS * 104,
  CORDON_AREA_SIZE = CORDON_AREA_POLICIES_AT + CORDON_AREA_POLICY_INSTRUCTIONS * 8,
};

#pragma clang assume_nonnull begin
static inline CordonModule *cordon_area_module(CordonAgentArea *area, uint64_t index) {
  return (CordonModule *)((uint8_t *)area + CORDON_AREA_MODULES_AT) + index % CORDON_AREA_MODULES;
}
static inline CordonCall *cordon_area_call(CordonAgentArea *area, uint64_t index) {
  return (CordonCall *)((uint8_t *)area + CORDON_AREA_CALLS_AT) + index % CORDON_AREA_CALLS;
}
static inline uint16_t *cordon_area_index(CordonAgentArea *area, uint64_t hash) {
  return (uint16_t *)((uint8_t *)area + CORDON_AREA_INDEX_AT) + hash % CORDON_AREA_INDEX;
}
static inline CordonSite *cordon_area_site(CordonAgentArea *area, uint64_t index) {
  return (CordonSite *)((uint8_t *)area + CORDON_AREA_SITES_AT) + index % CORDON_AREA_SITES;
}
static inline CordonRecord *cordon_area_record(CordonAgentArea *area, uint64_t place) {
  return (CordonRecord *)((uint8_t *)area + CORDON_AREA_RECORDS_AT) + place % CORDON_AREA_RECORDS;
}
/// What CordonRecord.state is for the record at a place.
static inline uint64_t cordon_record_state(uint64_t place, CordonRecordState state) {
  return (place / CORDON_AREA_RECORDS + 1) << 3 | state;
}

/// The launcher's accesses to what agents change meanwhile.
static inline uint32_t cordon_area_sites(const CordonAgentArea *area) {
  uint32_t count = __atomic_load_n(&area->sites, __ATOMIC_ACQUIRE);
  return count < CORDON_AREA_SITES ? count : CORDON_AREA_SITES;
}
static inline uint32_t cordon_area_calls_end(const CordonAgentArea *area) {
  return __atomic_load_n(&area->calls_end, __ATOMIC_ACQUIRE);
}
static inline void cordon_area_publish_modules(CordonAgentArea *area, uint32_t count) {
  __atomic_store_n(&area->modules, count, __ATOMIC_RELEASE);
}
static inline uint32_t cordon_module_turn(const CordonModule *module) {
  return __atomic_load_n(&module->turn, __ATOMIC_ACQUIRE);
}
/// Another has the place from now on: nobody takes for it what is written there next.
static inline void cordon_module_take_place(CordonModule *module) {
  __atomic_fetch_add(&module->turn, 1, __ATOMIC_SEQ_CST);
}
static inline uint64_t cordon_area_written(const CordonAgentArea *area) {
  return __atomic_load_n(&area->written, __ATOMIC_ACQUIRE);
}
static inline void cordon_area_publish_read(CordonAgentArea *area, uint64_t read) {
  __atomic_store_n(&area->read, read, __ATOMIC_RELEASE);
}
static inline uint64_t cordon_record_load_state(const CordonRecord *record) {
  return __atomic_load_n(&record->state, __ATOMIC_ACQUIRE);
}
static inline void cordon_record_store_state(CordonRecord *record, uint64_t state) {
  __atomic_store_n(&record->state, state, __ATOMIC_RELEASE);
}
/// Whether the state was the one, and is now the other.
static inline int cordon_record_exchange_state(CordonRecord *record, uint64_t from, uint64_t to) {
  return __atomic_compare_exchange_n(&record->state, &from, to, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}
static inline void cordon_call_free(CordonCall *call) { __atomic_store_n(&call->state, CordonCallFree, __ATOMIC_RELEASE); }
static inline uint8_t cordon_call_state(const CordonCall *call) { return __atomic_load_n(&call->state, __ATOMIC_ACQUIRE); }

static inline CordonPolicyInstruction *cordon_area_policy(CordonAgentArea *area, uint64_t index) {
  return (CordonPolicyInstruction *)((uint8_t *)area + CORDON_AREA_POLICIES_AT) + index % CORDON_AREA_POLICY_INSTRUCTIONS;
}

/// Begins a record at the next place of the ring; 0 where that has no room. It is the record that is taken: of a thread that
/// is killed behind that it can be told that it has begun one, and whoever comes next has the ring go on. The record of an
/// earlier turn that is set aside is its writer's still, and its place is passed over.
static inline int cordon_area_begin_record(CordonAgentArea *area, uint64_t *place) {
  *place = __atomic_load_n(&area->written, __ATOMIC_ACQUIRE);
  while ((int64_t)(*place - __atomic_load_n(&area->read, __ATOMIC_ACQUIRE)) < CORDON_AREA_RECORDS) {
    CordonRecord *record = cordon_area_record(area, *place);
    uint64_t begun = cordon_record_state(*place, CordonRecordBegun), found = cordon_record_load_state(record);
    int is_free = found >> 3 < begun >> 3 && ((found & 7) == CordonRecordComplete || (found & 7) == CordonRecordPassed);
    int is_taken = is_free && cordon_record_exchange_state(record, found, begun);
    uint64_t written = *place;
    (void)__atomic_compare_exchange_n(&area->written, &written, *place + 1, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
    if (is_taken) return 1;
    *place = __atomic_load_n(&area->written, __ATOMIC_ACQUIRE);
  }
  return 0;
}
/// All of the record at a place is written.
static inline void cordon_area_complete_record(CordonAgentArea *area, uint64_t place) {
  CordonRecord *record = cordon_area_record(area, place);
  uint64_t begun = cordon_record_state(place, CordonRecordBegun);
  if (!cordon_record_exchange_state(record, begun, cordon_record_state(place, CordonRecordComplete)))
    cordon_record_store_state(record, cordon_record_state(place, CordonRecordLate));
}
#pragma clang assume_nonnull end

/// The time stamp counter.
static inline uint64_t cordon_ticks(void) {
  uint32_t low, high;
  __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
  return (uint64_t)high << 32 | low;
}

#endif
