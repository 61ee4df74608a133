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

  .section .note.GNU-stack, "", @progbits
