// Registers payload operations that have a null in place of a function.

#include <hookrail.h>

static void copy(const void *from, void *to)
{
  (void)from, (void)to;
}

static const hookrail_payload_ops without_drop = {
  .size = sizeof(hookrail_payload_ops), .version = 1, .clone = copy, .assign = copy
};

#define NAME "ops-without-drop"
#define OPS &without_drop
#include "specimen.h"
