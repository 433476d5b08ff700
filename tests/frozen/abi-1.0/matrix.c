// A plugin in C that was built with the header of ABI 1.0.

#include "hookrail.h"

static uint32_t mark(void *ctx, void *payload)
{
  (void)ctx;
  bool is_marked = hookrail_message_add_header(payload, "extra", "not asked for");
  return is_marked ? HOOKRAIL_VERDICT_CONTINUE : HOOKRAIL_VERDICT_FAULT;
}

#define HOOKS(HOOK) HOOK(HOOKRAIL_MESSAGE_PUBLISH, mark, 10, HOOKRAIL_EFFECTS_PURE, HOOKRAIL_ON_FAULT_AS_POINT)

HOOKRAIL_PLUGIN("matrix", "1.0.0", HOOKS);

HOOKRAIL_ENTRY(hookrail_no_instance, hookrail_register_hooks, hookrail_nothing, hookrail_nothing, hookrail_no_table);
