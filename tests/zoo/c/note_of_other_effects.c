// Its note says that it is pure, it registers external effects.

#define NAME "note-of-other-effects"
#define NOTE_EFFECTS "pure"
#include "specimen.h"
