#ifndef CORDON_KERNEL_JUDGE_H
#define CORDON_KERNEL_JUDGE_H

#include <stddef.h>
#include <stdint.h>

/// A system call that is really made, and what came of it.
struct judged_call {
  /// Where the first byte of the instruction lies.
  uint64_t address;
  /// For `int $0x80` the lower halves count.
  uint64_t arguments[6];
  uint32_t number;
  /// Whether the instruction is `int $0x80`, and not `syscall`.
  uint32_t is_32_bit;
  /// What the call returned; JUDGED_CALL_NOT_MADE where no code could be placed at the address.
  int64_t result;
};

#define JUDGED_CALL_NOT_MADE INT64_MIN

/// Makes calls under a filter that lets none happen, in a process of its own, which then ends.
///
/// 0, or the negative error number of what could not be done: of the kernel's against the filter, or -ECHILD where the
/// process ended before it had made all calls.
int judge_calls(const void *instructions, uint16_t length, struct judged_call *calls, size_t count);

#endif
