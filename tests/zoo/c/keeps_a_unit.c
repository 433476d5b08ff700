// Has a unit that gives back every line that it is sent: each message goes through it.

#include <hookrail.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

struct hookrail_instance {
  const hookrail_handle *handle;
  // One message at a time.
  pthread_mutex_t turn;
  uint64_t unit;
  int to;
  int from;
};

static const hookrail_unit_service *service(void)
{
  return (const hookrail_unit_service *)hookrail_host->query(hookrail_str_of("unit/1"));
}

// Takes what has happened, and waits for the first process.
static bool has_process(hookrail_instance *instance)
{
  hookrail_unit_event event;
  const uint64_t minute = 60000000000u;
  event.size = sizeof event;
  while (service()->next(instance->handle, instance->unit, instance->to < 0 ? minute : 0, &event) ==
         HOOKRAIL_UNIT_HAPPENED) {
    if (event.kind == HOOKRAIL_UNIT_STARTED) {
      instance->to = event.input;
      instance->from = event.output;
      service()->say(instance->handle, instance->unit, event.run, HOOKRAIL_UNIT_READY, 0, hookrail_str_of(""));
    } else if (event.kind == HOOKRAIL_UNIT_ORDER) {
      service()->say(instance->handle, instance->unit, event.run, HOOKRAIL_UNIT_DONE, event.order, hookrail_str_of(""));
    }
  }
  return instance->to >= 0;
}

// Has a line given back; the room for it is `size`, and `length` of it is the line.
static bool is_given_back(hookrail_instance *instance, char *said, size_t length, size_t size)
{
  bool is_whole;
  if (!has_process(instance) || write(instance->to, said, length) != (ssize_t)length) {
    return false;
  }
  for (length = 0; length < size - 1 && read(instance->from, &said[length], 1) == 1 && said[length] != '\n'; length++) {
  }
  is_whole = said[length] == '\n';
  said[length] = '\0';
  return is_whole;
}

// Has the first line of the body given back in a header, if the unit has a process.
static uint32_t pass_through(void *ctx, void *payload)
{
  hookrail_message *message = (hookrail_message *)payload;
  hookrail_instance *instance = (hookrail_instance *)ctx;
  char said[256];
  size_t length = 0;
  bool is_back;
  while (length < sizeof said - 2 && length < message->body.len && message->body.ptr[length] >= ' ' &&
         message->body.ptr[length] <= '~') {
    said[length] = (char)message->body.ptr[length];
    length++;
  }
  said[length] = '\n';
  pthread_mutex_lock(&instance->turn);
  is_back = is_given_back(instance, said, length + 1, sizeof said);
  pthread_mutex_unlock(&instance->turn);
  if (!is_back) {
    return HOOKRAIL_VERDICT_CONTINUE;
  }
  return hookrail_message_set_header(message, "said", said) ? HOOKRAIL_VERDICT_CONTINUE : HOOKRAIL_VERDICT_FAULT;
}

#define HOOKS(HOOK) \
  HOOK(HOOKRAIL_MESSAGE_PUBLISH, pass_through, 10, HOOKRAIL_EFFECTS_EXTERNAL, HOOKRAIL_ON_FAULT_AS_POINT)

HOOKRAIL_PLUGIN("keeps-a-unit-in-c", "1.0.0", HOOKS);

static uint32_t create(const hookrail_handle *handle, hookrail_str name, hookrail_str config, hookrail_instance **instance)
{
  (void)name, (void)config;
  *instance = (hookrail_instance *)malloc(sizeof **instance);
  if (*instance == NULL) {
    return 1;
  }
  (*instance)->handle = handle;
  (*instance)->to = (*instance)->from = -1;
  pthread_mutex_init(&(*instance)->turn, NULL);
  return 0;
}

static uint32_t start(hookrail_instance *instance, hookrail_registrar *registrar)
{
  const hookrail_str unbuffered = hookrail_str_of("-u");
  hookrail_unit_spec spec = { 0 };
  hookrail_text why = hookrail_bytes_empty();
  spec.size = sizeof spec;
  spec.name = hookrail_str_of("cat");
  spec.program = hookrail_str_of("/bin/cat");
  spec.arguments = &unbuffered;
  spec.argument_count = 1;
  spec.ping_every_ns = HOOKRAIL_UNIT_FOREVER;
  // No thread of this plugin takes what is ordered.
  spec.shutdown_ns = 1000000;
  if (service() == NULL) {
    hookrail_host->report(HOOKRAIL_REPORT_ERROR, hookrail_str_of("the host has no service unit/1"));
    return 1;
  }
  if (service()->start(instance->handle, &spec, &instance->unit, &why) != 0) {
    hookrail_str said = { why.ptr, why.len };
    hookrail_host->report(HOOKRAIL_REPORT_ERROR, said);
    hookrail_bytes_free(&why);
    return 1;
  }
  return hookrail_register_hooks(instance, registrar);
}

static uint32_t destroy(hookrail_instance *instance)
{
  if (instance->to >= 0) {
    close(instance->to);
    close(instance->from);
  }
  pthread_mutex_destroy(&instance->turn);
  free(instance);
  return 0;
}

HOOKRAIL_ENTRY(create, start, hookrail_nothing, destroy, hookrail_no_table);
