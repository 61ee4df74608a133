/* 32-bit code in a 64-bit process, which lies below 4 GiB: long code32(uint32_t *call, void *stack), with the number and
   five arguments in `call`, and the stack below 4 GiB too. Returns what is in EAX after `int $0x80`. */
#include "template.h"

GUEST(code32)
  pushq %rbx
  pushq %rbp
  pushq %r12
  movq %rsp, %r12 /* 32-bit code leaves it alone; it would cut RBP in half */
  movl $0x2b, %eax /* the user's data segment, which 64-bit code has no need of */
  movl %eax, %ds
  movl %eax, %es
  movq %rsi, %rsp
  subq $16, %rsp
  leaq in_code32(%rip), %rax
  movl %eax, (%rsp)
  movl $0x23, 4(%rsp) /* the user's 32-bit code segment */
  movq %rdi, %rsi
  lcall *(%rsp)
  movslq %eax, %rax
  movq %r12, %rsp
  popq %r12
  popq %rbp
  popq %rbx
  ret
  .code32
in_code32:
  pushl %ebp
  movl (%esi), %eax
  movl 4(%esi), %ebx
  movl 8(%esi), %ecx
  movl 12(%esi), %edx
  movl 20(%esi), %edi
  movl 16(%esi), %esi
  int $0x80
  popl %ebp
  lret
  .code64
END(code32)

  .section .note.GNU-stack, "", @progbits
