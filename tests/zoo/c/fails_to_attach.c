// Refuses to attach, and says nothing.

#define NAME "fails-to-attach"
#define ATTACH 1
#include "specimen.h"
