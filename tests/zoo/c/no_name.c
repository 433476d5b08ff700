// Registers a callback without a name.

#define NAME "no-name"
#define CALLBACK ""
#include "specimen.h"
