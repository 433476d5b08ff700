// Its note has a format that this host does not read, with other fields.

#include "note.h"

NOTE({"format": 2, "name": "note-of-a-newer-format", "hooks": {"look": {}}});

const hookrail_entry hookrail_plugin_v1 = { .size = sizeof(hookrail_entry) };
