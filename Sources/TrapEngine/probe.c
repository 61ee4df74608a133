#include "TrapEngine.h"
#pragma clang attribute push(__attribute__((no_stack_protector, target("general-regs-only"))), apply_to = function)
int cordon_placeholder(void) { return 1; }
#pragma clang attribute pop
