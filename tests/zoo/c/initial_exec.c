// Keeps 64 bytes in every thread's static block, of which there is little: as C code compiled with
// `-ftls-model=initial-exec` does, or a jemalloc that is linked in.

#define NAME "initial-exec"
#define CODE count
#include <stdint.h>

uint32_t count(void *ctx, void *payload);

#include "specimen.h"

__attribute__((tls_model("initial-exec"))) static __thread volatile uint64_t counts[8];

uint32_t count(void *ctx, void *payload)
{
  (void)ctx, (void)payload;
  counts[7] += 1;
  return HOOKRAIL_VERDICT_CONTINUE;
}
