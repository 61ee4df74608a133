/* Code that has a thread to itself. */
#include "template.h"

/* void leave(long status): exit(2) of this thread alone. */
GUEST(leave)
  movl $60, %eax
  syscall
  ud2
END(leave)

/* long without_tls(long base, long *answers): sets the FS base to `base`, which nothing can be read at, makes three
   calls, and puts the old base back. Returns what the last arch_prctl returned. */
GUEST(without_tls)
  pushq %rbx
  pushq %r12
  pushq %r13
  movq %rdi, %r12
  movq %rsi, %rbx
  subq $16, %rsp
  movl $158, %eax /* arch_prctl */
  movl $0x1003, %edi /* ARCH_GET_FS */
  movq %rsp, %rsi
  syscall
  movq (%rsp), %r13
  movl $158, %eax
  movl $0x1002, %edi /* ARCH_SET_FS */
  movq %r12, %rsi
  syscall
  movq %rax, (%rbx)
  movl $39, %eax
  syscall
  movq %rax, 8(%rbx)
  movl $158, %eax
  movl $0x1003, %edi
  leaq 16(%rbx), %rsi
  syscall
  movl $158, %eax
  movl $0x1002, %edi
  movq %r13, %rsi
  syscall
  addq $16, %rsp
  popq %r13
  popq %r12
  popq %rbx
  ret
END(without_tls)

/* long storm(long count, long first): `count` calls of a number that does not exist, each with an argument of its own.
   Returns the sum of their answers. */
GUEST(storm)
  pushq %rbx
  pushq %r12
  pushq %r13
  movq %rdi, %rbx
  movq %rsi, %r12
  xorl %r13d, %r13d
1:
  movl $1000, %eax
  movq %r12, %rdi
  syscall
  addq %rax, %r13
  addq $1, %r12
  subq $1, %rbx
  jnz 1b
  movq %r13, %rax
  popq %r13
  popq %r12
  popq %rbx
  ret
END(storm)

/* void unmapping(GuestThread *): runs `count` getpid(2), then unmaps its own stack, as musl's threads do, and exits; it is
   called by a new thread that has nothing but that stack. */
GUEST(unmapping)
  movq %rdi, %rbx
1:
  movl $39, %eax
  syscall
  subq $1, 16(%rbx)
  jnz 1b
  movl $11, %eax /* munmap */
  movq (%rbx), %rdi
  movq 8(%rbx), %rsi
  syscall
  xorl %edi, %edi
  movl $60, %eax /* exit */
  syscall
  ud2
END(unmapping)

/* void stackless(GuestThread *): gives up its alternate stack while every signal is blocked, lets another thread have the
   memory that it runs on, and exits, as Go's threads do. */
GUEST(stackless)
  movq %rdi, %rbx
  movl $131, %eax /* sigaltstack */
  leaq 32(%rbx), %rdi
  xorl %esi, %esi
  syscall
  movl $1, 24(%rbx)
2:
  pause
  cmpl $2, 24(%rbx)
  jne 2b
  xorl %edi, %edi
  movl $60, %eax
  syscall
  ud2
END(stackless)

  .section .note.GNU-stack, "", @progbits
