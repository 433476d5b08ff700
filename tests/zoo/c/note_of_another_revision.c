// Its note says revision 7, it registers 1.

#define NAME "note-of-another-revision"
#define NOTE_REVISION 7
#include "specimen.h"
