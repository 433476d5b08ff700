// Returns a table that has a null in place of a function.

#include <hookrail.h>

static uint32_t accept(hookrail_instance *instance, uint32_t kind, hookrail_str name, hookrail_str config,
                       hookrail_endpoint **endpoint)
{
  (void)instance, (void)kind, (void)name, (void)config, (void)endpoint;
  return 1;
}

static uint32_t schema(uint32_t kind, hookrail_str name, hookrail_text *out)
{
  (void)kind, (void)name, (void)out;
  return 0;
}

static const hookrail_stream_table without_run = {
  .size = sizeof(hookrail_stream_table), .accept = accept, .schema = schema
};

#define NAME "table-without-run"
#define QUERY(id) (id.len == 8 && memcmp(id.ptr, "stream/1", 8) == 0 ? &without_run : NULL)
#include "specimen.h"
