/* Thunks of calls that are timed: one for each call that may be open at a time, not for each site. What a thunk keeps lies in
   its CordonCall, so it needs no stack, and a call may free the stack that it is made on. As in the engine's gate, no flag
   changes and only RAX, RCX and R11 may differ afterwards, and those as after any call. */

#define HIDDEN(name) .globl name; .hidden name; name:

#define RESULT 8
#define SCRATCH 16
#define BACK 24
#define ENDED 40
#define DONE 2

  .text
  .balign 16
/* RCX is the CordonCall, RAX the result. */
HIDDEN(cordon_agent_call_returned)
  movq %rax, RESULT(%rcx)
  movq %rdx, SCRATCH(%rcx)
  rdtsc
  movl %eax, ENDED(%rcx)
  movl %edx, ENDED + 4(%rcx)
  movq RESULT(%rcx), %rax
  movq SCRATCH(%rcx), %rdx
  jmpq *BACK(%rcx)

/* What both thunks do behind a call. The displacements are filled in for each thunk. The store of DONE is the last access to
   the CordonCall: from then on another call may have it. */
  .macro TAKE_NOTE_AND_GO_ON
  .byte 0x48, 0x8d, 0x0d      /* leaq CALL(%rip), %rcx */
  .long 0
  .byte 0xe9                  /* jmp cordon_agent_call_returned */
  .long 0
  .byte 0x48, 0x8b, 0x0d      /* movq RESUME(%rip), %rcx */
  .long 0
  .byte 0xc6, 0x05            /* movb $DONE, STATE(%rip) */
  .long 0
  .byte DONE
  jmpq *%rcx
  .endm

  .section .rodata.cordon_agent_calls, "a", @progbits
  .balign 16
/* 32 bytes. */
HIDDEN(cordon_agent_thunk_template)
  syscall
  TAKE_NOTE_AND_GO_ON
  .balign 32, 0xcc

  .balign 16
/* 64 bytes, for calls that make a child. The child may run when the call has long been taken note of and its CordonCall is
   another's: what it needs lies in memory that is its own, or, where it shares that, stays its own until it has taken it. */
HIDDEN(cordon_agent_child_thunk_template)
  syscall
  movq %rax, %rcx
  jrcxz 1f
  TAKE_NOTE_AND_GO_ON
1:
  .byte 0x48, 0x8b, 0x0d      /* movq CHILD(%rip), %rcx */
  .long 0
  .byte 0xc6, 0x05            /* movb $0, AWAITED(%rip) */
  .long 0
  .byte 0
  jmpq *%rcx
  .balign 64, 0xcc

  .section .note.GNU-stack, "", @progbits
