/* A template is machine code that a test copies into a region of its own and runs there: position independent, and in
   read-only data here, so that it can run nowhere else. GUEST(name) opens it, END(name) closes it; both names are
   listed in templates.c. */
#ifndef GUEST_TEMPLATE_H
#define GUEST_TEMPLATE_H

#define GUEST(name)                                                                                               \
  .section .rodata.guest, "a", @progbits;                                                                         \
  .balign 16;                                                                                                     \
  .globl guest_##name##_begin;                                                                                    \
  .hidden guest_##name##_begin;                                                                                   \
  guest_##name##_begin:

#define END(name)                                                                                                 \
  .globl guest_##name##_end;                                                                                      \
  .hidden guest_##name##_end;                                                                                     \
  guest_##name##_end:

#endif
