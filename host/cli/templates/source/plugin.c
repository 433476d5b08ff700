// {{name}}: the source `{{endpoint}}`, a number every so often.

#include "hookrail.h"

#include <stdio.h>
#include <stdlib.h>

#define DEFAULT_MS 1000
#define MOST_MS 86400000

// One use of the source in a pipeline.
struct hookrail_endpoint {
  uint64_t every_ns;
};

// Why the host does not get what it asked for.
static uint32_t failed(const char *why)
{
  hookrail_host->report(HOOKRAIL_REPORT_ERROR, hookrail_str_of(why));
  return 1;
}

// Makes the source for one use, or refuses its configuration.
// It starts nothing: `run_endpoint` is called later, or never.
static uint32_t accept_endpoint(hookrail_instance *instance, uint32_t kind, hookrail_str name, hookrail_str config,
                                hookrail_endpoint **endpoint)
{
  // The host asks for nothing but what is declared below, and that is one source.
  (void)instance, (void)kind, (void)name;
  char text[256];
  if (config.len >= sizeof text) {
    return failed("the configuration is longer than `{ every_ms = 1000 }` can be");
  }
  memcpy(text, config.ptr, config.len);
  text[config.len] = '\0';
  // Either all of `{}` or all of `{"every_ms":1000}`; for more, take a parser of JSON.
  long long every_ms = DEFAULT_MS;
  int end = -1;
  if (strcmp(text, "{}") != 0
      && (sscanf(text, " { \"every_ms\" : %lld }%n", &every_ms, &end) != 1 || end < 0 || text[end] != '\0')) {
    return failed("the configuration is not like `{ every_ms = 1000 }`");
  }
  if (every_ms < 1 || every_ms > MOST_MS) {
    return failed("every_ms is not from 1 to 86400000, a day");
  }
  *endpoint = malloc(sizeof **endpoint);
  if (*endpoint == NULL) {
    return failed("no memory for a source");
  }
  (*endpoint)->every_ns = (uint64_t)every_ms * 1000000;
  return 0;
}

// Has a thread of its own, on which it may block. If it fails, another one is started after a pause.
static uint32_t run_endpoint(hookrail_endpoint *endpoint, const hookrail_stream_io *io)
{
  // The wait ends early, with HOOKRAIL_STREAM_CLOSED, when the source is to end.
  for (unsigned long number = 1; io->wait(io->stream, endpoint->every_ns) == HOOKRAIL_STREAM_NOTHING; number++) {
    char body[24];
    snprintf(body, sizeof body, "%lu", number);
    hookrail_message message;
    memset(&message, 0, sizeof message);
    uint32_t sent = HOOKRAIL_STREAM_NOTHING;
    if (hookrail_text_set(&message.topic, "{{name}}") && hookrail_bytes_set(&message.body, body, strlen(body))) {
      // Returns once the chain of message.publish has decided, and queues that block have taken it.
      sent = io->send(io->stream, &message, 1, NULL, HOOKRAIL_STREAM_FOREVER);
    }
    // What was sent was left empty, and may have memory to be filled again.
    hookrail_message_free(&message);
    if (sent != HOOKRAIL_STREAM_OK) {
      return sent == HOOKRAIL_STREAM_CLOSED ? 0 : failed("no memory for a message");
    }
  }
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
    "{\"type\": \"object\", \"additionalProperties\": false, \"properties\": {\"every_ms\": {\"type\": \"integer\","
    " \"minimum\": 1, \"maximum\": 86400000, \"default\": 1000,"
    " \"description\": \"How long it waits before each message, in milliseconds.\"}}}");
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
HOOKRAIL_PLUGIN("{{name}}", "0.1.0", HOOKS, HOOKRAIL_ENDPOINTS(HOOKRAIL_SOURCE("{{endpoint}}", "at-most-once")));

// How the host calls us: create, start, stop, destroy, query.
HOOKRAIL_ENTRY(hookrail_no_instance, hookrail_register_hooks, hookrail_nothing, hookrail_nothing, query);
