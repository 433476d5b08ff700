// Exports a function under the name of the entry, where data is expected.

#define NAME "entry-is-a-function"
#define hookrail_plugin_v1 another_entry
#include "specimen.h"
#undef hookrail_plugin_v1

void hookrail_plugin_v1(void);
void hookrail_plugin_v1(void) {}
