// Starts a thread that the host cannot count, when it is called first: ZOO_HOW says by which function. The thread is in
// code of the plugin until the test closes its end of a socket, and then says that it is still there.

#define _GNU_SOURCE
#define NAME "starts-unseen-threads"
#define CODE begin
#include <stdint.h>

uint32_t begin(void *ctx, void *payload);

#include "specimen.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static int end;

// Without a thread-local of the C library, which a bare thread shares with the one that made it.
static void stay(void)
{
  char byte;
  while (syscall(SYS_read, end, &byte, 1) > 0)
    ;
  byte = '!';
  syscall(SYS_write, end, &byte, 1);
}

static void *of_the_library(void *argument)
{
  stay();
  return argument;
}

static int bare(void *argument)
{
  (void)argument;
  stay();
  return (int)syscall(SYS_exit, 0);
}

uint32_t begin(void *ctx, void *payload)
{
  static int begun;
  const char *how = getenv("ZOO_HOW"), *told = getenv("ZOO_END");
  (void)ctx, (void)payload;
  if (how == NULL || told == NULL || begun)
    return HOOKRAIL_VERDICT_CONTINUE;
  begun = 1;
  end = atoi(told);
  if (strcmp(how, "dlsym") == 0) {
    int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    pthread_t thread;
    *(void **)&create = dlsym(RTLD_DEFAULT, "pthread_create");
    if (create(&thread, NULL, of_the_library, NULL) != 0)
      abort();
  } else {
    const size_t size = 1 << 16;
    const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
    char *stack = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED || clone(bare, stack + size, flags, NULL) < 0)
      abort();
  }
  return HOOKRAIL_VERDICT_CONTINUE;
}
