// A plugin in C: denies confidential messages, trims the others and marks them as screened.
//
//     cc -shared -fPIC -I abi/include -o libhookrail_screen.so abi/examples/c/screen.c

#define _GNU_SOURCE // memmem
#include <hookrail.h>

// What it is and what it hooks, as JSON: the host reads this before it runs any code of ours.
HOOKRAIL_NOTE({
  "name": "screen", "version": "1.0.0", "abi": "1.0",
  "hooks": [{"point": "message.publish", "revision": 1, "callback": "screen", "priority": 300, "effects": "pure"}]
});

static const hookrail_host_table *host;

// Runs on any thread, on several at once: it touches its message and nothing else.
static uint32_t screen(void *ctx, void *payload)
{
  (void)ctx;
  hookrail_message *message = payload;
  hookrail_bytes *body = &message->body;
  if (memmem(body->ptr, body->len, "confidential", strlen("confidential")) != NULL) {
    host->report(HOOKRAIL_REPORT_DENIED, hookrail_str_of("the body says that it is confidential"));
    return hookrail_deny(403);
  }
  while (body->len > 0 && body->ptr[body->len - 1] == ' ') {
    body->len--;
  }
  if (!hookrail_message_set_header(message, "screened", "yes")) {
    host->report(HOOKRAIL_REPORT_FAULT, hookrail_str_of("no memory for a header"));
    return HOOKRAIL_VERDICT_FAULT;
  }
  return HOOKRAIL_VERDICT_CONTINUE;
}

static uint32_t attach(const hookrail_host_table *table)
{
  host = table;
  return 0;
}

static uint32_t create(const void *handle, hookrail_str name, hookrail_str config, void **instance)
{
  (void)handle, (void)name, (void)config;
  *instance = NULL; // It has no state and no configuration.
  return 0;
}

static uint32_t start(void *instance, void *registrar)
{
  const hookrail_registration record = {
    .size = sizeof record,
    .flags = HOOKRAIL_HAS_PRIORITY,
    .point = hookrail_str_of(HOOKRAIL_MESSAGE_PUBLISH),
    .revision = HOOKRAIL_MESSAGE_PUBLISH_REVISION,
    .fingerprint = HOOKRAIL_MESSAGE_PUBLISH_FINGERPRINT,
    .priority = 300,
    .callback = hookrail_str_of("screen"),
    .effects = HOOKRAIL_EFFECTS_PURE,
    .run = screen,
    .ctx = instance,
  };
  return host->register_callback(registrar, &record);
}

const hookrail_entry hookrail_plugin_v1 = {
  .size = sizeof(hookrail_entry),
  .abi_min = HOOKRAIL_ABI_OLDEST,
  .abi_max = HOOKRAIL_ABI_VERSION,
  .heap = HOOKRAIL_HEAP,
  .attach = attach,
  .create = create,
  .start = start,
  .stop = hookrail_nothing,
  .destroy = hookrail_nothing,
  .query = hookrail_no_table,
};
