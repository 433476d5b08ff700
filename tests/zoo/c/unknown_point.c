// Hooks a point that nobody declared.

#define NAME "unknown-point"
#define POINT "message.published"
#include "specimen.h"
