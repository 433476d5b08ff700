// {{name}}: the sink `{{endpoint}}`, by which each message becomes a line of a file.

#include "hookrail.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define LONGEST 4096

// One use of the sink in a pipeline.
struct hookrail_endpoint {
  char file[LONGEST];
};

// Why the host does not get what it asked for.
static uint32_t failed(const char *what, const char *why)
{
  char text[LONGEST + 128];
  snprintf(text, sizeof text, "%s: %s", what, why);
  hookrail_host->report(HOOKRAIL_REPORT_ERROR, hookrail_str_of(text));
  return 1;
}

// Makes the sink for one use, or refuses its configuration.
// It starts nothing: `run_endpoint` is called later, or never.
static uint32_t accept_endpoint(hookrail_instance *instance, uint32_t kind, hookrail_str name, hookrail_str config,
                                hookrail_endpoint **endpoint)
{
  // The host asks for nothing but what is declared below, and that is one sink.
  (void)instance, (void)kind, (void)name;
  char text[LONGEST];
  if (config.len >= sizeof text) {
    return failed("the configuration", "it is longer than a path can be");
  }
  memcpy(text, config.ptr, config.len);
  text[config.len] = '\0';
  *endpoint = malloc(sizeof **endpoint);
  if (*endpoint == NULL) {
    return failed("a sink", "there is no memory for it");
  }
  // All of `{"file":"lines.txt"}`, without escapes; for more, take a parser of JSON.
  int end = -1;
  if (sscanf(text, " { \"file\" : \"%4095[^\"\\]\" }%n", (*endpoint)->file, &end) != 1 || end < 0 || text[end] != '\0') {
    free(*endpoint);
    return failed("the configuration", "it is not like `{ file = \"lines.txt\" }`");
  }
  return 0;
}

// Has a thread of its own, on which it may block. If it fails, another one is started
// after a pause, and is given what this one has not answered for.
static uint32_t run_endpoint(hookrail_endpoint *endpoint, const hookrail_stream_io *io)
{
  FILE *file = fopen(endpoint->file, "a");
  if (file == NULL) {
    return failed(endpoint->file, strerror(errno));
  }
  const hookrail_message *const *messages;
  size_t count;
  // Waits for the next messages, 256 at most, until there will be none any more.
  while (io->receive(io->stream, 256, HOOKRAIL_STREAM_FOREVER, &messages, &count) == HOOKRAIL_STREAM_OK) {
    for (size_t index = 0; index < count; index++) {
      fwrite(messages[index]->body.ptr, 1, messages[index]->body.len, file);
      fputc('\n', file);
    }
    if (fflush(file) != 0 || ferror(file)) {
      failed(endpoint->file, strerror(errno));
      fclose(file);
      return 1;
    }
    // Not before they are where they belong: what is delivered does not come again.
    io->answer(io->stream, count, HOOKRAIL_STREAM_DELIVERED, hookrail_str_of(""));
  }
  fclose(file);
  return 0;
}

static uint32_t free_endpoint(hookrail_endpoint *endpoint)
{
  free(endpoint);
  return 0;
}

// What an operator may write for one use.
static uint32_t schema_of_endpoint(uint32_t kind, hookrail_str name, hookrail_text *out)
{
  (void)kind, (void)name;
  return !hookrail_text_append(out,
    "{\"type\": \"object\", \"additionalProperties\": false, \"required\": [\"file\"], \"properties\": {\"file\":"
    " {\"type\": \"string\", \"minLength\": 1, \"description\": \"The file to which it appends.\"}}}");
}

static const void *query(hookrail_str id)
{
  static const hookrail_stream_table table = {
    sizeof table, accept_endpoint, run_endpoint, free_endpoint, schema_of_endpoint,
  };
  return id.len == strlen("stream/1") && memcmp(id.ptr, "stream/1", id.len) == 0 ? &table : NULL;
}

// It hooks nothing; each hook would be a line: docs/guide/first-plugin-in-c.md.
#define HOOKS(HOOK)

// What the host reads before it runs any of our code.
HOOKRAIL_PLUGIN("{{name}}", "0.1.0", HOOKS, HOOKRAIL_ENDPOINTS(HOOKRAIL_SINK("{{endpoint}}", "at-least-once")));

// How the host calls us: create, start, stop, destroy, query.
HOOKRAIL_ENTRY(hookrail_no_instance, hookrail_register_hooks, hookrail_nothing, hookrail_nothing, query);
