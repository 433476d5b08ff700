// Brings a heap of its own, as a static malloc would: hidden, so that only this library sees it.

#define NAME "private-heap"
#include "specimen.h"

#define OWN __attribute__((visibility("hidden")))

static char memory[4096];
static size_t used;

OWN void *malloc(size_t size)
{
  void *block = memory + used;
  used += (size + 15) & ~(size_t)15;
  return used <= sizeof memory ? block : NULL;
}

OWN void *calloc(size_t count, size_t size)
{
  return malloc(count * size);
}

OWN void *realloc(void *block, size_t size)
{
  (void)block;
  return malloc(size);
}

OWN void free(void *block)
{
  (void)block;
}

OWN int posix_memalign(void **block, size_t align, size_t size)
{
  (void)align;
  *block = malloc(size);
  return *block == NULL;
}
