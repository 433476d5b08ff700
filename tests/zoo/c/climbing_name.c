// Its name is a way out of its own folder.

#define NAME "../climber"
#include "animal.h"
