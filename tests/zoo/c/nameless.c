// Has an empty name.

#define NAME ""
#include "animal.h"
