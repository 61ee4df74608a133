#include "GuestCode.h"

#define TEMPLATE(name, symbol)                                                                                    \
  case name: {                                                                                                    \
    extern const uint8_t guest_##symbol##_begin[], guest_##symbol##_end[];                                        \
    return (GuestTemplateCode){guest_##symbol##_begin, (size_t)(guest_##symbol##_end - guest_##symbol##_begin)};  \
  }

void guest_write(uint64_t address, const uint8_t *bytes, size_t count) {
  /* By an instruction, since a compiler may take a write to address 0 for one that never happens. */
  for (size_t i = 0; i < count; i++) __asm__ volatile("movb %0, (%1)" : : "q"(bytes[i]), "r"(address + i) : "memory");
}

GuestTemplateCode guest_template_code(GuestTemplate name) {
  switch (name) {
    TEMPLATE(GuestTemplateCall, call)
    TEMPLATE(GuestTemplateCall32, call32)
    TEMPLATE(GuestTemplateChild, child)
    TEMPLATE(GuestTemplateChild80, child80)
    TEMPLATE(GuestTemplateCode32, code32)
    TEMPLATE(GuestTemplateGetpid, getpid)
    TEMPLATE(GuestTemplateLeave, leave)
    TEMPLATE(GuestTemplateOnce, once)
    TEMPLATE(GuestTemplateRegisters, registers)
    TEMPLATE(GuestTemplateRegisters32, registers32)
    TEMPLATE(GuestTemplateRegistersSignal, registers_signal)
    TEMPLATE(GuestTemplateRestorer, restorer)
    TEMPLATE(GuestTemplateSteady, steady)
    TEMPLATE(GuestTemplateSteady32, steady32)
    TEMPLATE(GuestTemplateStackless, stackless)
    TEMPLATE(GuestTemplateStepped, stepped)
    TEMPLATE(GuestTemplateStorm, storm)
    TEMPLATE(GuestTemplateUnmapping, unmapping)
    TEMPLATE(GuestTemplateVectors, vectors)
    TEMPLATE(GuestTemplateVectorsSignal, vectors_signal)
    TEMPLATE(GuestTemplateVectorsSSE, vectors_sse)
    TEMPLATE(GuestTemplateVectorsSSESignal, vectors_sse_signal)
    TEMPLATE(GuestTemplateWithoutTLS, without_tls)
  }
}
