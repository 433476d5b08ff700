// Its entry lacks the last function.

#define NAME "short-entry"
#define ENTRY_SIZE sizeof(hookrail_entry) - 8
#include "specimen.h"
