// A plugin in C with a mistake: writes "a=1" for "a:1", and does not think of messages without a colon.
//
//     cc -shared -fPIC -I abi/include -o libhookrail_colons.so abi/examples/c/colons.c

#include <hookrail.h>

static uint32_t replace(void *ctx, void *payload)
{
  (void)ctx;
  hookrail_bytes *body = &((hookrail_message *)payload)->body;
  char *colon = (char *)memchr(body->ptr, ':', body->len);
  *colon = '='; // Where there is none, this writes through a null pointer.
  return HOOKRAIL_VERDICT_CONTINUE;
}

#define HOOKS(HOOK) \
  HOOK(HOOKRAIL_MESSAGE_PUBLISH, replace, 300, HOOKRAIL_EFFECTS_PURE, HOOKRAIL_ON_FAULT_AS_POINT)

HOOKRAIL_PLUGIN("colons", "1.0.0", HOOKS);
HOOKRAIL_ENTRY(hookrail_no_instance, hookrail_register_hooks, hookrail_nothing, hookrail_nothing, hookrail_no_table);
