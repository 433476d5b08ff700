// {{name}}: hooks {{point}} at {{priority}}.

#include "hookrail.h"

// What it is and what it hooks, as JSON: the host reads this before it runs any code of ours.
HOOKRAIL_NOTE({
  "name": "{{name}}", "version": "0.1.0", "abi": "1.0",
  "hooks": [{"point": "{{point}}", "revision": 1, "callback": "{{callback}}", "priority": {{priority}}, "effects": "pure"}]
});

static const hookrail_host_table *host;

// Runs on any thread, on several at once: it touches its payload and nothing else.
static uint32_t {{callback}}(void *ctx, void *payload)
{
  (void)ctx;
{{body}}
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
    .point = hookrail_str_of({{POINT}}),
    .revision = {{POINT}}_REVISION,
    .fingerprint = {{POINT}}_FINGERPRINT,
    .priority = {{priority}},
    .callback = hookrail_str_of("{{callback}}"),
    .effects = HOOKRAIL_EFFECTS_PURE,
    .run = {{callback}},
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
