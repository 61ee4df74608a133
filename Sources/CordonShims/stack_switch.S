/* void cordon_call_on_stack(void (*body)(void *), void *argument, void *top): calls `body` with the stack pointer at `top`,
   a multiple of 16, and comes back. A debugger sees through it to the caller. */
  .text
  .globl cordon_call_on_stack
  .hidden cordon_call_on_stack
  .type cordon_call_on_stack, @function
cordon_call_on_stack:
  .cfi_startproc
  pushq %rbp
  .cfi_def_cfa_offset 16
  .cfi_offset %rbp, -16
  movq %rsp, %rbp
  .cfi_def_cfa_register %rbp
  movq %rdx, %rsp
  movq %rdi, %rax
  movq %rsi, %rdi
  callq *%rax
  movq %rbp, %rsp
  popq %rbp
  .cfi_def_cfa %rsp, 8
  ret
  .cfi_endproc
  .size cordon_call_on_stack, . - cordon_call_on_stack

  .section .note.GNU-stack, "", @progbits
