// Registers a callback with a slash in its name.

#define NAME "slash-in-name"
#define CALLBACK "a/b"
#include "specimen.h"
