// Breaks where and how the environment variable BREAKS says, and does nothing wrong without it.
//
// `PLACE:WAY` aborts, hangs, dawdles, follows a null pointer, overflows the stack, exits, leaves or forks at a place: a
// function of the entry or of a table, `callback` or `constructor`. The other words are mistakes of their
// own, each in the code that makes it.

#define _GNU_SOURCE
#include <hookrail.h>

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#ifndef NAME
#define NAME "breaks"
#endif

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

struct hookrail_instance {
  const hookrail_handle *handle;
  uint32_t version;
  bool reloaded;
  bool halted;
};

static bool is(const char *what)
{
  const char *breaks = getenv("BREAKS");
  return breaks != NULL && strcmp(breaks, what) == 0;
}

static int deeper(volatile char *before)
{
  volatile char here[4096];
  here[0] = *before;
  return here[0] == 1 ? 0 : deeper(here) + here[0];
}

static void hang(void)
{
  for (;;) {
    pause();
  }
}

static void crash(void)
{
  int *volatile nowhere = NULL;
  *nowhere = 1;
}

static void at(const char *place)
{
  const char *breaks = getenv("BREAKS");
  const char *way;
  char start = 0;
  size_t length = strlen(place);
  if (breaks == NULL || strncmp(breaks, place, length) != 0 || breaks[length] != ':') {
    return;
  }
  way = breaks + length + 1;
  if (strcmp(way, "abort") == 0) {
    abort();
  } else if (strcmp(way, "exit") == 0) {
    _exit(0);
  } else if (strcmp(way, "leave") == 0) {
    puts("I am leaving");
    exit(0);
  } else if (strcmp(way, "hang") == 0) {
    hang();
  } else if (strcmp(way, "fork") == 0) {
    // Whoever kills its process alone leaves the child behind, which holds this lock.
    int file = open(getenv("BREAKS_LOCK"), O_RDWR | O_CREAT, 0600);
    if (fork() == 0) {
      lockf(file, F_LOCK, 0);
      hang();
    }
    hang();
  } else if (strcmp(way, "overflow") == 0) {
    deeper(&start);
  } else if (strcmp(way, "print") == 0) {
    puts("I am here");
    fflush(stdout);
  } else if (strcmp(way, "dawdle") == 0) {
    // Longer than loading may take, and never less than that.
    usleep(150000);
  } else if (strcmp(way, "segv") == 0) {
    crash();
  }
}

static pthread_t opener;

__attribute__((constructor)) static void begin(void)
{
  opener = pthread_self();
  at("constructor");
}

static void forget(void *object) { (void)object; }

// Leaves the calling thread something to run when it ends, past the symbols by which a host would see that.
static void leave_in_secret(void)
{
  typedef int at_thread_exit(void (*run)(void *), void *object, void *library);
  static _Thread_local bool before;
  at_thread_exit *leave = NULL;
  void *found = dlsym(RTLD_DEFAULT, "__cxa_thread_atexit_impl");
  memcpy(&leave, &found, sizeof leave);
  if (!before && leave != NULL) {
    leave(forget, NULL, &opener);
  }
  before = true;
}

static uint32_t publish(void *ctx, void *payload)
{
  const hookrail_instance *instance = ctx;
  static atomic_int inside;
  hookrail_message *message = payload;
  uint32_t answer = HOOKRAIL_VERDICT_CONTINUE;
  at("callback");
  if (is("pauses-for-good") && instance->halted) {
    answer = HOOKRAIL_VERDICT_FAULT;
  }
  if (is("odd-bodies") && message->body.len % 2 == 1) {
    hookrail_host->report(HOOKRAIL_REPORT_FAULT, hookrail_str_of("an odd number of bytes"));
    answer = HOOKRAIL_VERDICT_FAULT;
  }
  if (is("verdict")) {
    answer = 77;
  }
  if (is("reserved-words")) {
    message->flags += 1;
  }
  if (is("after-the-body") && message->body.len == 7) {
    message->body.ptr[message->body.capacity] = 0;
  }
  if (is("nesting") && hookrail_text_equals(&message->topic, "nested.log")) {
    answer = HOOKRAIL_VERDICT_FAULT;
  }
  if (is("threads")) {
    if (atomic_fetch_add(&inside, 1) > 0) {
      answer = HOOKRAIL_VERDICT_FAULT;
    }
    usleep(1);
    atomic_fetch_sub(&inside, 1);
  }
  // The thread that unloads it would run its own on the way.
  if (is("leaves-in-secret") && !pthread_equal(pthread_self(), opener)) {
    leave_in_secret();
  }
  return answer;
}

