// A plugin in C: denies confidential messages, trims the others and marks them as screened.
//
//     cc -shared -fPIC -I abi/include -o libhookrail_screen.so abi/examples/c/screen.c

#ifndef _GNU_SOURCE
#define _GNU_SOURCE // memmem
#endif
#include <hookrail.h>

// Runs on any thread, on several at once: it touches its message and nothing else.
static uint32_t screen(void *ctx, void *payload)
{
  (void)ctx;
  hookrail_message *message = (hookrail_message *)payload;
  hookrail_bytes *body = &message->body;
  if (memmem(body->ptr, body->len, "confidential", strlen("confidential")) != NULL) {
    hookrail_host->report(HOOKRAIL_REPORT_DENIED, hookrail_str_of("the body says that it is confidential"));
    return hookrail_deny(403);
  }
  while (body->len > 0 && body->ptr[body->len - 1] == ' ') {
    body->len--;
  }
  if (!hookrail_message_set_header(message, "screened", "yes")) {
    hookrail_host->report(HOOKRAIL_REPORT_FAULT, hookrail_str_of("no memory for a header"));
    return HOOKRAIL_VERDICT_FAULT;
  }
  return HOOKRAIL_VERDICT_CONTINUE;
}

// Point, callback, priority, what the callback touches besides its message, what a fault of it means.
#define HOOKS(HOOK) \
  HOOK(HOOKRAIL_MESSAGE_PUBLISH, screen, 300, HOOKRAIL_EFFECTS_PURE, HOOKRAIL_ON_FAULT_AS_POINT)

// What the host reads before it runs any of our code.
HOOKRAIL_PLUGIN("screen", "1.0.0", HOOKS);

// How the host calls us: create, start, stop, destroy, query.
HOOKRAIL_ENTRY(hookrail_no_instance, hookrail_register_hooks, hookrail_nothing, hookrail_nothing, hookrail_no_table);
