// Reports texts that would command a terminal: why it denies `deny`, how it fails at `fail`, and, where the
// environment says so, what it logs or why it cannot be created.

#include <hookrail.h>

#define REPORTED "\x1b[2Jcleared\x1b]0;title\x07\xc2\x9b\x33\x31m\r\nerror[HR0000]: forged\xe2\x80\xae"

static uint32_t look(void *ctx, void *payload)
{
  (void)ctx;
  const hookrail_bytes *body = &((hookrail_message *)payload)->body;
  if (body->len == 4 && memcmp(body->ptr, "deny", 4) == 0) {
    hookrail_host->report(HOOKRAIL_REPORT_DENIED, hookrail_str_of(REPORTED));
    return hookrail_deny(403);
  }
  if (body->len == 4 && memcmp(body->ptr, "fail", 4) == 0) {
    hookrail_host->report(HOOKRAIL_REPORT_FAULT, hookrail_str_of(REPORTED));
    return HOOKRAIL_VERDICT_FAULT;
  }
  return HOOKRAIL_VERDICT_CONTINUE;
}

static uint32_t create(const hookrail_handle *handle, hookrail_str name, hookrail_str config, hookrail_instance **instance)
{
  (void)name, (void)config, (void)instance;
  const char *where = getenv("COMMANDS");
  if (where == NULL) {
    return 0;
  }
  if (strcmp(where, "log") == 0) {
    const hookrail_log_service *log = hookrail_host->query(hookrail_str_of("log/1"));
    log->write(handle, HOOKRAIL_LEVEL_WARN, hookrail_str_of(REPORTED));
    return 0;
  }
  hookrail_host->report(HOOKRAIL_REPORT_ERROR, hookrail_str_of(REPORTED));
  return 1;
}

#define HOOKS(HOOK) HOOK(HOOKRAIL_MESSAGE_PUBLISH, look, 10, HOOKRAIL_EFFECTS_PURE, HOOKRAIL_ON_FAULT_AS_POINT)

HOOKRAIL_PLUGIN("commands-a-terminal", "1.0.0", HOOKS);

HOOKRAIL_ENTRY(create, hookrail_register_hooks, hookrail_nothing, hookrail_nothing, hookrail_no_table);
