// Has an empty name.

#define NAME ""
#include "specimen.h"
