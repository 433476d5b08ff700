// Subscribes to a service that the test offers, and tells it what happens.

#include <hookrail.h>

// The table `test-bus/1` of the test.
typedef struct {
  uint32_t size;
  // Calls `call` with `ctx` until it is revoked, then `drop`. Returns an id, or 0 if the instance is being stopped:
  // then it does not call them.
  uint64_t (*subscribe)(const void *handle, void (*call)(void *ctx), void *ctx, void (*drop)(void *ctx));
  uint32_t (*unsubscribe)(const void *handle, uint64_t id);
  void (*tell)(const char *what);
} test_bus;

HOOKRAIL_NOTE({"name": "subscribes", "version": "1.0.0", "abi": "1.0", "hooks": []});

static const hookrail_host_table *host;
static const test_bus *bus;
static const void *handle;
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

static uint32_t attach(const hookrail_host_table *table)
{
  host = table;
  bus = table->query(hookrail_str_of("test-bus/1"));
  return bus == NULL;
}

static uint32_t create(const void *own, hookrail_str name, hookrail_str config, void **instance)
{
  (void)name, (void)config;
  handle = own;
  *instance = NULL;
  return bus->subscribe(handle, called, "dropped create", dropped) == 0;
}

static uint32_t start(void *instance, void *registrar)
{
  uint64_t id = bus->subscribe(handle, called, "dropped start", dropped);
  (void)instance, (void)registrar;
  bus->subscribe(handle, called, "dropped kept", dropped);
  return bus->unsubscribe(handle, id) && !bus->unsubscribe(handle, id) ? 0 : 1;
}

static uint32_t stop(void *instance)
{
  (void)instance;
  is_stopped = 1;
  bus->tell(bus->subscribe(handle, called, "dropped late", dropped) == 0 ? "stopped, refused" : "stopped");
  return 0;
}

static uint32_t destroy(void *instance)
{
  (void)instance;
  bus->tell("destroyed");
  return 0;
}

const hookrail_entry hookrail_plugin_v1 = {
  .size = sizeof(hookrail_entry),
  .abi_min = HOOKRAIL_ABI_OLDEST,
  .abi_max = HOOKRAIL_ABI_VERSION,
  .heap = HOOKRAIL_HEAP,
  .attach = attach,
  .create = create,
  .start = start,
  .stop = stop,
  .destroy = destroy,
  .query = hookrail_no_table,
};
