// Subscribes to questions on the bus of its host, and publishes each of them as an answer.

#include <hookrail.h>
#include <pthread.h>

struct hookrail_instance {
  const hookrail_handle *handle;
  pthread_t thread;
};

#define HOOKS(HOOK)

HOOKRAIL_PLUGIN("answers-on-the-bus", "1.0.0", HOOKS);

static const hookrail_bus_service *service(void)
{
  return (const hookrail_bus_service *)hookrail_host->query(hookrail_str_of("bus/1"));
}

static bool answers(const hookrail_stream_io *to, const hookrail_message *question)
{
  hookrail_message answer = {0};
  bool is_sent = hookrail_text_set(&answer.topic, "answer")
    && hookrail_bytes_set(&answer.body, question->body.ptr, question->body.len)
    && to->send(to->stream, &answer, 1, NULL, HOOKRAIL_STREAM_FOREVER) == HOOKRAIL_STREAM_OK;
  hookrail_message_free(&answer);
  return is_sent;
}

// Until the instance is stopped: then the host closes both ends.
static void *follow(void *at)
{
  const hookrail_instance *instance = at;
  const hookrail_str topic = hookrail_str_of("question.>");
  const hookrail_bus_spec spec = {
    .size = sizeof spec,
    .policy = HOOKRAIL_BUS_BLOCK,
    .name = hookrail_str_of("questions"),
    .topics = &topic,
    .topic_count = 1,
  };
  hookrail_stream_io from = { .size = sizeof from };
  hookrail_stream_io to = { .size = sizeof to };
  hookrail_text why = hookrail_bytes_empty();
  uint64_t in, out;
  if (service()->publish(instance->handle, &to, &out, &why) == 0) {
    if (service()->subscribe(instance->handle, &spec, &from, &in, &why) == 0) {
      const hookrail_message *const *messages;
      size_t count, index;
      while (from.receive(from.stream, 16, HOOKRAIL_STREAM_FOREVER, &messages, &count) == HOOKRAIL_STREAM_OK) {
        for (index = 0; index < count && answers(&to, messages[index]); index++) {
        }
        from.answer(from.stream, index, HOOKRAIL_STREAM_DELIVERED, hookrail_str_of(""));
      }
      service()->close(instance->handle, in);
    }
    service()->close(instance->handle, out);
  }
  if (why.len > 0) {
    const hookrail_str said = { why.ptr, why.len };
    hookrail_host->report(HOOKRAIL_REPORT_ERROR, said);
  }
  hookrail_bytes_free(&why);
  return NULL;
}

static uint32_t create(const hookrail_handle *handle, hookrail_str name, hookrail_str config, hookrail_instance **instance)
{
  (void)name, (void)config;
  *instance = calloc(1, sizeof **instance);
  if (*instance != NULL) {
    (*instance)->handle = handle;
  }
  return *instance == NULL;
}

static uint32_t start(hookrail_instance *instance, hookrail_registrar *registrar)
{
  (void)registrar;
  if (service() == NULL) {
    hookrail_host->report(HOOKRAIL_REPORT_ERROR, hookrail_str_of("the host has no service bus/1"));
    return 1;
  }
  return pthread_create(&instance->thread, NULL, follow, instance) != 0;
}

static uint32_t stop(hookrail_instance *instance)
{
  return pthread_join(instance->thread, NULL) != 0;
}

static uint32_t destroy(hookrail_instance *instance)
{
  free(instance);
  return 0;
}

HOOKRAIL_ENTRY(create, start, stop, destroy, hookrail_no_table);
