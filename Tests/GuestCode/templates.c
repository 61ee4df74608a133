#include "GuestCode.h"

#define TEMPLATE(name, symbol)                                                                                    \
  case name: {                                                                                                    \
    extern const uint8_t guest_##symbol##_begin[], guest_##symbol##_end[];                                        \
    return (GuestTemplateCode){guest_##symbol##_begin, (size_t)(guest_##symbol##_end - guest_##symbol##_begin)};  \
  }

GuestTemplateCode guest_template_code(GuestTemplate name) {
  switch (name) {
    TEMPLATE(GuestTemplateCall, call)
    TEMPLATE(GuestTemplateCall32, call32)
    TEMPLATE(GuestTemplateChild, child)
    TEMPLATE(GuestTemplateLeave, leave)
    TEMPLATE(GuestTemplateOnce, once)
    TEMPLATE(GuestTemplateRegisters, registers)
    TEMPLATE(GuestTemplateRegisters32, registers32)
    TEMPLATE(GuestTemplateRegistersSignal, registers_signal)
    TEMPLATE(GuestTemplateRestorer, restorer)
    TEMPLATE(GuestTemplateStorm, storm)
    TEMPLATE(GuestTemplateVectors, vectors)
    TEMPLATE(GuestTemplateVectorsSignal, vectors_signal)
    TEMPLATE(GuestTemplateVectorsSSE, vectors_sse)
    TEMPLATE(GuestTemplateVectorsSSESignal, vectors_sse_signal)
    TEMPLATE(GuestTemplateWithoutTLS, without_tls)
  }
}
