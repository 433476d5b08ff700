// Registers the same callback twice.

#define NAME "registers-twice"
#define TIMES 2
#include "specimen.h"
