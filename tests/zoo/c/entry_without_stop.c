// Its entry has a null in place of a function.

#define NAME "entry-without-stop"
#define STOP NULL
#include "specimen.h"
