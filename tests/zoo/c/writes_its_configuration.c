// Writes what it is sent as its configuration, and answers with what came of it.

#include <hookrail.h>
#include <stdio.h>

struct hookrail_instance {
  const hookrail_handle *handle;
};

// Whether it is text that can be written: a configuration is UTF-8, and a body may be anything.
static bool is_plain(const hookrail_bytes *bytes)
{
  for (size_t index = 0; index < bytes->len; index++) {
    if (bytes->ptr[index] < ' ' || bytes->ptr[index] > '~') {
      return false;
    }
  }
  return bytes->len > 0;
}

static uint32_t write_it(void *ctx, void *payload)
{
  hookrail_message *message = (hookrail_message *)payload;
  const hookrail_handle *handle = ((hookrail_instance *)ctx)->handle;
  const hookrail_writable_config_service *service =
    (const hookrail_writable_config_service *)hookrail_host->query(hookrail_str_of("config/2"));
  // A host need not have that service.
  if (service == NULL || !is_plain(&message->body)) {
    return HOOKRAIL_VERDICT_CONTINUE;
  }
  hookrail_text why = hookrail_bytes_empty();
  uint64_t revision = 0;
  uint32_t answer = service->stored(handle, &why, &revision);
  if (answer == 0) {
    hookrail_bytes_free(&why);
    why = hookrail_bytes_empty();
    hookrail_str json = { message->body.ptr, message->body.len };
    answer = service->write(handle, json, revision, &revision, &why);
  }
  char said[512];
  snprintf(said, sizeof said, "%u, revision %u: %.*s", (unsigned)answer, (unsigned)revision, (int)why.len,
    (const char *)why.ptr);
  hookrail_bytes_free(&why);
  return hookrail_message_set_header(message, "said", said) ? HOOKRAIL_VERDICT_CONTINUE : HOOKRAIL_VERDICT_FAULT;
}

#define HOOKS(HOOK) \
  HOOK(HOOKRAIL_MESSAGE_PUBLISH, write_it, 10, HOOKRAIL_EFFECTS_EXTERNAL, HOOKRAIL_ON_FAULT_AS_POINT)

HOOKRAIL_PLUGIN("writes-in-c", "1.0.0", HOOKS);

static uint32_t create(const hookrail_handle *handle, hookrail_str name, hookrail_str config, hookrail_instance **instance)
{
  (void)name, (void)config;
  *instance = (hookrail_instance *)malloc(sizeof **instance);
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

HOOKRAIL_ENTRY(create, hookrail_register_hooks, hookrail_nothing, destroy, hookrail_no_table);
