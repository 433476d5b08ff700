// Was built for another payload, and brings no layout that tells which.

#define NAME "another-payload"
#define FINGERPRINT { 1, 2 }
#include "specimen.h"
