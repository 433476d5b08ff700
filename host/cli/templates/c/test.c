// Calls the callback as a host does, without one: `make test`.

#include "plugin.c"

#include <stdio.h>

static int failed;

#define EXPECT(condition) ((condition) ? (void)0 : (void)(failed = 1, fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition)))

// What the callback reports, before it denies or faults.
static void report(uint32_t kind, hookrail_str text)
{
  (void)kind;
  fprintf(stderr, "reported: %.*s\n", (int)text.len, (const char *)text.ptr);
}

int main(void)
{
  static const hookrail_host_table host = { .size = sizeof host, .abi = HOOKRAIL_ABI_VERSION, .report = report };
  hookrail_host = &host;

  {{payload}} payload;
  memset(&payload, 0, sizeof payload);
  EXPECT({{callback}}(NULL, &payload) == HOOKRAIL_VERDICT_CONTINUE);
{{expected}}
  puts(failed ? "{{callback}}: failed" : "{{callback}}: ok");
  return failed;
}
