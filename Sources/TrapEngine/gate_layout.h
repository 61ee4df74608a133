/* Sizes of the gate, shared by C and assembly. The data lies exactly CORDON_GATE_SIZE above the code, so that every
   thunk reaches its own data slot with one and the same displacement and the thunks can be stamped from a template. */
#ifndef CORDON_GATE_LAYOUT_H
#define CORDON_GATE_LAYOUT_H

#define CORDON_FIXED_SIZE 4096     /* restorer, raw calls, shared thunks: one page */
#define CORDON_SITE_SLOTS 32768    /* sites that use `syscall`, 16 bytes each */
#define CORDON_INT80_SLOTS 2048    /* sites that use `int $0x80`, 16 bytes each */
#define CORDON_FORK_SLOTS 2048     /* sites that make processes or threads, 32 bytes each */
#define CORDON_CLEARED_SLOTS 256   /* those of them that make children without signal handlers */
#define CORDON_FORK80_SLOTS 256    /* sites that make processes or threads by `int $0x80`, 32 bytes each */
#define CORDON_CODE32_SLOTS 1024   /* sites that use `int $0x80` in 32-bit code, 16 bytes each */

/* What a gate has that a launcher places into programs. The C library makes its calls from some hundred places; calls that
   make children have no shared thunk. */
#define CORDON_PLACED_SITE_SLOTS 1024
#define CORDON_PLACED_INT80_SLOTS 64
#define CORDON_PLACED_FORK_SLOTS 256
#define CORDON_PLACED_CLEARED_SLOTS 16
#define CORDON_PLACED_FORK80_SLOTS 16
#define CORDON_PLACED_CODE32_SLOTS 64

#define CORDON_SITE_OFFSET CORDON_FIXED_SIZE
#define CORDON_INT80_OFFSET (CORDON_SITE_OFFSET + CORDON_SITE_SLOTS * 16)
#define CORDON_FORK_OFFSET (CORDON_INT80_OFFSET + CORDON_INT80_SLOTS * 16)
#define CORDON_CLEARED_OFFSET (CORDON_FORK_OFFSET + CORDON_FORK_SLOTS * 32)
#define CORDON_FORK80_OFFSET (CORDON_CLEARED_OFFSET + CORDON_CLEARED_SLOTS * 32)
#define CORDON_CODE32_OFFSET (CORDON_FORK80_OFFSET + CORDON_FORK80_SLOTS * 32)
#define CORDON_GATE_SIZE (CORDON_CODE32_OFFSET + CORDON_CODE32_SLOTS * 16)

#define CORDON_MEMORY_SIZE 4096 /* after the data, a page that the kernel clears in forked children */

/* Word of the data: the function that a new child calls first. The first site's slot has no use for it, and needs that page
   anyway. */
#define CORDON_DATA_CHILD (CORDON_SITE_OFFSET + 8)

#endif
