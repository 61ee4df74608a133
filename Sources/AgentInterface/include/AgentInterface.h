/// What the launcher and the agent agree on: where in the agent's span of addresses what lies, and what the launcher
/// tells an agent that it has placed.
#ifndef CORDON_AGENT_INTERFACE_H
#define CORDON_AGENT_INTERFACE_H

#include <stddef.h>
#include <stdint.h>

/// Offsets from the agent's base. The launcher chooses the base once for a tree of processes, since inherited filters name
/// it, and the kernel's first calls on it are made before anything lies there.
enum {
  /// Header, code and constants, readable and executable: the image that the launcher writes.
  CORDON_AGENT_IMAGE_LIMIT = 0x8000,
  /// The trap engine's gate, and behind its code its data.
  CORDON_AGENT_GATE = 0x8000,
  /// Where the exempt range ends: calls from [base, base + this) are the agent's own.
  CORDON_AGENT_EXEMPT_END = 0xa9000,
  /// The agent's variables, all zero at first. The linker script has the same number.
  CORDON_AGENT_DATA = 0x150000,
  /// Nothing of the agent lies at or above this.
  CORDON_AGENT_SPAN = 0x1000000,
};

/// SECCOMP_RET_DATA of the filter's traps.
#define CORDON_AGENT_TRAP_DATA 0xc04d

#define CORDON_AGENT_MAGIC 0x6e6f64726f436567ull

/// The first bytes of the image. The second half is the launcher's to fill in before it lets the agent run.
typedef struct CordonAgentHeader {
  uint64_t magic;
  /// Offset of the code to start at, in a program that has just been executed.
  uint32_t start;
  /// Offset of `long call(long number, long a, long b, long c, long d, long e, long f)`.
  uint32_t call;
  /// Where the image ends, as an offset.
  uint32_t end;
  uint32_t reserved;

  /// The program's own first instruction.
  uint64_t entry;
  /// Process id of the supervisor, as the launcher sees it; for messages.
  int64_t supervisor;
} CordonAgentHeader;

#endif
