// Exports the entry's name, but has no note.

#include <hookrail.h>

const hookrail_entry hookrail_plugin_v1 = { .size = sizeof(hookrail_entry) };
