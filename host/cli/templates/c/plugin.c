// {{name}}: hooks {{point}} at {{priority}}.

#include "hookrail.h"

// Runs on any thread, on several at once: it touches its payload and nothing else.
static uint32_t {{callback}}(void *ctx, void *payload)
{
  (void)ctx;
{{body}}
  return HOOKRAIL_VERDICT_CONTINUE;
}

// Point, callback, priority, what the callback touches besides its payload, what a fault of it means.
#define HOOKS(HOOK) \
  HOOK({{POINT}}, {{callback}}, {{priority}}, HOOKRAIL_EFFECTS_PURE, HOOKRAIL_ON_FAULT_AS_POINT)

// What the host reads before it runs any of our code.
HOOKRAIL_PLUGIN("{{name}}", "0.1.0", HOOKS);

// How the host calls us: create, start, stop, destroy, query.
HOOKRAIL_ENTRY(hookrail_no_instance, hookrail_register_hooks, hookrail_nothing, hookrail_nothing, hookrail_no_table);
