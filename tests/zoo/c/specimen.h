// A specimen in C: a plugin with one callback on `message.publish` that does nothing wrong, until the
// file that includes this says otherwise in macros of its own.

#include "note.h"

#ifndef NAME
#define NAME "specimen"
#endif

// The table that it returns for an id.
#ifndef QUERY
#define QUERY(id) NULL
#endif

// What the note says.
#ifndef NOTE_ABI
#define NOTE_ABI "1.0"
#endif
#ifndef NOTE_CALLBACK
#define NOTE_CALLBACK CALLBACK
#endif
#ifndef NOTE_EFFECTS
#define NOTE_EFFECTS "external"
#endif
#ifndef NOTE_PRIORITY
#define NOTE_PRIORITY 300
#endif
#ifndef NOTE_REVISION
#define NOTE_REVISION REVISION
#endif

// What the entry says.
#ifndef ABI
#define ABI HOOKRAIL_ABI_VERSION
#endif
#ifndef ATTACH
#define ATTACH 0
#endif
#ifndef ENTRY_FLAGS
#define ENTRY_FLAGS 0
#endif
#ifndef ENTRY_SIZE
#define ENTRY_SIZE sizeof(hookrail_entry)
#endif
#ifndef STOP
#define STOP hookrail_nothing
#endif

// What it registers.
#ifndef CALLBACK
#define CALLBACK "look"
#endif
#ifndef CODE
#define CODE look
#endif
#ifndef FINGERPRINT
#define FINGERPRINT HOOKRAIL_MESSAGE_PUBLISH_FINGERPRINT
#endif
#ifndef FLAGS
#define FLAGS HOOKRAIL_HAS_PRIORITY
#endif
#ifndef FORM
#define FORM 0
#endif
#ifndef OPS
#define OPS NULL
#endif
#ifndef POINT
#define POINT "message.publish"
#endif
#ifndef PRIORITY
#define PRIORITY 300
#endif
#ifndef RECORD_SIZE
#define RECORD_SIZE sizeof(hookrail_registration)
#endif
#ifndef REVISION
#define REVISION 1
#endif
#ifndef TIMES
#define TIMES 1
#endif

NOTE({
  "format": 1, "name": NAME, "version": "1.0.0", "abi": NOTE_ABI,
  "hooks": [{
    "point": POINT, "revision": NOTE_REVISION, "name": NOTE_CALLBACK, "priority": NOTE_PRIORITY,
    "effects": NOTE_EFFECTS
  }]
});

static const hookrail_host_table *host;

// Not static: a specimen without code does not use it.
uint32_t look(void *ctx, void *payload);
uint32_t look(void *ctx, void *payload)
{
  (void)ctx, (void)payload;
  return HOOKRAIL_VERDICT_CONTINUE;
}

static uint32_t attach(const hookrail_host_table *table)
{
  host = table;
  return ATTACH;
}

static uint32_t start(hookrail_instance *instance, hookrail_registrar *registrar)
{
  const hookrail_registration record = {
    .size = RECORD_SIZE,
    .flags = FLAGS,
    .point = hookrail_str_of(POINT),
    .revision = REVISION,
    .fingerprint = FINGERPRINT,
    .priority = PRIORITY,
    .callback = hookrail_str_of(CALLBACK),
    .form = FORM,
    .predicate = UINT64_MAX,
    .run = CODE,
    .ctx = instance,
    .ops = OPS,
  };
  int times;
  for (times = 0; times < TIMES; times++) {
    // What the host answers is not looked at: whoever does not care must be refused all the same.
    host->register_callback(registrar, &record);
  }
  return 0;
}

static const void *query(hookrail_str id)
{
  (void)id;
  return QUERY(id);
}

const hookrail_entry hookrail_plugin_v1 = {
  .size = ENTRY_SIZE,
  .abi_min = ABI,
  .abi_max = ABI,
  .flags = ENTRY_FLAGS,
  .heap = HOOKRAIL_HEAP,
  .attach = attach,
  .create = hookrail_no_instance,
  .start = start,
  .stop = STOP,
  .destroy = hookrail_nothing,
  .query = query,
};
