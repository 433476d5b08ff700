// Publishes within its callback, by one end, which is in use when the callback is called for what it publishes; and ends a
// subscription meanwhile.

#include <hookrail.h>

struct hookrail_instance {
  const hookrail_handle *handle;
  hookrail_stream_io to;
  uint64_t id, kept, ended;
};

static uint32_t react(void *ctx, void *payload);

#define HOOKS(HOOK) \
  HOOK(HOOKRAIL_MESSAGE_PUBLISH, react, 500, HOOKRAIL_EFFECTS_EXTERNAL, HOOKRAIL_ON_FAULT_AS_POINT)

HOOKRAIL_PLUGIN("publishes-within", "1.0.0", HOOKS);

static const hookrail_bus_service *service(void)
{
  return (const hookrail_bus_service *)hookrail_host->query(hookrail_str_of("bus/1"));
}

// Two messages at once.
static bool publish(const hookrail_stream_io *to, const char *first, const char *other)
{
  hookrail_message both[2] = {0};
  bool is_sent = hookrail_text_set(&both[0].topic, first) && hookrail_text_set(&both[1].topic, other)
    && to->send(to->stream, both, 2, NULL, HOOKRAIL_STREAM_FOREVER) == HOOKRAIL_STREAM_OK;
  hookrail_message_free(&both[0]);
  hookrail_message_free(&both[1]);
  return is_sent;
}

static uint32_t react(void *ctx, void *payload)
{
  const hookrail_instance *instance = ctx;
  const hookrail_message *message = payload;
  bool is_sent = true;
  if (hookrail_text_equals(&message->topic, "number")) {
    is_sent = publish(&instance->to, "within.plain", "within.deeper");
  } else if (hookrail_text_equals(&message->topic, "within.deeper")) {
    service()->close(instance->handle, instance->ended);
    is_sent = publish(&instance->to, "within.deepest", "within.last");
  }
  return is_sent ? HOOKRAIL_VERDICT_CONTINUE : HOOKRAIL_VERDICT_FAULT;
}

// Nobody receives from it.
static uint32_t subscribe(const hookrail_instance *instance, const char *name, uint64_t *id, hookrail_text *why)
{
  const hookrail_str topic = hookrail_str_of("within.>");
  const hookrail_bus_spec spec = {
    .size = sizeof spec,
    .name = hookrail_str_of(name),
    .topics = &topic,
    .topic_count = 1,
  };
  hookrail_stream_io from = { .size = sizeof from };
  return service()->subscribe(instance->handle, &spec, &from, id, why);
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
  instance->to.size = sizeof instance->to;
  if (service() == NULL) {
    hookrail_host->report(HOOKRAIL_REPORT_ERROR, hookrail_str_of("the host has no service bus/1"));
    return 1;
  }
  if (service()->publish(instance->handle, &instance->to, &instance->id, &why) != 0
      || subscribe(instance, "a-kept", &instance->kept, &why) != 0
      || subscribe(instance, "b-ended", &instance->ended, &why) != 0) {
    const hookrail_str said = { why.ptr, why.len };
    hookrail_host->report(HOOKRAIL_REPORT_ERROR, said);
    hookrail_bytes_free(&why);
    return 1;
  }
  return hookrail_register_hooks(instance, registrar);
}

static uint32_t stop(hookrail_instance *instance)
{
  service()->close(instance->handle, instance->kept);
  return service()->close(instance->handle, instance->id);
}

static uint32_t destroy(hookrail_instance *instance)
{
  free(instance);
  return 0;
}

HOOKRAIL_ENTRY(create, start, stop, destroy, hookrail_no_table);
