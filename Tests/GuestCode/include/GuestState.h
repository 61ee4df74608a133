/// What the templates read and write. Their assembly knows the offsets, which are checked here.
#ifndef GUEST_STATE_H
#define GUEST_STATE_H

#include <stddef.h>
#include <stdint.h>

/// The general registers at one moment, the flags, and the 128 bytes below the stack pointer.
typedef struct GuestRegisterFile {
  uint64_t rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15, rax, flags;
  uint64_t red_zone[16];
  uint64_t rsp;
  /// Before: the address after the instruction. After: unused.
  uint64_t rip;
  uint64_t unused[2];
} GuestRegisterFile;

typedef struct GuestRegisters {
  GuestRegisterFile before, after;
} GuestRegisters;

/// The floating-point and vector state. Without AVX-512 only the lower 16 bytes of the first 16 registers are used.
typedef struct GuestVectorFile {
  uint8_t zmm[32][64];
  uint64_t masks[8];
  uint8_t x87[8][10];
  uint32_t mxcsr;
  uint16_t x87_control;
  uint8_t unused[42];
} GuestVectorFile;

typedef struct GuestVectors {
  uint64_t number;
  uint64_t unused[7];
  GuestVectorFile before, after;
} GuestVectors;

/// A process or thread that the guest makes.
typedef struct GuestChild {
  /// The call that makes it, and its arguments.
  uint64_t number, arguments[5];
  /// What the child's calls returned: getpid, gettid, getppid, getuid, getgid, sched_yield.
  int64_t answers[6];
  /// 0x600d once the child has got that far.
  uint64_t done;
  /// What the child ends with.
  int64_t status;
  /// What the making call returned in the parent, and four of its registers after it: 0x1111, 0x3333, 0x4444, 0x5555.
  int64_t made;
  uint64_t registers[4];
  /// For CLONE_PARENT_SETTID and CLONE_CHILD_CLEARTID.
  volatile int32_t thread;
  uint32_t padding;
} GuestChild;

/// A thread with nothing but a stack; see threads.S.
typedef struct GuestThread {
  uint64_t stack, size;
  int64_t count;
  /// 1: the thread has no use for its stack any more. 2: it may go on.
  volatile int32_t stage;
  int32_t padding;
  /// stack_t: SS_DISABLE.
  uint64_t alternate_start;
  int32_t alternate_flags, alternate_padding;
  uint64_t alternate_size;
} GuestThread;

_Static_assert(offsetof(GuestThread, stage) == 24 && offsetof(GuestThread, alternate_start) == 32, "threads.S");
_Static_assert(offsetof(GuestRegisterFile, rax) == 112 && offsetof(GuestRegisterFile, red_zone) == 128, "registers.S");
_Static_assert(offsetof(GuestRegisterFile, rsp) == 256 && sizeof(GuestRegisterFile) == 288, "registers.S");
_Static_assert(offsetof(GuestVectorFile, masks) == 2048 && offsetof(GuestVectorFile, x87) == 2112, "vectors.S");
_Static_assert(offsetof(GuestVectorFile, mxcsr) == 2192 && sizeof(GuestVectorFile) == 2240, "vectors.S");
_Static_assert(offsetof(GuestChild, answers) == 48 && offsetof(GuestChild, registers) == 120, "children.S");

#endif
