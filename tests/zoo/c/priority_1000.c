// Registers with the priority of built-in callbacks.

#define NAME "priority-1000"
#define NOTE_PRIORITY 1000
#define PRIORITY 1000
#include "specimen.h"
