// Asks to be called in a form that is reserved.

#define NAME "another-form"
#define FORM 1
#include "animal.h"
