# Makes a call as it is described: the registers are set, and the instruction at its address is called as a function.

# struct judged_call
.set ADDRESS, 0
.set ARGUMENTS, 8
.set NUMBER, 56
.set RESULT, 64

.text

.macro SAVE
  push %rbx
  push %rbp
  push %r12
  mov %rdi, %r12
.endm

.macro RESTORE
  mov %rax, RESULT(%r12)
  pop %r12
  pop %rbp
  pop %rbx
  ret
.endm

# void make_call(struct judged_call *)
.globl make_call
.type make_call, @function
make_call:
  SAVE
  mov NUMBER(%r12), %eax
  mov ARGUMENTS + 0(%r12), %rdi
  mov ARGUMENTS + 8(%r12), %rsi
  mov ARGUMENTS + 16(%r12), %rdx
  mov ARGUMENTS + 24(%r12), %r10
  mov ARGUMENTS + 32(%r12), %r8
  mov ARGUMENTS + 40(%r12), %r9
  call *ADDRESS(%r12)
  RESTORE
.size make_call, . - make_call

# void make_old_call(struct judged_call *), for `int $0x80`
.globl make_old_call
.type make_old_call, @function
make_old_call:
  SAVE
  mov NUMBER(%r12), %eax
  mov ARGUMENTS + 0(%r12), %ebx
  mov ARGUMENTS + 8(%r12), %ecx
  mov ARGUMENTS + 16(%r12), %edx
  mov ARGUMENTS + 24(%r12), %esi
  mov ARGUMENTS + 32(%r12), %edi
  mov ARGUMENTS + 40(%r12), %ebp
  call *ADDRESS(%r12)
  cltq
  RESTORE
.size make_old_call, . - make_old_call

.section .note.GNU-stack, "", @progbits
