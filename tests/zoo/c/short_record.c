// Registers a record that is too short.

#define NAME "short-record"
#define RECORD_SIZE 16
#include "specimen.h"
