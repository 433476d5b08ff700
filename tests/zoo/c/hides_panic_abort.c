// Its note says that panics unwind, its entry that they abort.

#define NAME "hides-panic-abort"
#define ENTRY_FLAGS HOOKRAIL_PANIC_ABORTS
#include "specimen.h"
