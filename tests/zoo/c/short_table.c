// Returns a table that is too short.

#include <hookrail.h>

static const hookrail_schema_table short_table = { .size = 8 };

#define NAME "short-table"
#define QUERY(id) (id.len == 8 && memcmp(id.ptr, "schema/1", 8) == 0 ? &short_table : NULL)
#include "specimen.h"
