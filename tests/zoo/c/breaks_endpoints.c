// Has a source and a sink, which break as the environment variable BREAKS says, and do nothing wrong without it. Each
// word is a mistake of its own, in the code that makes it.

#define _GNU_SOURCE
#include <hookrail.h>

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef NAME
#define NAME "breaks-endpoints"
#endif

struct hookrail_instance {
  const hookrail_handle *handle;
};

struct hookrail_endpoint {
  uint32_t kind;
  atomic_bool is_freed;
  atomic_bool has_thread;
};

static bool is(const char *what)
{
  const char *breaks = getenv("BREAKS");
  return breaks != NULL && strcmp(breaks, what) == 0;
}

static void report(const char *why)
{
  hookrail_host->report(HOOKRAIL_REPORT_ERROR, hookrail_str_of(why));
}

static uint32_t create(const hookrail_handle *handle, hookrail_str name, hookrail_str config,
                       hookrail_instance **instance)
{
  (void)name;
  (void)config;
  *instance = malloc(sizeof **instance);
  if (*instance == NULL) {
    return 1;
  }
  (*instance)->handle = handle;
  return 0;
}

static uint32_t destroy(hookrail_instance *instance)
{
  free(instance);
  return 0;
}

// Takes an object without any key, however it is written.
static bool is_empty_object(hookrail_str config)
{
  size_t index;
  char seen[3] = {0};
  size_t count = 0;
  for (index = 0; index < config.len; index++) {
    if (strchr(" \t\r\n", config.ptr[index]) == NULL || config.ptr[index] == '\0') {
      if (count == 2) {
        return false;
      }
      seen[count++] = (char)config.ptr[index];
    }
  }
  return config.len == 0 || strcmp(seen, "{}") == 0;
}

static void *look_on(void *argument)
{
  hookrail_endpoint *endpoint = argument;
  while (!endpoint->is_freed) {
    usleep(1000);
  }
  endpoint->has_thread = false;
  return NULL;
}

static void *stay(void *argument)
{
  for (;;) {
    usleep(1000);
  }
  return argument;
}

// Starts a thread, without the symbol by which a host would be told of it beforehand.
static bool start_in_secret(void *(*body)(void *), void *argument)
{
  typedef int create_thread(pthread_t *thread, const pthread_attr_t *attributes, void *(*body)(void *), void *argument);
  create_thread *begin = NULL;
  void *found = dlsym(RTLD_DEFAULT, "pthread_create");
  pthread_t thread;
  memcpy(&begin, &found, sizeof begin);
  return begin != NULL && begin(&thread, NULL, body, argument) == 0;
}

static uint32_t accept(hookrail_instance *instance, uint32_t kind, hookrail_str name, hookrail_str config,
                       hookrail_endpoint **endpoint)
{
  const char *known = kind == HOOKRAIL_STREAM_SOURCE ? "ticks" : is("another-name") ? "rows" : "lines";
  hookrail_endpoint *made;
  (void)instance;
  if (name.len != strlen(known) || memcmp(name.ptr, known, name.len) != 0) {
    char why[128] = "there is no such endpoint: ";
    size_t before = strlen(why);
    size_t room = sizeof why - 1 - before;
    memcpy(why + before, name.ptr, name.len < room ? name.len : room);
    report(why);
    return 1;
  }
  if (!is("accepts-anything") && !is_empty_object(config)) {
    if (!is("refuses-in-silence")) {
      report("the configuration has to be empty");
    }
    return 1;
  }
  made = calloc(1, sizeof *made);
  if (made == NULL) {
    return 1;
  }
  made->kind = kind;
  if (is("starts-in-accept")) {
    made->has_thread = true;
    start_in_secret(look_on, made);
  }
  if (is("leaks-in-accept")) {
    char *volatile lost = malloc(100);
    (void)lost;
  }
  if (is("opens-in-accept")) {
    (void)!dup(STDERR_FILENO);
  }
  *endpoint = made;
  return 0;
}

static uint32_t run_source(const hookrail_stream_io *io)
{
  if (is("source-ignores-closing")) {
    stay(NULL);
  }
  if (is("leaves-a-thread")) {
    start_in_secret(stay, NULL);
  }
  if (is("source-returns")) {
    return 0;
  }
  while (io->wait(io->stream, UINT64_C(1000000)) == HOOKRAIL_STREAM_NOTHING) {
    hookrail_message message = {0};
    hookrail_text_set(&message.topic, "tick");
    if (is("sends-no-text")) {
      hookrail_bytes_append(&message.topic, "\xff", 1);
    }
    (void)io->send(io->stream, &message, 1, NULL, HOOKRAIL_STREAM_FOREVER);
    hookrail_message_free(&message);
  }
  return 0;
}

static uint32_t run_sink(const hookrail_stream_io *io)
{
  const hookrail_message *const *messages;
  size_t count;
  if (is("sink-returns")) {
    return 0;
  }
  if (is("run-aborts")) {
    abort();
  }
  while (io->receive(io->stream, 16, HOOKRAIL_STREAM_FOREVER, &messages, &count) == HOOKRAIL_STREAM_OK) {
    if (!is("answers-for-nothing")) {
      io->answer(io->stream, count, is("answers-oddly") ? 77 : HOOKRAIL_STREAM_DELIVERED, hookrail_str_of(""));
    }
  }
  return 0;
}

static uint32_t run(hookrail_endpoint *endpoint, const hookrail_stream_io *io)
{
  return endpoint->kind == HOOKRAIL_STREAM_SOURCE ? run_source(io) : run_sink(io);
}

static uint32_t free_endpoint(hookrail_endpoint *endpoint)
{
  endpoint->is_freed = true;
  while (endpoint->has_thread) {
    usleep(100);
  }
  free(endpoint);
  return 0;
}

static uint32_t schema(uint32_t kind, hookrail_str name, hookrail_text *out)
{
  (void)kind;
  (void)name;
  hookrail_text_set(out, "{\"type\": \"object\", \"additionalProperties\": false}");
  return 0;
}

static const hookrail_stream_table whole = {
  .size = sizeof whole,
  .accept = accept,
  .run = run,
  .free = free_endpoint,
  .schema = schema,
};

static const hookrail_stream_table part = {
  .size = offsetof(hookrail_stream_table, run),
  .accept = accept,
};

static const void *query(hookrail_str id)
{
  static const char stream[] = "stream/1";
  if (id.len != sizeof stream - 1 || memcmp(id.ptr, stream, id.len) != 0 || is("no-table")) {
    return NULL;
  }
  return is("part-of-the-table") ? &part : &whole;
}

#define HOOKS(HOOK)

#ifdef UNDECLARED
HOOKRAIL_PLUGIN(NAME, "1.0.0", HOOKS);
#else
HOOKRAIL_PLUGIN(NAME, "1.0.0", HOOKS,
                HOOKRAIL_ENDPOINTS(HOOKRAIL_SOURCE("ticks", "at-most-once"), HOOKRAIL_SINK("lines", "at-least-once")));
#endif
HOOKRAIL_ENTRY(create, hookrail_register_hooks, hookrail_nothing, destroy, query);
