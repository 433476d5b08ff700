// Asks to be called in the form that is reserved for asynchronous callbacks.

#define NAME "asynchronous-form"
#define FORM HOOKRAIL_FORM_ASYNCHRONOUS
#include "specimen.h"
