/* Templates of the code that lies in the gate. It is copied there, so it is position independent, and finds its data
   CORDON_GATE_SIZE above itself. Nothing here changes a flag or touches the 128 bytes below the stack pointer: to the
   trapped code a passed-through call is a call, and only RAX, RCX and R11 may differ after it. */
#include "gate_layout.h"

#define HIDDEN(name) .globl name; .hidden name; name:

/* movq WORD(%rip), %rax for a word of the fixed page's data. The instruction is spelled out because assemblers emit a
   relocation for a constant displacement that is written as a difference of labels. */
#define LOAD_DATA_INTO_RAX(word) .byte 0x48, 0x8b, 0x05; .long CORDON_GATE_SIZE + word - (. + 4 - cordon_fixed_begin)

  .section .rodata.cordon_gate, "a", @progbits
  .balign 16

/* ---- the fixed page ---- */
HIDDEN(cordon_fixed_begin)

/* The restorer of our SIGSYS frames. These very bytes are what debuggers and unwinders know a signal frame by. */
HIDDEN(cordon_fixed_restorer)
  movq $15, %rax
  syscall
  ud2

  .balign 16
/* long call(long number, long a, long b, long c, long d, long e, long f), System V convention. */
HIDDEN(cordon_fixed_call)
  movq %rdi, %rax
  movq %rsi, %rdi
  movq %rdx, %rsi
  movq %rcx, %rdx
  movq %r8, %r10
  movq %r9, %r8
  movq 8(%rsp), %r9
  syscall
HIDDEN(cordon_fixed_called)
  ret

  .balign 16
/* The same by `int $0x80`: number and arguments go into eax, ebx, ecx, edx, esi, edi, ebp. */
HIDDEN(cordon_fixed_call80)
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
HIDDEN(cordon_fixed_called80)
  popq %rbp
  popq %rbx
  ret

  .balign 16
/* Returns from signals for trapped code: the frame lies at its own stack pointer, and there is nothing to come back to. */
HIDDEN(cordon_fixed_sigreturn)
  syscall
  ud2
  .balign 16
HIDDEN(cordon_fixed_sigreturn80)
  int $0x80
  ud2

  .balign 16
/* sigaltstack(2), with a struct that the handler has put on the stack, above the registers that go back to what they were
   and the far way back: whoever called may be 32-bit code. See StackCall in alternate_stacks.c. */
HIDDEN(cordon_fixed_sigaltstack)
  syscall
  popq %rdi
  popq %rsi
  popq %rcx
  popq %r11
  lretq $160 /* the struct, a word, and the red zone */

  .balign 16
/* Shared thunks, for when the table of sites is full. The way back lies on the stack below the red zone. A signal keeps
   clear of what lies above the stack pointer and of the 128 bytes below it, so it can come in after any instruction. */
HIDDEN(cordon_fixed_shared_syscall)
  syscall
HIDDEN(cordon_fixed_shared_called)
  popq %rcx /* as after any syscall, RCX is where the caller goes on */
  leaq 128(%rsp), %rsp
  jmpq *%rcx
  .balign 16
HIDDEN(cordon_fixed_shared_int80)
  int $0x80
HIDDEN(cordon_fixed_shared_called80)
  ret $128

  .balign 16
/* A new child, RAX = 0, RCX = where to go on: calls the engine's C function for it, on its own stack below the red zone,
   with the address of a word that says whether it has lost its signal handlers. It may share that stack with its parent,
   as by vfork, but then the parent waits. Pushes, pops, moves and LEA leave the flags alone. */
HIDDEN(cordon_fixed_cleared_child)
  leaq -256(%rsp), %rsp
  pushq $1
  jmp 1f
HIDDEN(cordon_fixed_child)
  leaq -256(%rsp), %rsp
  pushq $0
1:
  callq start_child
  leaq 264(%rsp), %rsp
  jmpq *%rcx
/* One made by `int $0x80`: RAX and RCX are exchanged, and the way back is on the stack, 128 bytes down. */
HIDDEN(cordon_fixed_child80)
  xchgq %rax, %rcx
  pushq $0
  callq start_child
  leaq 8(%rsp), %rsp
  ret $128
start_child:
  pushfq
  cld
  pushq %rax
  pushq %rcx
  pushq %rdx
  pushq %rsi
  pushq %rdi
  pushq %r8
  pushq %r9
  pushq %r10
  pushq %r11
  movq 88(%rsp), %rdi
  LOAD_DATA_INTO_RAX(CORDON_DATA_CHILD)
  callq *%rax
  popq %r11
  popq %r10
  popq %r9
  popq %r8
  popq %rdi
  popq %rsi
  popq %rdx
  popq %rcx
  popq %rax
  popfq
  ret
HIDDEN(cordon_fixed_end)

/* ---- one slot a site ---- */
  .balign 16
HIDDEN(cordon_site_template)
  syscall
  movq (CORDON_GATE_SIZE - 9)(%rip), %rcx /* as after any syscall, RCX is where the caller goes on */
  jmpq *%rcx
  .balign 16, 0xcc

HIDDEN(cordon_int80_template)
  int $0x80
  jmpq *(CORDON_GATE_SIZE - 8)(%rip) /* int $0x80 keeps every register, RCX too */
  .balign 16, 0xcc

/* Also for children without signal handlers, in a table of its own: only the last jump differs. */
HIDDEN(cordon_fork_template)
  syscall
  movq %rax, %rcx
  jrcxz 1f
  movq (CORDON_GATE_SIZE - 14)(%rip), %rcx
  jmpq *%rcx
1:
  movq (CORDON_GATE_SIZE - 23)(%rip), %rcx
  .byte 0xe9
HIDDEN(cordon_fork_template_jump)
  .long 0 /* to cordon_fixed_child, filled in for each slot */
  .balign 32, 0xcc

/* int $0x80 keeps RCX, so the result is looked at with the two exchanged. */
HIDDEN(cordon_fork80_template)
  int $0x80
  xchgq %rax, %rcx
  jrcxz 1f
  xchgq %rax, %rcx
  jmpq *(CORDON_GATE_SIZE - 14)(%rip)
1:
  leaq -128(%rsp), %rsp
  pushq (CORDON_GATE_SIZE - 25)(%rip)
  .byte 0xe9
HIDDEN(cordon_fork80_template_jump)
  .long 0 /* to cordon_fixed_child80 */
  .balign 32, 0xcc

/* For 32-bit code: entered in 64-bit mode, where the call is the same one; the data slot is a far pointer. */
HIDDEN(cordon_code32_template)
  int $0x80
  ljmpl *(CORDON_GATE_SIZE - 8)(%rip)
  .balign 16, 0xcc
HIDDEN(cordon_templates_end)

  .section .note.GNU-stack, "", @progbits
