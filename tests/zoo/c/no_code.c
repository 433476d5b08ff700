// Registers a callback without code.

#define NAME "no-code"
#define CODE NULL
#include "specimen.h"
