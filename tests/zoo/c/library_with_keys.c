// No plugin but a library that one needs: it keeps something for each thread that calls it, under a key
// whose destructor is its own code.

#include <pthread.h>
#include <stdlib.h>

void zoo_library_called(void);

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;

static void create(void)
{
  if (pthread_key_create(&key, free) != 0) {
    abort();
  }
}

void zoo_library_called(void)
{
  pthread_once(&once, create);
  if (pthread_getspecific(key) == NULL) {
    pthread_setspecific(key, malloc(1));
  }
}
