// Says in its note that it has effects which there are not.

#define NAME "note-of-no-effects"
#define NOTE_EFFECTS "none"
#include "specimen.h"
