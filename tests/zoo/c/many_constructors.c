// Runs code of its own while it is opened.

#define NAME "many-constructors"
#include "specimen.h"

static volatile int ran;

__attribute__((constructor)) static void one(void) { ran++; }
__attribute__((constructor)) static void two(void) { ran++; }
__attribute__((constructor)) static void three(void) { ran++; }
__attribute__((constructor)) static void four(void) { ran++; }
