/* fuzz.h: what a fuzz target defines. It must return 0, keep nothing, and abort when a property does not hold. */
#ifndef COFFER_FUZZ_H
#define COFFER_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
