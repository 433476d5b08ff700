// Subscribes to a service that the test offers, and tells it what happens.

#include <hookrail.h>

// The table `test-bus/1` of the test.
typedef struct {
  uint32_t size;
  // Calls `call` with `ctx` until it is revoked, then `drop`. Returns an id, or 0 if the instance is being stopped:
  // then it does not call them.
  uint64_t (*subscribe)(const hookrail_handle *handle, void (*call)(void *ctx), void *ctx, void (*drop)(void *ctx));
  uint32_t (*unsubscribe)(const hookrail_handle *handle, uint64_t id);
  void (*tell)(const char *what);
} test_bus;

#define HOOKS(HOOK)

HOOKRAIL_PLUGIN("subscribes", "1.0.0", HOOKS);

static const test_bus *bus;
static const hookrail_handle *handle;
static volatile int is_stopped;

static void called(void *ctx)
{
  (void)ctx;
  if (is_stopped) {
    abort();
  }
}

static void dropped(void *ctx)
{
  bus->tell(ctx);
}

static uint32_t create(const hookrail_handle *own, hookrail_str name, hookrail_str config, hookrail_instance **instance)
{
  (void)name, (void)config;
  bus = hookrail_host->query(hookrail_str_of("test-bus/1"));
  handle = own;
  *instance = NULL;
  return bus == NULL || bus->subscribe(handle, called, "dropped create", dropped) == 0;
}

static uint32_t start(hookrail_instance *instance, hookrail_registrar *registrar)
{
  uint64_t id = bus->subscribe(handle, called, "dropped start", dropped);
  (void)instance, (void)registrar;
  bus->subscribe(handle, called, "dropped kept", dropped);
  return bus->unsubscribe(handle, id) && !bus->unsubscribe(handle, id) ? 0 : 1;
}

static uint32_t stop(hookrail_instance *instance)
{
  (void)instance;
  is_stopped = 1;
  bus->tell(bus->subscribe(handle, called, "dropped late", dropped) == 0 ? "stopped, refused" : "stopped");
  return 0;
}

static uint32_t destroy(hookrail_instance *instance)
{
  (void)instance;
  bus->tell("destroyed");
  return 0;
}

HOOKRAIL_ENTRY(create, start, stop, destroy, hookrail_no_table);
