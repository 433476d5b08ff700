// Registers payload operations that are too short.

#include <hookrail.h>

static const hookrail_payload_ops short_ops = { .size = 16, .version = 1 };

#define NAME "short-ops"
#define OPS &short_ops
#include "specimen.h"
