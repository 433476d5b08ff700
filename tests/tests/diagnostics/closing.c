// A plugin whose tables' functions log, and leave a destructor with their thread. The destructor says on a socket
// whether it runs amid one of them: `x`, otherwise `.`. The timestamp of a message that it is called with is the socket.

#include <hookrail.h>
#include <string.h>
#include <unistd.h>

static int end;
// Of this thread: another one may run what it has left meanwhile.
static _Thread_local int inside;
static const hookrail_unload_library *own;
static const hookrail_unload_service *host;
static const hookrail_trace_library *teller;
static const hookrail_trace_service *log_service;
static uint32_t key;

static void run(void *object)
{
  (void)object;
  const char byte = inside > 0 ? 'x' : '.';
  if (end != 0 && write(end, &byte, 1) != 1) {
    end = 0;
  }
}

static void run_value(void *value)
{
  (void)value;
}

static void leave_and_say(void)
{
  if (host == NULL || log_service == NULL) {
    return;
  }
  inside++;
  host->at_thread_exit(own, run, NULL);
  const hookrail_trace_site site = {
    .size = sizeof site,
    .level = HOOKRAIL_LEVEL_INFO,
    .name = hookrail_str_of("said"),
    .target = hookrail_str_of("closing"),
  };
  log_service->log(teller, &site, hookrail_str_of("it is asked"));
  inside--;
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
  leave_and_say();
  host->set_specific(own, key, &key);
}

static uint32_t count(void)
{
  leave_and_say();
  return 0;
}

static void bind_trace(const hookrail_trace_library *library, const hookrail_trace_service *service)
{
  teller = library;
  log_service = service;
}

static void set_level(uint32_t level)
{
  (void)level;
}

// Table `keys/1`, which the header leaves to Rust.
typedef struct {
  uint32_t size;
  uint32_t (*count)(void);
} keys_table;

static const void *query(hookrail_str id)
{
  static const keys_table keys = { .size = sizeof keys, .count = count };
  static const hookrail_trace_table trace = { .size = sizeof trace, .bind = bind_trace, .set_level = set_level };
  static const hookrail_unload_table unload = { .size = sizeof unload, .bind = bind_unload, .probe = probe };
  leave_and_say();
  if (id.len == 8 && memcmp(id.ptr, "unload/1", 8) == 0) {
    return &unload;
  }
  if (id.len == 6 && memcmp(id.ptr, "keys/1", 6) == 0) {
    return &keys;
  }
  return id.len == 7 && memcmp(id.ptr, "trace/1", 7) == 0 ? &trace : NULL;
}

static uint32_t learn(void *ctx, void *payload)
{
  (void)ctx;
  const hookrail_message *message = payload;
  if (message->timestamp != 0) {
    end = (int)message->timestamp;
  }
  return HOOKRAIL_VERDICT_CONTINUE;
}

#define HOOKS(HOOK) HOOK(HOOKRAIL_MESSAGE_PUBLISH, learn, 300, HOOKRAIL_EFFECTS_EXTERNAL, HOOKRAIL_ON_FAULT_AS_POINT)

HOOKRAIL_PLUGIN("closing", "1.0.0", HOOKS);
HOOKRAIL_ENTRY(hookrail_no_instance, hookrail_register_hooks, hookrail_nothing, hookrail_nothing, query);
