// Registers without a priority.

#define NAME "no-priority"
#define FLAGS 0
#include "specimen.h"
