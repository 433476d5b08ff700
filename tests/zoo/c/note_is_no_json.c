// Its note is no JSON.

#include <hookrail.h>

HOOKRAIL_NOTE(name = note_is_no_json);

const hookrail_entry hookrail_plugin_v1 = { .size = sizeof(hookrail_entry) };
