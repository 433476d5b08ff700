// Its name is a way out of its own directory.

#define NAME "../climber"
#include "specimen.h"
