// Brings a `free` of its own beside the process's malloc.

#define NAME "private-free"
#include "specimen.h"

__attribute__((visibility("hidden"))) void free(void *block)
{
  (void)block;
}
