// Has a table for sources and sinks, and declares none.

#define NAME "undeclared-endpoints"
#define UNDECLARED
#include "breaks_endpoints.c"
