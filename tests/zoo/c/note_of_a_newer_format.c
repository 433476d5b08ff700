// Its note has a format that this host does not read.

#include "note.h"

NOTE({"format": 2, "name": "note-of-a-newer-format", "version": "1.0.0", "abi": "1.0", "hooks": []});

const hookrail_entry hookrail_plugin_v1 = { .size = sizeof(hookrail_entry) };
