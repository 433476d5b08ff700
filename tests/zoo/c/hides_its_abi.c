// Its note says ABI 1.1, its entry 1.0.

#define NAME "hides-its-abi"
#define NOTE_ABI "1.1"
#include "specimen.h"
