// Its note says priority 5, it registers 300.

#define NAME "note-of-another-priority"
#define NOTE_PRIORITY 5
#include "specimen.h"
