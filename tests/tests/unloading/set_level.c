// A plugin that leaves a destructor with each thread that sets its log level. On the way it says on a socket that it is
// there, and waits for an answer. The timestamp of a message that it is called with is the socket.

#include <hookrail.h>
#include <string.h>
#include <unistd.h>

static int end;
static const hookrail_unload_library *own;
static const hookrail_unload_service *host;
static uint32_t key;

static void run(void *object)
{
  (void)object;
}

static void run_value(void *value)
{
  (void)value;
}

static uint32_t bind_unload(const hookrail_unload_library *library, const hookrail_unload_service *service)
{
  own = library;
  host = service;
  host->key_create(own, &key, run_value);
  return 0;
}

static void probe(void)
{
  host->at_thread_exit(own, run, NULL);
  host->set_specific(own, key, &key);
}

static void bind_trace(const hookrail_trace_library *library, const hookrail_trace_service *service)
{
  (void)library, (void)service;
}

static void set_level(uint32_t level)
{
  (void)level;
  char byte = 'l';
  if (end != 0 && write(end, &byte, 1) == 1 && read(end, &byte, 1) == 1) {
    host->at_thread_exit(own, run, NULL);
  }
}

static const void *query(hookrail_str id)
{
  static const hookrail_unload_table unload = { .size = sizeof unload, .bind = bind_unload, .probe = probe };
  static const hookrail_trace_table trace = { .size = sizeof trace, .bind = bind_trace, .set_level = set_level };
  if (id.len == 8 && memcmp(id.ptr, "unload/1", 8) == 0) {
    return &unload;
  }
  return id.len == 7 && memcmp(id.ptr, "trace/1", 7) == 0 ? &trace : NULL;
}

static uint32_t learn(void *ctx, void *payload)
{
  (void)ctx;
  const hookrail_message *message = payload;
  end = (int)message->timestamp;
  return HOOKRAIL_VERDICT_CONTINUE;
}

static uint32_t destroy(hookrail_instance *instance)
{
  (void)instance;
  char byte = 'd';
  return write(end, &byte, 1) == 1 ? 0 : 1;
}

#define HOOKS(HOOK) HOOK(HOOKRAIL_MESSAGE_PUBLISH, learn, 300, HOOKRAIL_EFFECTS_EXTERNAL, HOOKRAIL_ON_FAULT_AS_POINT)

HOOKRAIL_PLUGIN("set-level", "1.0.0", HOOKS);
HOOKRAIL_ENTRY(hookrail_no_instance, hookrail_register_hooks, hookrail_nothing, destroy, query);
