// Has a source of numbers and a sink that writes lines, as `sends_and_takes.rs`.

#include <hookrail.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct hookrail_instance {
  const hookrail_handle *handle;
};

// A source sends numbers below `until`; a sink appends to `file`. What it needs of its configuration is found by hand.
struct hookrail_endpoint {
  uint32_t kind;
  unsigned long until;
  char file[512];
};

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

// The text behind `"key":` in a small object, up to the next quote or brace.
static const char *value(const char *config, const char *key)
{
  const char *at = strstr(config, key);
  return at == NULL ? NULL : at + strlen(key);
}

static uint32_t accept(hookrail_instance *instance, uint32_t kind, hookrail_str name, hookrail_str config,
                       hookrail_endpoint **endpoint)
{
  char text[1024];
  const char *found;
  hookrail_endpoint *made;
  (void)instance;
  (void)name;
  if (config.len >= sizeof text) {
    report("the configuration is too long");
    return 1;
  }
  memcpy(text, config.ptr, config.len);
  text[config.len] = '\0';
  found = value(text, kind == HOOKRAIL_STREAM_SOURCE ? "\"until\":" : "\"file\":\"");
  if (found == NULL) {
    report("the configuration has neither `until` nor `file`");
    return 1;
  }
  made = calloc(1, sizeof *made);
  if (made == NULL) {
    return 1;
  }
  made->kind = kind;
  if (kind == HOOKRAIL_STREAM_SOURCE) {
    made->until = strtoul(found, NULL, 10);
  } else {
    snprintf(made->file, sizeof made->file, "%.*s", (int)strcspn(found, "\""), found);
  }
  *endpoint = made;
  return 0;
}

static uint32_t run_source(const hookrail_endpoint *endpoint, const hookrail_stream_io *io)
{
  unsigned long next = 0;
  for (; next < endpoint->until; next++) {
    hookrail_message message = {0};
    hookrail_stream_mark mark;
    char text[32];
    uint32_t sent;
    snprintf(text, sizeof text, "%lu", next);
    hookrail_text_set(&message.topic, "number");
    hookrail_bytes_append(&message.body, text, strlen(text));
    mark.key = hookrail_str_of("next");
    mark.value = hookrail_str_of(text);
    sent = io->send(io->stream, &message, 1, &mark, HOOKRAIL_STREAM_FOREVER);
    hookrail_message_free(&message);
    if (sent != HOOKRAIL_STREAM_OK) {
      return 0;
    }
  }
  return 0;
}

static uint32_t run_sink(const hookrail_endpoint *endpoint, const hookrail_stream_io *io)
{
  FILE *file = fopen(endpoint->file, "a");
  const hookrail_message *const *messages;
  size_t count;
  if (file == NULL) {
    report("the file cannot be opened");
    return 1;
  }
  while (io->receive(io->stream, 16, HOOKRAIL_STREAM_FOREVER, &messages, &count) == HOOKRAIL_STREAM_OK) {
    size_t index;
    for (index = 0; index < count; index++) {
      fwrite(messages[index]->body.ptr, 1, messages[index]->body.len, file);
      fputc('\n', file);
    }
    fflush(file);
    io->answer(io->stream, count, HOOKRAIL_STREAM_DELIVERED, hookrail_str_of(""));
  }
  fclose(file);
  return 0;
}

static uint32_t run(hookrail_endpoint *endpoint, const hookrail_stream_io *io)
{
  return endpoint->kind == HOOKRAIL_STREAM_SOURCE ? run_source(endpoint, io) : run_sink(endpoint, io);
}

static uint32_t free_endpoint(hookrail_endpoint *endpoint)
{
  free(endpoint);
  return 0;
}

static uint32_t schema(uint32_t kind, hookrail_str name, hookrail_text *out)
{
  (void)kind;
  (void)name;
  (void)out;
  return 0;
}

static const hookrail_stream_table table = {
  .size = sizeof table,
  .accept = accept,
  .run = run,
  .free = free_endpoint,
  .schema = schema,
};

static const void *query(hookrail_str id)
{
  static const char stream[] = "stream/1";
  return id.len == sizeof stream - 1 && memcmp(id.ptr, stream, id.len) == 0 ? &table : NULL;
}

#define HOOKS(HOOK)

HOOKRAIL_PLUGIN("sends-and-takes-in-c", "1.0.0", HOOKS,
                HOOKRAIL_ENDPOINTS(HOOKRAIL_SOURCE("numbers", "at-least-once"), HOOKRAIL_SINK("lines", "at-least-once")));
HOOKRAIL_ENTRY(create, hookrail_register_hooks, hookrail_nothing, destroy, query);
