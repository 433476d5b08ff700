// Its note lacks the version.

#include "note.h"

NOTE({"name": "note-without-version", "abi": "1.0", "hooks": []});

const hookrail_entry hookrail_plugin_v1 = { .size = sizeof(hookrail_entry) };
