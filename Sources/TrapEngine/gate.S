/* Templates of the code that lies in the gate. It is copied there, so it is position independent, and finds its data
   CORDON_GATE_SIZE above itself. Nothing here changes a flag or touches the 128 bytes below the stack pointer: to the
   trapped code a passed-through call is a call, and only RAX, RCX and R11 may differ after it. */
#include "gate_layout.h"

#define HIDDEN(name) .globl name; .hidden name; name:

/* movq WORD(%rip), REGISTER (or leaq) for a word of the fixed page's data; OPCODE is the instruction up to its displacement, which
   is spelled out because assemblers emit a relocation for a constant one that is written as a difference of labels. */
#define LOAD_DATA(opcode, word) .byte opcode; .long CORDON_GATE_SIZE + word - (. + 4 - cordon_fixed_begin)
#define ADDRESS_TO_RSI 0x48, 0x8d, 0x35
#define TO_RCX 0x48, 0x8b, 0x0d

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
  ret

  .balign 16
/* rt_sigreturn for trapped code: its frame lies at its own stack pointer, and there is nothing to come back to. */
HIDDEN(cordon_fixed_sigreturn)
  syscall
  ud2

  .balign 16
/* Shared thunks, for when the table of sites is full. The way back lies on the stack below the red zone. A signal keeps
   clear of what lies above the stack pointer and of the 128 bytes below it, so it can come in after any instruction. */
HIDDEN(cordon_fixed_shared_syscall)
  syscall
  popq %rcx /* as after any syscall, RCX is where the caller goes on */
  leaq 128(%rsp), %rsp
  jmpq *%rcx
  .balign 16
HIDDEN(cordon_fixed_shared_int80)
  int $0x80
  ret $128

  .balign 16
/* A new child, RAX = 0, RCX = where to go on: takes SIGSYS again, which clone3(CLONE_CLEAR_SIGHAND) took from it, and
   arms its dispatch, which the kernel clears in every new task; all on its own stack below the red zone. Loads, stores,
   LEA and JRCXZ leave the flags alone. */
HIDDEN(cordon_fixed_child)
  leaq -256(%rsp), %rsp
  pushq %rcx
  pushq %rdi
  pushq %rsi
  pushq %rdx
  pushq %r10
  pushq %r8
  movl $31, %edi /* SIGSYS */
  LOAD_DATA(ADDRESS_TO_RSI, CORDON_DATA_ACTION)
  movl $0, %edx
  movl $8, %r10d
  movl $13, %eax /* rt_sigaction */
  syscall
/* From here on again, if a request to arm comes in between: what was read would be armed after it. */
HIDDEN(cordon_fixed_child_arms)
  LOAD_DATA(TO_RCX, CORDON_DATA_DISPATCH)
  jrcxz 1f
  movl $59, %edi /* PR_SET_SYSCALL_USER_DISPATCH */
  movq (%rcx), %rsi
  movq 8(%rcx), %rdx
  movq 16(%rcx), %r10
  movl $0, %r8d /* no selector: always block; the thread takes one of its own when it wants it */
  movl $157, %eax /* prctl */
  syscall
HIDDEN(cordon_fixed_child_armed)
1:
  movl $0, %eax
  popq %r8
  popq %r10
  popq %rdx
  popq %rsi
  popq %rdi
  popq %rcx
  leaq 256(%rsp), %rsp
  jmpq *%rcx
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
HIDDEN(cordon_templates_end)

  .section .note.GNU-stack, "", @progbits
