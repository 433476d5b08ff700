// Needs a function that no library has.

#define NAME "missing-symbol"
#define CODE nobody_has_this
#include <stdint.h>

uint32_t nobody_has_this(void *ctx, void *payload);

#include "specimen.h"
