// Cannot be used, and has left a signal handler by the time anybody notices.

#define _POSIX_C_SOURCE 200809L
#define NAME "handler-in-constructor"
#define ABI (2 << 16)
#define NOTE_ABI "2.0"
#include "specimen.h"

#include <signal.h>

static void handle(int number) { (void)number; }

__attribute__((constructor)) static void leave(void) { signal(SIGUSR2, handle); }
