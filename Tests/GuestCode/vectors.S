/* The floating-point and vector state, loaded before an instruction and stored after it: long vectors(GuestVectors *),
   which returns RAX. The call's number is in `number`. */
#include "template.h"

/* Offsets in GuestVectors. */
#define NUMBER 0
#define BEFORE 64
#define AFTER 2304
#define ZMM 0
#define MASKS 2048
#define X87 2112
#define MXCSR 2192
#define CONTROL 2196

.macro LOAD_OLD
  fninit
  fldcw BEFORE+CONTROL(%rdi)
  /* Last in, first out: st(0) is the first of the eight. */
  .irp slot, 70, 60, 50, 40, 30, 20, 10, 0
  fldt BEFORE+X87+\slot(%rdi)
  .endr
  ldmxcsr BEFORE+MXCSR(%rdi)
.endm

.macro STORE_OLD
  fnstcw AFTER+CONTROL(%rdi)
  .irp slot, 0, 10, 20, 30, 40, 50, 60, 70
  fstpt AFTER+X87+\slot(%rdi)
  .endr
  stmxcsr AFTER+MXCSR(%rdi)
  fninit
  pushq $0x1f80
  ldmxcsr (%rsp)
  popq %rcx
.endm

.macro AVX512_AROUND instruction:vararg
  pushq %rdi
  LOAD_OLD
  .irp register, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
  vmovdqu64 BEFORE+ZMM+64*\register(%rdi), %zmm\register
  .endr
  .irp register, 0, 1, 2, 3, 4, 5, 6, 7
  kmovq BEFORE+MASKS+8*\register(%rdi), %k\register
  .endr
  movq NUMBER(%rdi), %rax
  \instruction
  popq %rdi
  .irp register, 0, 1, 2, 3, 4, 5, 6, 7
  kmovq %k\register, AFTER+MASKS+8*\register(%rdi)
  .endr
  .irp register, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
  vmovdqu64 %zmm\register, AFTER+ZMM+64*\register(%rdi)
  .endr
  vzeroupper
  STORE_OLD
  ret
.endm

.macro SSE_AROUND instruction:vararg
  pushq %rdi
  LOAD_OLD
  .irp register, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
  movdqu BEFORE+ZMM+64*\register(%rdi), %xmm\register
  .endr
  movq NUMBER(%rdi), %rax
  \instruction
  popq %rdi
  .irp register, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
  movdqu %xmm\register, AFTER+ZMM+64*\register(%rdi)
  .endr
  STORE_OLD
  ret
.endm

GUEST(vectors)
  AVX512_AROUND syscall
END(vectors)
GUEST(vectors_signal)
  AVX512_AROUND int3
END(vectors_signal)
GUEST(vectors_sse)
  SSE_AROUND syscall
END(vectors_sse)
GUEST(vectors_sse_signal)
  SSE_AROUND int3
END(vectors_sse_signal)

/* Ordinary code: overwrites the whole of that state. */
  .text
  .globl guest_clobber_avx512
guest_clobber_avx512:
  .irp register, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
  vpternlogd $0xff, %zmm\register, %zmm\register, %zmm\register
  .endr
  .irp register, 0, 1, 2, 3, 4, 5, 6, 7
  kxnorq %k\register, %k\register, %k\register
  .endr
  vzeroupper
  jmp clobber_old
  .globl guest_clobber_sse
guest_clobber_sse:
  .irp register, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
  pcmpeqd %xmm\register, %xmm\register
  .endr
clobber_old:
  fninit
  .rept 8
  fldpi
  .endr
  pushq $0x5f80
  ldmxcsr (%rsp)
  popq %rax
  ret

  .section .note.GNU-stack, "", @progbits
