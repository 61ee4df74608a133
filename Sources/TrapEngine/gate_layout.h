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

/* The fixed page's data: where the dispatch that a child arms is written (0: none), the action that it sets for SIGSYS,
   and the latest dispatches, each an operation, an offset and a length. A child reads one of them whole, whatever is
   written meanwhile. */
#define CORDON_DATA_DISPATCH 0
#define CORDON_DATA_ACTION 8
#define CORDON_DATA_DISPATCHES 64
#define CORDON_DISPATCHES 16

#endif
