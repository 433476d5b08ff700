// Opens many ends of the bus, receives without answering, and closes nothing.

#include <hookrail.h>

#define PUBLISHERS 200
#define MESSAGES 3

struct hookrail_instance {
  const hookrail_handle *handle;
};

#define HOOKS(HOOK)

HOOKRAIL_PLUGIN("leaves-its-ends-open", "1.0.0", HOOKS);

static const hookrail_bus_service *service(void)
{
  return (const hookrail_bus_service *)hookrail_host->query(hookrail_str_of("bus/1"));
}

static bool send(const hookrail_stream_io *to)
{
  hookrail_message message = {0};
  bool is_sent = hookrail_text_set(&message.topic, "unanswered")
    && to->send(to->stream, &message, 1, NULL, HOOKRAIL_STREAM_FOREVER) == HOOKRAIL_STREAM_OK;
  hookrail_message_free(&message);
  return is_sent;
}

// Two of the messages are received, and not answered for.
static bool open_all(const hookrail_instance *instance, hookrail_text *why)
{
  const hookrail_str topic = hookrail_str_of("unanswered");
  const hookrail_bus_spec spec = {
    .size = sizeof spec,
    .policy = HOOKRAIL_BUS_BLOCK,
    .name = hookrail_str_of("all"),
    .topics = &topic,
    .topic_count = 1,
  };
  hookrail_stream_io from = { .size = sizeof from };
  hookrail_stream_io to = { .size = sizeof to };
  const hookrail_message *const *messages;
  size_t count, sent;
  uint64_t id;
  int opened;
  if (service()->subscribe(instance->handle, &spec, &from, &id, why) != 0) {
    return false;
  }
  for (opened = 0; opened < PUBLISHERS; opened++) {
    if (service()->publish(instance->handle, &to, &id, why) != 0) {
      return false;
    }
  }
  for (sent = 0; sent < MESSAGES; sent++) {
    if (!send(&to)) {
      return false;
    }
  }
  return from.receive(from.stream, 2, 0, &messages, &count) != HOOKRAIL_STREAM_CLOSED;
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
  hookrail_text why = hookrail_bytes_empty();
  bool is_open = false;
  (void)registrar;
  if (service() == NULL) {
    hookrail_host->report(HOOKRAIL_REPORT_ERROR, hookrail_str_of("the host has no service bus/1"));
    return 1;
  }
  is_open = open_all(instance, &why);
  if (!is_open) {
    const hookrail_str said = { why.ptr, why.len };
    hookrail_host->report(HOOKRAIL_REPORT_ERROR, said);
  }
  hookrail_bytes_free(&why);
  return !is_open;
}

static uint32_t stop(hookrail_instance *instance)
{
  (void)instance;
  return 0;
}

static uint32_t destroy(hookrail_instance *instance)
{
  free(instance);
  return 0;
}

HOOKRAIL_ENTRY(create, start, stop, destroy, hookrail_no_table);
