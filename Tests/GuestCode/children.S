/* Processes and threads made by trapped code: long child(GuestChild *), which returns what the making call returned. The
   call is made as libc makes vfork: the return address is popped before and pushed after it, since the child may share
   the stack. The child makes six calls, writes over 6 KiB of its stack, says so, and ends. */
#include "template.h"

/* Offsets in GuestChild. */
#define NUMBER 0
#define ARGUMENTS 8
#define ANSWERS 48
#define DONE 96
#define STATUS 104
#define MADE 112
#define REGISTERS 120

.macro ANSWER slot, number
  movl $\number, %eax
  syscall
  movq %rax, ANSWERS+8*\slot(%rbx)
.endm

/* By `int $0x80`: the parent's RCX is looked at as well, which that keeps. What the child does is in the template below,
   which is part of this one. */
GUEST(child80)
  pushq %rbx
  pushq %rbp
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rdi, %r15
  movq $0x1111, %rbp
  movq $0x3333, %r13
  movq $0x4444, %r14
  call make80
  testq %rax, %rax
  jz in_child80
  movq %rax, MADE(%r15)
  movq %rbp, REGISTERS(%r15)
  movq %r13, REGISTERS+8(%r15)
  movq %r14, REGISTERS+16(%r15)
  movl $0x5555, %eax
  cmpq ARGUMENTS+8(%r15), %rcx
  je 1f
  xorl %eax, %eax
1:
  movq %rax, REGISTERS+24(%r15)
  movq MADE(%r15), %rax
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbp
  popq %rbx
  ret
make80:
  movq NUMBER(%r15), %rax
  movq ARGUMENTS(%r15), %rbx
  movq ARGUMENTS+8(%r15), %rcx
  movq ARGUMENTS+16(%r15), %rdx
  movq ARGUMENTS+24(%r15), %rsi
  movq ARGUMENTS+32(%r15), %rdi
  popq %r12
  int $0x80
  pushq %r12
  ret
in_child80:
  cmpq $0x1111, %rbp
  jne lost
  cmpq ARGUMENTS+8(%r15), %rcx
  jne lost
  movq %r15, %rbx
  jmp in_child

GUEST(child)
  pushq %rbx
  pushq %rbp
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rdi, %rbx
  movq $0x1111, %rbp
  movq $0x3333, %r13
  movq $0x4444, %r14
  movq $0x5555, %r15
  call make
  testq %rax, %rax
  jz in_child
  movq %rax, MADE(%rbx)
  movq %rbp, REGISTERS(%rbx)
  movq %r13, REGISTERS+8(%rbx)
  movq %r14, REGISTERS+16(%rbx)
  movq %r15, REGISTERS+24(%rbx)
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbp
  popq %rbx
  ret
make:
  movq NUMBER(%rbx), %rax
  movq ARGUMENTS(%rbx), %rdi
  movq ARGUMENTS+8(%rbx), %rsi
  movq ARGUMENTS+16(%rbx), %rdx
  movq ARGUMENTS+24(%rbx), %r10
  movq ARGUMENTS+32(%rbx), %r8
  popq %r12
  syscall
  pushq %r12
  ret
in_child:
  cmpq $0x1111, %rbp
  jne lost
  ANSWER 0, 39   /* getpid */
  ANSWER 1, 186  /* gettid */
  ANSWER 2, 110  /* getppid */
  subq $6144, %rsp
  movq %rsp, %rdi
  movl $768, %ecx
  movq $-1, %rax
  rep stosq
  ANSWER 3, 102  /* getuid */
  ANSWER 4, 104  /* getgid */
  ANSWER 5, 24   /* sched_yield */
  addq $6144, %rsp
  movq $0x600d, DONE(%rbx)
  movq STATUS(%rbx), %rdi
  movl $60, %eax /* exit */
  syscall
lost:
  ud2

END(child)
END(child80)

  .section .note.GNU-stack, "", @progbits
