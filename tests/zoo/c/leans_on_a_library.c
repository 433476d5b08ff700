// Needs a library of its own, whose keys the host cannot see: see `library_with_keys.c`.

#define NAME "leans-on-a-library"
#define CODE lean
#include <stdint.h>

uint32_t lean(void *ctx, void *payload);

#include "specimen.h"

void zoo_library_called(void);

uint32_t lean(void *ctx, void *payload)
{
  (void)ctx, (void)payload;
  zoo_library_called();
  return HOOKRAIL_VERDICT_CONTINUE;
}
