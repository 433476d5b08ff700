// Works with ABI 2.0 only, and says so everywhere.

#define NAME "another-abi"
#define ABI (2 << 16)
#define NOTE_ABI "2.0"
#include "specimen.h"
