// Registers a callback that its note does not declare.

#define NAME "undeclared-hook"
#define NOTE_CALLBACK "other"
#include "specimen.h"
