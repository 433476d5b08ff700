// Its note is no JSON.

#include "note.h"

NOTE(name = note_is_no_json);

const hookrail_entry hookrail_plugin_v1 = { .size = sizeof(hookrail_entry) };
