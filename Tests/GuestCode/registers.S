/* Every general register, the flags and the 128 bytes below the stack pointer, loaded before an instruction and stored
   after it: long registers(GuestRegisters *), which returns RAX. */
#include "template.h"

/* Offsets in GuestRegisters. */
#define BEFORE 0
#define AFTER 288
#define RBX 0
#define RCX 8
#define RDX 16
#define RSI 24
#define RDI 32
#define RBP 40
#define R8 48
#define R9 56
#define R10 64
#define R11 72
#define R12 80
#define R13 88
#define R14 96
#define R15 104
#define RAX 112
#define FLAGS 120
#define RED 128
#define RSP 256
#define RIP 264

.macro REGISTERS_AROUND instruction:vararg
  pushq %rbx
  pushq %rbp
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  pushfq
  pushq %rdi
  movq %rsp, BEFORE+RSP(%rdi)
  leaq 1f(%rip), %rax
  movq %rax, BEFORE+RIP(%rdi)
  pushq BEFORE+FLAGS(%rdi)
  popfq
  .irp slot, 0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 88, 96, 104, 112, 120
  movq BEFORE+RED+\slot(%rdi), %rax
  movq %rax, \slot-128(%rsp)
  .endr
  movq BEFORE+RAX(%rdi), %rax
  movq BEFORE+RBX(%rdi), %rbx
  movq BEFORE+RCX(%rdi), %rcx
  movq BEFORE+RDX(%rdi), %rdx
  movq BEFORE+RSI(%rdi), %rsi
  movq BEFORE+RBP(%rdi), %rbp
  movq BEFORE+R8(%rdi), %r8
  movq BEFORE+R9(%rdi), %r9
  movq BEFORE+R10(%rdi), %r10
  movq BEFORE+R11(%rdi), %r11
  movq BEFORE+R12(%rdi), %r12
  movq BEFORE+R13(%rdi), %r13
  movq BEFORE+R14(%rdi), %r14
  movq BEFORE+R15(%rdi), %r15
  movq BEFORE+RDI(%rdi), %rdi
  \instruction
1:
  leaq -256(%rsp), %rsp /* past the 128 bytes that are looked at, without touching a flag */
  pushfq
  pushq %rdi
  movq 272(%rsp), %rdi
  popq AFTER+RDI(%rdi)
  popq AFTER+FLAGS(%rdi)
  cld
  leaq 256(%rsp), %rsp
  movq %rsp, AFTER+RSP(%rdi)
  movq %rax, AFTER+RAX(%rdi)
  movq %rbx, AFTER+RBX(%rdi)
  movq %rcx, AFTER+RCX(%rdi)
  movq %rdx, AFTER+RDX(%rdi)
  movq %rsi, AFTER+RSI(%rdi)
  movq %rbp, AFTER+RBP(%rdi)
  movq %r8, AFTER+R8(%rdi)
  movq %r9, AFTER+R9(%rdi)
  movq %r10, AFTER+R10(%rdi)
  movq %r11, AFTER+R11(%rdi)
  movq %r12, AFTER+R12(%rdi)
  movq %r13, AFTER+R13(%rdi)
  movq %r14, AFTER+R14(%rdi)
  movq %r15, AFTER+R15(%rdi)
  .irp slot, 0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 88, 96, 104, 112, 120
  movq \slot-128(%rsp), %rcx
  movq %rcx, AFTER+RED+\slot(%rdi)
  .endr
  popq %rdi
  popfq
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbp
  popq %rbx
  ret
.endm

GUEST(registers)
  REGISTERS_AROUND syscall
END(registers)

GUEST(registers32)
  REGISTERS_AROUND int $0x80
END(registers32)

/* A breakpoint: SIGTRAP arrives with all of these registers, whatever they hold. */
GUEST(registers_signal)
  REGISTERS_AROUND int3
END(registers_signal)

  .section .note.GNU-stack, "", @progbits
