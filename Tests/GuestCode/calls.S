/* System calls as C functions. */
#include "template.h"

/* long call(long number, long a, long b, long c, long d, long e, long f) */
GUEST(call)
  movq %rdi, %rax
  movq %rsi, %rdi
  movq %rdx, %rsi
  movq %rcx, %rdx
  movq %r8, %r10
  movq %r9, %r8
  movq 8(%rsp), %r9
  syscall
  ret
END(call)

/* The same by `int $0x80`: number and arguments go into eax, ebx, ecx, edx, esi, edi, ebp. */
GUEST(call32)
  pushq %rbx
  pushq %rbp
  movq %rdi, %rax
  movq %rsi, %rbx
  movq %rcx, %r10
  movq %rdx, %rcx
  movq %r10, %rdx
  movq %r8, %rsi
  movq %r9, %rdi
  movq 24(%rsp), %rbp
  int $0x80
  popq %rbp
  popq %rbx
  ret
END(call32)

/* What a signal handler returns to, rt_sigreturn(2), made by trapped code. */
GUEST(restorer)
  movl $15, %eax
  syscall
  ud2
END(restorer)

/* long getpid(void) */
GUEST(getpid)
  movl $39, %eax
  syscall
  ret
END(getpid)

/* long stepped(void): getpid(2) with the trap flag set, so that a SIGTRAP follows every instruction. */
GUEST(stepped)
  pushfq
  orq $0x100, (%rsp)
  popfq
  nop
  movl $39, %eax
  syscall
  nop
  movq %rax, %rdx
  pushfq
  andq $~0x100, (%rsp)
  popfq
  nop
  movq %rdx, %rax
  ret
END(stepped)

/* getpid(2), and then a stop: whoever is redirected from it must not come back to it. */
GUEST(once)
  movl $39, %eax
  syscall
  ud2
END(once)

  .section .note.GNU-stack, "", @progbits
