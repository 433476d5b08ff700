// Hooks a point of the catalogue that nobody dispatches yet.

#define NAME "planned-point"
#define POINT "client.connected"
#include "specimen.h"
