// Runs the source as a host does, without one: `make test`.

#include "plugin.c"

static int failures;

#define EXPECT(condition) ((condition) ? (void)0 : (void)(failures = 1, fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition)))

// What stands for the host's end: it keeps the bodies, and wants the source to end after three.
struct hookrail_stream {
  int count;
  hookrail_bytes bodies;
};

static uint32_t sent(hookrail_stream *stream, hookrail_message *messages, size_t count, const hookrail_stream_mark *mark,
                     uint64_t timeout_ns)
{
  (void)mark, (void)timeout_ns;
  for (size_t index = 0; index < count; index++) {
    EXPECT(hookrail_text_equals(&messages[index].topic, "{{name}}"));
    hookrail_bytes_append(&stream->bodies, messages[index].body.ptr, messages[index].body.len);
    hookrail_message_free(&messages[index]);
    stream->count++;
  }
  return HOOKRAIL_STREAM_OK;
}

static uint32_t waited(hookrail_stream *stream, uint64_t timeout_ns)
{
  EXPECT(timeout_ns == 5 * 1000000);
  return stream->count == 3 ? HOOKRAIL_STREAM_CLOSED : HOOKRAIL_STREAM_NOTHING;
}

// The last thing that the source has reported.
static char reported[256];

static void report(uint32_t kind, hookrail_str text)
{
  (void)kind;
  snprintf(reported, sizeof reported, "%.*s", (int)text.len, (const char *)text.ptr);
}

static uint32_t accepted(const char *config, hookrail_endpoint **endpoint)
{
  return accept_endpoint(NULL, HOOKRAIL_STREAM_SOURCE, hookrail_str_of("{{endpoint}}"), hookrail_str_of(config), endpoint);
}

int main(void)
{
  static const hookrail_host_table host = { .size = sizeof host, .abi = HOOKRAIL_ABI_VERSION, .report = report };
  hookrail_host = &host;
  hookrail_endpoint *source;

  EXPECT(accepted("{\"every_ms\":0}", &source) != 0 && strstr(reported, "every_ms") != NULL);

  hookrail_stream stream = { 0, hookrail_bytes_empty() };
  const hookrail_stream_io io = { .size = sizeof io, .stream = &stream, .send = sent, .wait = waited };
  if (accepted("{\"every_ms\":5}", &source) == 0) {
    EXPECT(run_endpoint(source, &io) == 0);
    free_endpoint(source);
  }
  EXPECT(hookrail_text_equals(&stream.bodies, "123"));
  hookrail_bytes_free(&stream.bodies);

  puts(failures ? "source: failed" : "source: ok");
  return failures;
}
