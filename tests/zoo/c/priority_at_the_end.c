// Registers with the lowest number there is.

#define NAME "priority-at-the-end"
#define NOTE_PRIORITY -2147483648
#define PRIORITY INT32_MIN
#include "specimen.h"
