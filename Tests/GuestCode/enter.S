/* long guest_enter(uint64_t address, long number, long a, long b, long c, long d): calls code that expects its system
   call's number in RAX already. */
  .text
  .globl guest_enter
guest_enter:
  movq %rdi, %r11
  movq %rsi, %rax
  movq %rdx, %rdi
  movq %rcx, %rsi
  movq %r8, %rdx
  movq %r9, %r10
  jmpq *%r11

/* uint64_t guest_return(void): the address of a `ret`. */
  .globl guest_return
guest_return:
  leaq 1f(%rip), %rax
1:
  ret

/* long guest_bare_thread(uint64_t code, GuestThread *state, uint64_t stack_end, volatile int32_t *alive) */
  .globl guest_bare_thread
guest_bare_thread:
  pushq %rbx
  pushq %rbp
  movq %rdi, %rbx
  movq %rsi, %rbp
  movq %rdx, %rsi
  movq %rcx, %rdx
  movq %rcx, %r10
  movl $0x350f00, %edi /* VM FS FILES SIGHAND THREAD SYSVSEM PARENT_SETTID CHILD_CLEARTID */
  movl $56, %eax /* clone */
  syscall
  testq %rax, %rax
  jz 1f
  popq %rbp
  popq %rbx
  ret
1:
  movq %rbp, %rdi
  callq *%rbx
  ud2

  .section .note.GNU-stack, "", @progbits
