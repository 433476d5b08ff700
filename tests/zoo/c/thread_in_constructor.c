// Cannot be used, and has started a thread by the time anybody notices, by a function that it does not
// import. The thread is in code of the plugin until the test closes its end of a socket, and then says
// that it is still there.

#define _GNU_SOURCE
#define NAME "thread-in-constructor"
#define ABI (2 << 16)
#define NOTE_ABI "2.0"
#include "specimen.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

static int end;

static void *stay(void *argument)
{
  char byte;
  while (read(end, &byte, 1) > 0)
    ;
  byte = '!';
  if (write(end, &byte, 1) != 1)
    abort();
  return argument;
}

__attribute__((constructor)) static void leave(void)
{
  int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
  pthread_t thread;
  const char *told = getenv("ZOO_END");
  if (told == NULL)
    return;
  end = atoi(told);
  *(void **)&create = dlsym(RTLD_DEFAULT, "pthread_create");
  if (create(&thread, NULL, stay, NULL) != 0)
    abort();
}
