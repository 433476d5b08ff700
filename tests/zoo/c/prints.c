// Prints to stdout, as a library that was made for a program of its own may do.

#define NAME "prints"
#define CODE print
#include <stdint.h>

uint32_t print(void *ctx, void *payload);

#include "specimen.h"

#include <stdio.h>

uint32_t print(void *ctx, void *payload)
{
  (void)ctx, (void)payload;
  printf("a plugin was here\n");
  fflush(stdout);
  return HOOKRAIL_VERDICT_CONTINUE;
}