static uint32_t deliver(void *ctx, void *payload)
{
  hookrail_message *message = payload;
  (void)ctx;
  if (is("writes-to-notify")) {
    message->timestamp += 1;
  }
  if (is("writes-and-restores")) {
    message->timestamp += 1;
    *(volatile uint64_t *)&message->timestamp -= 1;
  }
  if (is("reads-beyond") && message->body.len > 0) {
    volatile uint8_t beyond = message->body.ptr[message->body.len];
    (void)beyond;
  }
  return HOOKRAIL_VERDICT_CONTINUE;
}

// This and the entry are written out, since `attach` has a place in BREAKS too.
const hookrail_host_table *hookrail_host;

static uint32_t attach(const hookrail_host_table *table)
{
  at("attach");
  if (is("newer-host") && table->size != sizeof *table) {
    return 1;
  }
  hookrail_host = table;
  return 0;
}

static uint32_t refuse(const char *why)
{
  hookrail_host->report(HOOKRAIL_REPORT_ERROR, hookrail_str_of(why));
  return 1;
}

static uint32_t create(const hookrail_handle *handle, hookrail_str name, hookrail_str config, hookrail_instance **instance)
{
  hookrail_instance *made = calloc(1, sizeof *made);
  (void)name;
  at("create");
  if (is("leaks") && malloc(40) == NULL) {
    return 1;
  }
  if (is("large-config") && config.len > 1 << 15) {
    abort();
  }
  if (is("says-nothing") && config.len == 0) {
    free(made);
    return 1;
  }
  made->handle = handle;
  made->version = 1;
  *instance = made;
  return 0;
}

#define HOOKS(HOOK) \
  HOOK(HOOKRAIL_MESSAGE_PUBLISH, publish, 300, HOOKRAIL_EFFECTS_LOCAL, HOOKRAIL_ON_FAULT_AS_POINT) \
  HOOK(HOOKRAIL_MESSAGE_DELIVERED, deliver, 300, HOOKRAIL_EFFECTS_LOCAL, HOOKRAIL_ON_FAULT_AS_POINT)

HOOKRAIL_PLUGIN(NAME, "1.0.0", HOOKS);

// How often an instance was started in this library. No restart resets it.
static int starts;

static uint32_t start(hookrail_instance *instance, hookrail_registrar *registrar)
{
  uint32_t answer;
  const hookrail_log_service *log = hookrail_host->query(hookrail_str_of("log/1"));
  at("start");
  if (is("starts-once") && starts > 0) {
    return refuse("I was started before");
  }
  if (is("keeps-a-file") && open("/dev/null", O_RDONLY) < 0) {
    return 1;
  }
  // Without a look at whether the service is there.
  if (is("needs-log")) {
    log->write(instance->handle, 4, hookrail_str_of("started"));
  }
  if (is("holds-a-lock") && log != NULL) {
    pthread_mutex_lock(&lock);
    log->write(instance->handle, 4, hookrail_str_of("started"));
    pthread_mutex_unlock(&lock);
  }
  if (is("foreign-handle") && log != NULL) {
    log->write((const hookrail_handle *)instance, 4, hookrail_str_of("started"));
  }
  if (is("counts-its-starts")) {
    static const uint64_t fingerprint[2] = HOOKRAIL_MESSAGE_PUBLISH_FINGERPRINT;
    answer = hookrail_register_hook(instance, registrar, HOOKRAIL_MESSAGE_PUBLISH, HOOKRAIL_MESSAGE_PUBLISH_REVISION,
      fingerprint, "publish", 300 + starts, HOOKRAIL_EFFECTS_LOCAL, HOOKRAIL_ON_FAULT_AS_POINT, publish);
  } else {
    answer = hookrail_register_hooks(instance, registrar);
  }
  starts++;
  return answer;
}

static uint32_t stop(hookrail_instance *instance)
{
  (void)instance;
  at("stop");
  return 0;
}

static uint32_t destroy(hookrail_instance *instance)
{
  at("destroy");
  free(instance);
  return 0;
}

static uint32_t write_schema(hookrail_text *out)
{
  static atomic_int times;
  at("schema");
  if (is("changes-its-schema") && atomic_fetch_add(&times, 1) % 2 == 1) {
    return hookrail_text_append(out, "{\"type\": \"object\", \"title\": \"another\"}") ? 0 : 1;
  }
  return hookrail_text_append(out, "{\"type\": \"object\"}") ? 0 : 1;
}

static uint32_t reload(hookrail_instance *instance, hookrail_str config)
{
  at("reload");
  instance->reloaded = true;
  if (is("reload-says-nothing") && config.len == 0) {
    return 1;
  }
  return 0;
}

