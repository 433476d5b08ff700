// Runs the sink as a host does, without one: `make test`.

#include "plugin.c"

static int failures;

#define EXPECT(condition) ((condition) ? (void)0 : (void)(failures = 1, fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition)))

// What stands for the host's end: it gives all of its messages at once, and no more after that.
struct hookrail_stream {
  const hookrail_message *messages[2];
  bool is_given;
  size_t delivered;
};

static uint32_t given(hookrail_stream *stream, size_t most, uint64_t timeout_ns, const hookrail_message *const **messages,
                      size_t *count)
{
  (void)timeout_ns;
  EXPECT(most >= 2);
  if (stream->is_given) {
    return HOOKRAIL_STREAM_CLOSED;
  }
  stream->is_given = true;
  *messages = stream->messages;
  *count = 2;
  return HOOKRAIL_STREAM_OK;
}

static size_t answered(hookrail_stream *stream, size_t count, uint32_t answer, hookrail_str why)
{
  (void)why;
  EXPECT(answer == HOOKRAIL_STREAM_DELIVERED);
  stream->delivered += count;
  return count;
}

// The last thing that the sink has reported.
static char reported[256];

static void report(uint32_t kind, hookrail_str text)
{
  (void)kind;
  snprintf(reported, sizeof reported, "%.*s", (int)text.len, (const char *)text.ptr);
}

static uint32_t accepted(const char *config, hookrail_endpoint **endpoint)
{
  return accept_endpoint(NULL, HOOKRAIL_STREAM_SINK, hookrail_str_of("{{endpoint}}"), hookrail_str_of(config), endpoint);
}

int main(void)
{
  static const hookrail_host_table host = { .size = sizeof host, .abi = HOOKRAIL_ABI_VERSION, .report = report };
  hookrail_host = &host;
  hookrail_endpoint *sink;

  EXPECT(accepted("{}", &sink) != 0 && strstr(reported, "file") != NULL);

  hookrail_message one, two;
  memset(&one, 0, sizeof one);
  memset(&two, 0, sizeof two);
  EXPECT(hookrail_bytes_set(&one.body, "one", 3) && hookrail_bytes_set(&two.body, "two", 3));
  hookrail_stream stream = { { &one, &two }, false, 0 };
  const hookrail_stream_io io = { .size = sizeof io, .stream = &stream, .receive = given, .answer = answered };
  remove("test-lines.txt");
  if (accepted("{\"file\":\"test-lines.txt\"}", &sink) == 0) {
    EXPECT(run_endpoint(sink, &io) == 0);
    free_endpoint(sink);
  }
  EXPECT(stream.delivered == 2);
  hookrail_bytes_free(&one.body);
  hookrail_bytes_free(&two.body);

  char lines[16] = "";
  FILE *file = fopen("test-lines.txt", "r");
  if (file != NULL) {
    lines[fread(lines, 1, sizeof lines - 1, file)] = '\0';
    fclose(file);
    remove("test-lines.txt");
  }
  EXPECT(strcmp(lines, "one\ntwo\n") == 0);

  puts(failures ? "sink: failed" : "sink: ok");
  return failures;
}
