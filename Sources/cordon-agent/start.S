/* The image's header, and the ways into it. */

#define CORDON_AGENT_FIRST_CANCEL 32
#define HIDDEN(name) .globl name; .hidden name; name:

  .section .text.cordon_agent_header, "ax", @progbits
/* CordonAgentHeader */
HIDDEN(cordon_agent_header)
  .quad 0x6e6f64726f436567
  .long cordon_agent_start - cordon_agent_header
  .long cordon_agent_call - cordon_agent_header
  .long cordon_agent_image_end - cordon_agent_header
  .long 0
  .fill 3, 8, 0
inherited:
  .quad 0
  .long cordon_agent_load - cordon_agent_header
  .long cordon_agent_loaded - cordon_agent_header
  .long birth - cordon_agent_header
  .long birth_end - cordon_agent_header

  .balign 16
/* A program has just been executed, and it begins with a copy of this, which lies behind the vDSO's own code and maps the
   agent: see AgentInterface.h. */
birth:
  movl %r12d, %eax
  syscall
  testq %rax, %rax
  js 1f
  movl %eax, %r14d
  movl %eax, %r8d
  movq %r15, %rsi
  movl $5, %edx /* PROT_READ | PROT_EXEC */
  movl $0x100002, %r10d /* CORDON_BIRTH_FLAGS */
  xorl %r9d, %r9d
  movl $9, %eax /* mmap */
  syscall
  cmpq %rdi, %rax
  jne 2f
  jmpq *%r13
2:
  movq %rax, %rsi
  movl %r12d, %eax
  syscall
1:
  ud2
birth_end:

  .balign 16
/* The agent is there; R14 is the descriptor of its file. The way on to the program's own first instruction leaves every
   register as the kernel sets them. */
  .globl cordon_agent_start
cordon_agent_start:
  movq %rsp, %r12
  andq $-16, %rsp
  movq %rbp, %rdi
  call cordon_agent_prepare
  movl $3, %eax /* close */
  movl %r14d, %edi
  syscall
  movq %r12, %rsp
  movq %rbx, -16(%rsp)
begin_program:
  xorl %eax, %eax
  xorl %ebx, %ebx
  xorl %ecx, %ecx
  xorl %edx, %edx
  xorl %esi, %esi
  xorl %edi, %edi
  xorl %ebp, %ebp
  xorl %r8d, %r8d
  xorl %r9d, %r9d
  xorl %r10d, %r10d
  xorl %r11d, %r11d
  xorl %r12d, %r12d
  xorl %r13d, %r13d
  xorl %r14d, %r14d
  xorl %r15d, %r15d
  pushq $0x202 /* IF, and the bit that is always set */
  popfq
  jmpq *-16(%rsp) /* a signal keeps clear of the 128 bytes below the stack pointer */

  .balign 16
/* The loader's file has been executed in the program's place. The program's stack is built below the one that is there, so
   that is done from another one. */
HIDDEN(cordon_agent_loaded)
  movq %rsp, %rbp
  andq $-16, %rsp
  movq inherited(%rip), %rdi
  call cordon_agent_prepare
  movq %rbp, %rdi
  leaq cordon_agent_stack_end(%rip), %rsp
  call cordon_agent_become
  movq %rdx, %rsp
  movq %rax, -16(%rsp)
  testl %ebx, %ebx
  jz begin_program
  int3 /* a debugger's agent waits for it, and sets the registers: see tracer.c */
HIDDEN(cordon_agent_ready)
  jmp begin_program

  .balign 16
/* A signal by which threads are cancelled: see cancel.c. The stack is as a handler has it, and so it is for the program's. */
HIDDEN(cordon_agent_cancel_entry)
  pushq %rdi
  pushq %rsi
  pushq %rdx
  movq %rdx, %rdi
  call cordon_agent_show_call
  popq %rdx
  popq %rsi
  popq %rdi
  leaq cordon_agent_cancel_handlers(%rip), %rax
  movq -CORDON_AGENT_FIRST_CANCEL * 8(%rax,%rdi,8), %r11
  xorl %eax, %eax
  jmpq *%r11

  .section .bss.cordon_agent_stack, "aw", @nobits
  .balign 16
  .skip 16384
cordon_agent_stack_end:
  .previous

  .balign 16
/* long call(long number, long a, long b, long c, long d, long e, long f): a system call that is exempt. */
HIDDEN(cordon_agent_call)
  movq %rdi, %rax
  movq %rsi, %rdi
  movq %rdx, %rsi
  movq %rcx, %rdx
  movq %r8, %r10
  movq %r9, %r8
  movq 8(%rsp), %r9
  syscall
  ret

/* SwiftPM has the linker make `main` of the module's own name for it. The image has no such entry. */
  .globl cordon_agent_main
cordon_agent_main:
  ud2

  .section .note.GNU-stack, "", @progbits
