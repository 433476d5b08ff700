// Asks to be called in a form that does not exist.

#define NAME "another-form"
#define FORM 2
#include "specimen.h"
