// Imports the function by which threads are started, and calls it never.

#define NAME "could-start-threads"
#include "specimen.h"

#include <pthread.h>

typedef int (*starter)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

starter could_start_threads(void);
starter could_start_threads(void) { return pthread_create; }
