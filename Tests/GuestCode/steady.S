/* long steady(long count): getppid(2) over and over, with data in the 128 bytes below the stack pointer, at eight
   positions of the stack in turn. Returns how many times something was not as it must be after a call: a register, a
   flag, the data, or the answer, which must be the first one's. */
#include "template.h"

.macro STEADY_AROUND number, instruction:vararg
  pushq %rbx
  pushq %rbp
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, %rbp
  movq %rdi, %rbx
  xorl %r12d, %r12d
  movq $-1, %r14
1:
  movl %ebx, %eax
  andl $7, %eax
  shlq $3, %rax
  movq %rbp, %rsp
  subq %rax, %rsp
  movq %rsp, %r13
  .irp slot, 0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 88, 96, 104, 112, 120
  leaq \slot(%rbx), %rax
  movq %rax, \slot-128(%rsp)
  .endr
  .irp register, rdi, rsi, rdx, r8, r9, r10, r15
  movq %rbx, %\register
  .endr
  leaq 2f(%rip), %rcx
  movl $\number, %eax
  stc
  \instruction
2:
  jnc 8f
  .irp register, rdi, rsi, rdx, r8, r9, r10, r15
  cmpq %rbx, %\register
  jne 8f
  .endr
  leaq 2b(%rip), %rdx /* what RCX was before, and what a syscall instruction makes it */
  cmpq %rdx, %rcx
  jne 8f
  cmpq %rsp, %r13
  jne 8f
  .irp slot, 0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 88, 96, 104, 112, 120
  leaq \slot(%rbx), %rdx
  cmpq %rdx, \slot-128(%rsp)
  jne 8f
  .endr
  cmpq $-1, %r14
  cmoveq %rax, %r14
  cmpq %rax, %r14
  je 9f
8:
  addq $1, %r12
9:
  subq $1, %rbx
  jnz 1b
  movq %rbp, %rsp
  movq %r12, %rax
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbp
  popq %rbx
  ret
.endm

GUEST(steady)
  STEADY_AROUND 110, syscall
END(steady)

GUEST(steady32)
  STEADY_AROUND 64, int $0x80
END(steady32)

  .section .note.GNU-stack, "", @progbits
