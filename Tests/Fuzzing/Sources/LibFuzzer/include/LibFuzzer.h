#ifndef CORDON_LIB_FUZZER_H
#define CORDON_LIB_FUZZER_H

#include <stddef.h>
#include <stdint.h>

/// Feeds inputs to a function until the options say that it is enough, or an input is found bad (FuzzerInterface.h, which
/// toolchains keep out of their search path).
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*body)(const uint8_t *bytes, size_t count));

#endif
