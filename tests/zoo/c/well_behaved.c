// Does nothing wrong: what the others differ from.

#define NAME "well-behaved"
#include "specimen.h"
