// Brings a symbol that the process may have once: see `../cpp/unique.cpp`.

#define NAME "brings-unique-symbols"
#define CODE measure
#include <stddef.h>
#include <stdint.h>

uint32_t measure(void *ctx, void *payload);

#include "specimen.h"

size_t zoo_unique_length(void);

uint32_t measure(void *ctx, void *payload)
{
  (void)ctx, (void)payload;
  return zoo_unique_length() > 0 ? HOOKRAIL_VERDICT_CONTINUE : HOOKRAIL_VERDICT_SKIP;
}
