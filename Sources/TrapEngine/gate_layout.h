/* Sizes of the gate, shared by C and assembly. The data lies exactly CORDON_GATE_SIZE above the code, so that every
   thunk reaches its own data slot with one and the same displacement and the thunks can be stamped from a template. */
#ifndef CORDON_GATE_LAYOUT_H
#define CORDON_GATE_LAYOUT_H

#define CORDON_FIXED_SIZE 4096     /* restorer, raw calls, shared thunks: one page */
#define CORDON_SITE_SLOTS 32768    /* sites that use `syscall`, 16 bytes each */
#define CORDON_INT80_SLOTS 2048    /* sites that use `int $0x80`, 16 bytes each */
#define CORDON_FORK_SLOTS 2048     /* sites that make processes or threads, 32 bytes each */

/* What a gate has that is made anew for every program that is executed: stamping all of them would be its whole cost. */
#define CORDON_FEWER_SITE_SLOTS 4096
#define CORDON_FEWER_INT80_SLOTS 256
#define CORDON_FEWER_FORK_SLOTS 256

#define CORDON_SITE_OFFSET CORDON_FIXED_SIZE
#define CORDON_INT80_OFFSET (CORDON_SITE_OFFSET + CORDON_SITE_SLOTS * 16)
#define CORDON_FORK_OFFSET (CORDON_INT80_OFFSET + CORDON_INT80_SLOTS * 16)
#define CORDON_GATE_SIZE (CORDON_FORK_OFFSET + CORDON_FORK_SLOTS * 32)

/* Words of the fixed page's data: the dispatch that a child arms, and the action that it sets for SIGSYS. */
#define CORDON_DATA_OPERATION 0
#define CORDON_DATA_OFFSET 8
#define CORDON_DATA_LENGTH 16
#define CORDON_DATA_ACTION 24

#endif