static uint32_t save(hookrail_instance *instance, hookrail_saved_state *out)
{
  at("save");
  if (is("reload-then-save") && instance->reloaded) {
    abort();
  }
  out->version = instance->version;
  if (is("address-in-its-state")) {
    // It means nothing to the next generation, which is another image.
    uintptr_t address = (uintptr_t)&hookrail_host;
    return hookrail_text_set(&out->schema, NAME) && hookrail_bytes_set(&out->bytes, &address, sizeof address) ? 0 : 1;
  }
  if (!hookrail_text_set(&out->schema, NAME) || !hookrail_bytes_set(&out->bytes, "state", 5)) {
    return refuse("no memory");
  }
  return 0;
}

static uint32_t save_changes(hookrail_instance *instance, hookrail_saved_state *out)
{
  (void)instance, (void)out;
  at("save_changes");
  return 0;
}

static uint32_t restore(hookrail_instance *instance, hookrail_registrar *registrar, const hookrail_saved_state *saved)
{
  at("restore");
  if (is("restores-another")) {
    instance->version = 2;
  }
  if (is("empty-state") && saved->schema.len > 0 && saved->bytes.len == 0) {
    crash();
  }
  if (is("address-in-its-state") && saved->bytes.len == sizeof(uintptr_t)) {
    uintptr_t address;
    memcpy(&address, saved->bytes.ptr, sizeof address);
    if (address != (uintptr_t)&hookrail_host) {
      return refuse("I was somewhere else");
    }
  }
  if (is("refuses-states") && saved->schema.len > 0) {
    return refuse("I take no state");
  }
  return start(instance, registrar);
}

static uint32_t apply_changes(hookrail_instance *instance, const hookrail_saved_state *rest)
{
  (void)instance, (void)rest;
  at("apply_changes");
  return 0;
}

static uint32_t ready(hookrail_instance *instance)
{
  (void)instance;
  at("ready");
  return 0;
}

static uint32_t health(hookrail_instance *instance)
{
  (void)instance;
  at("health");
  hookrail_host->report(HOOKRAIL_REPORT_ERROR, hookrail_str_of("it is only half there"));
  return HOOKRAIL_HEALTH_DEGRADED;
}

static uint32_t halt(hookrail_instance *instance)
{
  at("halt");
  instance->halted = true;
  return 0;
}

static uint32_t resume(hookrail_instance *instance)
{
  at("resume");
  if (!is("pauses-for-good")) {
    instance->halted = false;
  }
  return 0;
}

static uint32_t drain(hookrail_instance *instance, uint64_t deadline_ns)
{
  (void)instance, (void)deadline_ns;
  return is("drain-says-nothing") ? 1 : 0;
}

// The table `unload/1` of a library that says it is not fresh when another image of it was bound before.

static const hookrail_unload_library *self;
static const hookrail_unload_service *unloading;

static uint32_t bind(const hookrail_unload_library *library, const hookrail_unload_service *service)
{
  self = library;
  unloading = service;
  // A file of the check's own directory: nothing else lasts from one image to the next and changes nothing of the host.
  return open("bound", O_CREAT | O_EXCL | O_CLOEXEC, 0600) < 0 ? UINT32_MAX : 0;
}

static void probe(void)
{
  uint32_t key;
  unloading->at_thread_exit(self, forget, NULL);
  unloading->key_create(self, &key, forget);
  unloading->set_specific(self, key, &self);
}

static const void *query(hookrail_str id)
{
  static const hookrail_schema_table schema_table = { sizeof schema_table, write_schema };
  static const hookrail_lifecycle_table lifecycle_table = { sizeof lifecycle_table, ready, health, halt, resume, drain };
  static const hookrail_reload_table reload_table = { sizeof reload_table, reload };
  static const hookrail_state_table state_table = { sizeof state_table, save, save_changes, restore, apply_changes };
  static const hookrail_unload_table unload_table = { sizeof unload_table, bind, probe };
  const struct {
    const char *id;
    const void *table;
  } tables[] = {
    { "schema/1", &schema_table },
    { "lifecycle/1", &lifecycle_table },
    { "reload/1", &reload_table },
    { "state/1", &state_table },
    { "unload/1", &unload_table },
  };
  size_t index;
  at("query");
  if (is("holds-a-lock")) {
    pthread_mutex_lock(&lock);
    pthread_mutex_unlock(&lock);
  }
  for (index = 0; index < sizeof tables / sizeof *tables; index++) {
    size_t length = strlen(tables[index].id);
    bool is_it = id.len == length || (is("prefixes") && id.len > length);
    // Without those for threads it hands nothing over, so it must not say that it does.
    bool is_offered = tables[index].table != &unload_table || is("statics-stay");
    if (is_it && is_offered && memcmp(id.ptr, tables[index].id, length) == 0) {
      return tables[index].table;
    }
  }
  return NULL;
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
  .query = query,
};
