// Asks the point on which it is called itself about a message of its own, and notes who decided and why.

#include <hookrail.h>

struct hookrail_instance {
  const hookrail_handle *handle;
  const hookrail_dispatch_point *publish;
};

static uint32_t ask(void *ctx, void *payload);

#define HOOKS(HOOK) \
  HOOK(HOOKRAIL_MESSAGE_PUBLISH, ask, 500, HOOKRAIL_EFFECTS_EXTERNAL, HOOKRAIL_ON_FAULT_AS_POINT)

HOOKRAIL_PLUGIN("dispatches-in-c", "1.0.0", HOOKS, HOOKRAIL_FIRES(HOOKRAIL_FIRED(HOOKRAIL_MESSAGE_PUBLISH)));

static const hookrail_dispatch_service *service(void)
{
  return (const hookrail_dispatch_service *)hookrail_host->query(hookrail_str_of("dispatch/1"));
}

static bool note(hookrail_message *message, const char *key, const hookrail_text *value)
{
  hookrail_text *header;
  return hookrail_message_add_header(message, key, "")
    && (header = hookrail_message_header(message, key)) != NULL
    && hookrail_bytes_set(header, value->ptr, value->len);
}

static uint32_t ask(void *ctx, void *payload)
{
  const hookrail_instance *instance = ctx;
  hookrail_message *message = payload;
  hookrail_message asked = {0};
  hookrail_dispatch_outcome outcome = hookrail_dispatch_outcome_empty();
  bool is_noted;
  if (!hookrail_text_equals(&message->topic, "ask")) {
    return HOOKRAIL_VERDICT_CONTINUE;
  }
  is_noted = hookrail_text_set(&asked.topic, "asked")
    && hookrail_bytes_set(&asked.body, message->body.ptr, message->body.len)
    && service()->is_hooked(instance->publish)
    && service()->run(instance->publish, &asked, NULL, &outcome) == HOOKRAIL_DISPATCH_OK
    && note(message, "by", &outcome.decided_by)
    && note(message, "reason", &outcome.reason);
  hookrail_dispatch_outcome_free(&outcome);
  hookrail_message_free(&asked);
  return is_noted ? HOOKRAIL_VERDICT_CONTINUE : HOOKRAIL_VERDICT_FAULT;
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
  const hookrail_dispatch_spec spec = HOOKRAIL_DISPATCH_SPEC(HOOKRAIL_MESSAGE_PUBLISH);
  hookrail_text why = hookrail_bytes_empty();
  if (service() == NULL) {
    hookrail_host->report(HOOKRAIL_REPORT_ERROR, hookrail_str_of("the host has no service dispatch/1"));
    return 1;
  }
  if (service()->point(instance->handle, &spec, &instance->publish, &why) != 0) {
    const hookrail_str said = { why.ptr, why.len };
    hookrail_host->report(HOOKRAIL_REPORT_ERROR, said);
    hookrail_bytes_free(&why);
    return 1;
  }
  return hookrail_register_hooks(instance, registrar);
}

static uint32_t stop(hookrail_instance *instance)
{
  return service()->close(instance->handle, instance->publish);
}

static uint32_t destroy(hookrail_instance *instance)
{
  free(instance);
  return 0;
}

HOOKRAIL_ENTRY(create, start, stop, destroy, hookrail_no_table);
