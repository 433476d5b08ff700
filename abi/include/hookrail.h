// hookrail.h: the boundary between a Hookrail host and a plugin, for plugins in C and C++.
//
// Generated from abi/src by tests/tests/boundary/c_header.rs. Do not edit; run
//
//     HOOKRAIL_BLESS=1 cargo test -p hookrail-tests --test boundary c_header
//
// A plugin is a shared library that defines `hookrail_plugin_v1` and has one HOOKRAIL_NOTE.
// abi/examples/c/screen.c is a whole one.
//
// Threads. The host calls `attach` once, before all else. It calls `create`, `start`, `stop` and
// `destroy` on one of its threads at a time. Callbacks run on any thread, on several at once,
// from the time `start` returned 0 until `stop` is called; so does `query`, at any time.
//
// Memory. A payload belongs to the host. A callback of a notify point only reads it; the others
// may edit it, for the call. What a payload owns lives on the process's malloc: grow it with
// realloc and free it with free, as the functions at the end of this file do.
//
// Text is UTF-8 and has a length instead of a final NUL. No function may throw or longjmp out.

#ifndef HOOKRAIL_H
#define HOOKRAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// The version of this boundary: major in the upper half, minor in the lower.
#define HOOKRAIL_ABI_VERSION (1 << 16)

// The oldest host ABI version that a plugin built with this crate works with.
#define HOOKRAIL_ABI_OLDEST (1 << 16)

// A panic in this library aborts the process.
#define HOOKRAIL_PANIC_ABORTS 1

// `priority` is set. A registration without this flag is refused.
#define HOOKRAIL_HAS_PRIORITY 1

// The callback returns its verdict.
#define HOOKRAIL_FORM_SYNCHRONOUS 0

// Reserved for callbacks that return first and decide later. A host of ABI 1.0 refuses such a registration.
#define HOOKRAIL_FORM_ASYNCHRONOUS 1

// A fault means what the point states.
#define HOOKRAIL_ON_FAULT_AS_POINT 0

// On a fault the chain continues as if the callback were not there.
#define HOOKRAIL_ON_FAULT_OPEN 1

// A fault denies.
#define HOOKRAIL_ON_FAULT_CLOSED 2

// On a fault the payload is restored to what it was before the call, and the chain continues. A host that does not
// know this value uses what the point states.
#define HOOKRAIL_ON_FAULT_ROLLBACK 3

// The `kind` of a site that makes events.
#define HOOKRAIL_SITE_EVENT 1

// The `kind` of a site that makes spans.
#define HOOKRAIL_SITE_SPAN 2

// The parent is the thread's current span.
#define HOOKRAIL_PARENT_CURRENT 0

// There is no parent. Span numbers start at 2.
#define HOOKRAIL_PARENT_NONE 1

// `number` is 0 or 1.
#define HOOKRAIL_VALUE_BOOL 1

// `number` holds the bits of an `int64_t`.
#define HOOKRAIL_VALUE_INTEGER 2

// `number` is the value.
#define HOOKRAIL_VALUE_UNSIGNED 3

// `number` holds the bits of a `double`.
#define HOOKRAIL_VALUE_FLOAT 4

// `text` is the value.
#define HOOKRAIL_VALUE_TEXT 5

// `text` is the value formatted for display; its type has no other form here.
#define HOOKRAIL_VALUE_SHOWN 6

// The `hookrailversion` of this crate.
#define HOOKRAIL_PAYLOAD_OPS_VERSION 1

// Continue with the next callback.
#define HOOKRAIL_VERDICT_CONTINUE 0

// Fold only: handled, skip the rest of the chain.
#define HOOKRAIL_VERDICT_SKIP 1

// Gate, and fold where the point may be denied: deny; bits 8 to 31 are the code.
#define HOOKRAIL_VERDICT_DENY 2

// Reserved for asynchronous callbacks. In ABI 1.0 it is a fault.
#define HOOKRAIL_VERDICT_PENDING 3

// Gate only: let it pass, and skip the rest of the chain.
#define HOOKRAIL_VERDICT_ALLOW 4

// The callback failed, and reported why before it returned.
#define HOOKRAIL_VERDICT_FAULT 255

// A kind of directory.
enum hookrail_dir
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // The files that came with the package; read-only.
  HOOKRAIL_DIR_DATA = 0,
  // Files that must survive a restart.
  HOOKRAIL_DIR_STATE = 1,
  // Files that need not survive a restart.
  HOOKRAIL_DIR_EPHEMERAL = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum hookrail_dir hookrail_dir;
#else
typedef uint32_t hookrail_dir;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// What kept a message from its sink.
enum hookrail_drop_kind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // Something that is newer than this crate.
  HOOKRAIL_DROP_KIND_UNKNOWN = 0,
  // A callback denied it.
  HOOKRAIL_DROP_KIND_DENIED = 1,
  // It was too old.
  HOOKRAIL_DROP_KIND_EXPIRED = 2,
  // A callback failed, or what should have taken the message did.
  HOOKRAIL_DROP_KIND_FAULT = 3,
  // A queue was full.
  HOOKRAIL_DROP_KIND_FULL = 4,
  // The host shut down.
  HOOKRAIL_DROP_KIND_SHUTDOWN = 5,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum hookrail_drop_kind hookrail_drop_kind;
#else
typedef uint32_t hookrail_drop_kind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// What a callback touches besides its payload. Simulation, replay and shadow runs call only pure callbacks.
enum hookrail_effects
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // Anything: the network, files, other processes.
  HOOKRAIL_EFFECTS_EXTERNAL = 0,
  // The state of this process: counters, caches.
  HOOKRAIL_EFFECTS_LOCAL = 1,
  // Only the payload.
  HOOKRAIL_EFFECTS_PURE = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum hookrail_effects hookrail_effects;
#else
typedef uint32_t hookrail_effects;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// How a payload is encoded.
enum hookrail_format
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // For machines: MessagePack with field names; secrets in the clear.
  HOOKRAIL_FORMAT_MESSAGE_PACK = 0,
  // For people: JSON; secrets masked.
  HOOKRAIL_FORMAT_JSON = 1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum hookrail_format hookrail_format;
#else
typedef uint32_t hookrail_format;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// The severity of a log line.
enum hookrail_level
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // Something failed.
  HOOKRAIL_LEVEL_ERROR = 1,
  // Something is wrong, but the work goes on.
  HOOKRAIL_LEVEL_WARN = 2,
  // Something worth knowing happened.
  HOOKRAIL_LEVEL_INFO = 3,
  // For debugging.
  HOOKRAIL_LEVEL_DEBUG = 4,
  // Every step.
  HOOKRAIL_LEVEL_TRACE = 5,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum hookrail_level hookrail_level;
#else
typedef uint32_t hookrail_level;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// What a reported text is about.
enum hookrail_report
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // Why a callback denied.
  HOOKRAIL_REPORT_DENIED = 1,
  // How a callback failed.
  HOOKRAIL_REPORT_FAULT = 2,
  // Why another function failed.
  HOOKRAIL_REPORT_ERROR = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum hookrail_report hookrail_report;
#else
typedef uint32_t hookrail_report;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// A growable array on the process's own `malloc`, shared by every library and by C.
//
// A `Vec` must not cross the boundary: its layout is unspecified, and each library may have its own allocator. A
// `List` is three words, and its memory belongs to the process.
//
// # Invariants
// - `capacity == 0` and `ptr` is arbitrary, so that all zeros is an empty list; or `ptr` came from the process's
//   `malloc` with room for `capacity` elements;
// - the first `len <= capacity` elements are initialised.
typedef struct {
  // The elements. While `capacity` is 0 it may hold anything, null included: it is not an address, and must not be
  // freed.
  uint8_t *ptr;
  // The number of elements.
  size_t len;
  // The number of elements that fit; 0 while nothing is allocated.
  size_t capacity;
} hookrail_list_u8;

// Growable bytes on the process's `malloc`; a `List<u8>` that serialises as bytes.
typedef hookrail_list_u8 hookrail_bytes;

// Growable UTF-8 text on the process's `malloc`.
//
// # Invariants
// The bytes are UTF-8. C code that writes them must keep them so, and must keep the length correct.
typedef hookrail_bytes hookrail_text;

// Service `config/1`: the instance's configuration.
typedef struct {
  // Size of this structure in bytes.
  uint32_t size;
  // Appends the current configuration, as JSON, to `out`. Returns 0 on success.
  uint32_t (*read)(const void *handle, hookrail_text *out);
} hookrail_config_service;

// Borrowed text: `len` bytes of UTF-8 at `ptr`, valid for the call it is passed to.
typedef struct {
  // The first byte. Null, or any other value, when `len` is 0.
  const uint8_t *ptr;
  // The length in bytes.
  size_t len;
} hookrail_str;

// The context of the current dispatch.
typedef struct {
  // Size of this structure in bytes.
  uint32_t size;
  // Reserved; 0.
  uint32_t reserved;
  // The deadline of the dispatch, an instant of `CLOCK_MONOTONIC`; 0 for none.
  uint64_t deadline_ns;
  // The trace that the dispatch belongs to (W3C trace id); all zeros for none.
  uint8_t trace[16];
  // The principal on whose behalf the dispatch runs; may be empty.
  hookrail_str principal;
  // The node that the dispatch runs on; may be empty.
  hookrail_str node;
} hookrail_context;

// Service `dirs/1`: the directories of the instance.
typedef struct {
  // Size of this structure in bytes.
  uint32_t size;
  // Creates a directory if needed and appends its path to `out`; `kind` is a `hookrail_dir`. Returns 0 on
  // success; on failure an error has been reported.
  uint32_t (*path)(const void *handle, uint32_t kind, hookrail_text *out);
} hookrail_dirs_service;

// The id of a message: a UUID of version 7 (RFC 9562), so that ids sort by time.
typedef uint8_t hookrail_message_id[16];

// One header of a message.
typedef struct {
  // The key; case-sensitive.
  hookrail_text key;
  // The value.
  hookrail_text value;
} hookrail_header;

// A growable array on the process's own `malloc`, shared by every library and by C.
//
// A `Vec` must not cross the boundary: its layout is unspecified, and each library may have its own allocator. A
// `List` is three words, and its memory belongs to the process.
//
// # Invariants
// - `capacity == 0` and `ptr` is arbitrary, so that all zeros is an empty list; or `ptr` came from the process's
//   `malloc` with room for `capacity` elements;
// - the first `len <= capacity` elements are initialised.
typedef struct {
  // The elements. While `capacity` is 0 it may hold anything, null included: it is not an address, and must not be
  // freed.
  hookrail_header *ptr;
  // The number of elements.
  size_t len;
  // The number of elements that fit; 0 while nothing is allocated.
  size_t capacity;
} hookrail_list_header;

// One message of a stream. Its layout is fixed: it grows by `hookrail-*` headers only.
//
// As JSON: `id` is a string, `timestamp` is RFC 3339 with nine fractional digits, `headers` is `[["key","value"]]`,
// and the content is `body` if it is UTF-8, else `body_base64`. As MessagePack: its fields.
typedef struct {
  // A UUID of version 7.
  hookrail_message_id id;
  // When the message was created, in nanoseconds since the Unix epoch.
  uint64_t timestamp;
  // Reserved for the host; leave them as they are.
  uint64_t flags;
  // Where the message came from, for example a file name or a client.
  hookrail_text source;
  // The topic: dot-separated tokens.
  hookrail_text topic;
  // The headers, in order; a key may repeat.
  hookrail_list_header headers;
  // The content.
  hookrail_bytes body;
  // Reserved for the host; leave them as they are.
  uint64_t reserved[4];
} hookrail_message;

// A message that reached no sink, and why.
//
// As JSON: `kind` is the kind's name, and `timestamp` RFC 3339 with nine fractional digits. As MessagePack: its
// fields.
typedef struct {
  // The message as the chain left it.
  hookrail_message message;
  // The callback that denied, as `instance/callback`; empty if no callback did.
  hookrail_text decided_by;
  // The code of the verdict, 24 bits; 0 if there was none.
  uint32_t code;
  // A `hookrail_drop_kind`.
  uint32_t kind;
  // Why, in words; may be empty.
  hookrail_text reason;
  // When the message was dropped, in nanoseconds since the Unix epoch.
  uint64_t timestamp;
  // Reserved for the host; leave them as they are.
  uint64_t reserved[4];
} hookrail_dropped;

// The addresses of the heap's functions. Both sides grow and free payloads, so both must use the same functions.
typedef struct {
  // `malloc`
  const void *malloc;
  // `calloc`
  const void *calloc;
  // `realloc`
  const void *realloc;
  // `free`
  const void *free;
  // `posix_memalign`
  const void *posix_memalign;
} hookrail_heap;

// The code of a callback: takes its context and the payload, and returns a verdict, for example
// `HOOKRAIL_VERDICT_CONTINUE`. May run on any thread, and on several at once.
typedef uint32_t (*hookrail_raw_callback)(void *ctx, void *payload);

// Operations on the payload of one point, so that a worker, a recorder or a bridge can handle a payload whose type it
// was not compiled with.
//
// All functions are thread-safe. Those that return a `u32` return 0 on success. The last four are null for a `LOCAL`
// point.
typedef struct {
  // Size of this structure in bytes.
  uint32_t size;
  // `HOOKRAIL_PAYLOAD_OPS_VERSION`: raised when what a function does changes.
  uint32_t version;
  // Size of the payload in bytes.
  size_t payload_size;
  // Alignment of the payload in bytes.
  size_t align;
  // Writes a copy of `from` to the uninitialised `to`.
  void (*clone)(const void *from, void *to);
  // Makes the initialised `to` equal to `from`, reusing its memory.
  void (*assign)(const void *from, void *to);
  // Drops the payload in place.
  void (*drop)(void *payload);
  // Appends the payload to `out` in a `hookrail_format`.
  uint32_t (*encode)(const void *payload, uint32_t format, hookrail_bytes *out);
  // Reads a payload from `len` bytes at `bytes`, which may be null if `len` is 0, into the uninitialised `to`; on
  // failure writes what is wrong to `error`.
  uint32_t (*decode)(const uint8_t *bytes,
                     size_t len,
                     uint32_t format,
                     void *to,
                     hookrail_text *error);
  // Masks the payload's secrets in place.
  uint32_t (*redact)(void *payload);
  // Writes the payload in a `hookrail_format` to `room` bytes at `to`, without allocating. Returns how many bytes it takes:
  // if that is more than `room`, what was written is of no use. Returns `SIZE_MAX` on failure.
  size_t (*encode_into)(const void *payload, uint32_t format, uint8_t *to, size_t room);
} hookrail_payload_ops;

// One callback, as a plugin registers it.
typedef struct {
  // Size of this structure in bytes.
  uint32_t size;
  // `HOOKRAIL_HAS_PRIORITY`.
  uint32_t flags;
  // The name of the point.
  hookrail_str point;
  // The revision of the point that the plugin was built for.
  uint32_t revision;
  // The callback's place in its chain; valid only with `HOOKRAIL_HAS_PRIORITY`.
  int32_t priority;
  // The name of the callback, unique in its instance and point.
  hookrail_str callback;
  // How it is called: `HOOKRAIL_FORM_SYNCHRONOUS`.
  uint32_t form;
  // What it touches: an `hookrail_effects`.
  uint32_t effects;
  // What a fault of the callback means: `HOOKRAIL_ON_FAULT_AS_POINT`, which is 0,
  // `HOOKRAIL_ON_FAULT_OPEN`, `HOOKRAIL_ON_FAULT_CLOSED` or
  // `HOOKRAIL_ON_FAULT_ROLLBACK`.
  uint32_t fault;
  // Reserved; 0.
  uint32_t reserved;
  // The time that a call may take, in nanoseconds; 0 for no limit.
  uint64_t budget_ns;
  // Which payloads the callback wants; 0 for all of them.
  uint64_t predicate;
  // The code. Runs on any thread, on several at once.
  hookrail_raw_callback run;
  // Passed to the code with each payload.
  void *ctx;
  // Frees `ctx` once the callback can no longer be called; may be null.
  void (*ctx_drop)(void *ctx);
  // The payload's fingerprint that the plugin was built with, low word first.
  uint64_t fingerprint[2];
  // abi_stable's layout of the payload (`&'static TypeLayout`), used to explain a mismatch; may be null.
  const void *layout;
  // The payload's operations that the plugin was built with; may be null.
  const hookrail_payload_ops *ops;
} hookrail_registration;

// The table that a host gives to every plugin. A newer host's table may be longer, never shorter.
typedef struct {
  // Size of this structure in bytes.
  uint32_t size;
  // The ABI version of the host.
  uint32_t abi;
  // Reports a text to the host from within a call by the host; `kind` is a `hookrail_report`.
  void (*report)(uint32_t kind, hookrail_str text);
  // Registers one callback, from within `start`. Returns 0 on success; on failure an error has been reported.
  uint32_t (*register_callback)(void *registrar, const hookrail_registration *record);
  // The context of the current dispatch, or null outside a dispatch.
  const hookrail_context *(*current)(void);
  // A service by versioned id, or null.
  const void *(*query)(hookrail_str id);
} hookrail_host_table;

// What every plugin exports, under the name `HOOKRAIL_ENTRY_SYMBOL`.
//
// Functions that return a `u32` return 0 on success; on failure they report an error first. The host calls `attach`
// once, before anything else. It calls `create`, `start`, `stop` and `destroy` on one thread at a time, not always the
// same one, and `query` on any thread.
typedef struct {
  // Size of this structure in bytes.
  uint32_t size;
  // The oldest host ABI version that this plugin works with.
  uint32_t abi_min;
  // The newest ABI version that this plugin knows.
  uint32_t abi_max;
  // 0, or `HOOKRAIL_PANIC_ABORTS`. C has no panics: 0.
  uint32_t flags;
  // The heap as the plugin sees it.
  hookrail_heap heap;
  // Hands the host's table to the library, which may use it for as long as it is loaded. Called once, first.
  uint32_t (*attach)(const hookrail_host_table *host);
  // Creates an instance from a configuration (JSON); `handle` identifies the instance to services. The instance
  // pointer may be null: the host only passes it back. One thread at a time.
  uint32_t (*create)(const void *handle, hookrail_str name, hookrail_str config, void **instance);
  // Starts an instance: it registers its callbacks through `registrar`. One thread at a time.
  uint32_t (*start)(void *instance, void *registrar);
  // Stops a started instance, whose callbacks are no longer called. One thread at a time.
  uint32_t (*stop)(void *instance);
  // Frees an instance that is not running. One thread at a time.
  uint32_t (*destroy)(void *instance);
  // Returns a table of the plugin by versioned id, or null. Any thread, several at once.
  const void *(*query)(hookrail_str id);
} hookrail_entry;

// Destroys a thread's value of a key when the thread exits; may be null.
typedef void (*hookrail_key_destructor)(void *value);

// Service `log/1`: writes to the host's log.
typedef struct {
  // Size of this structure in bytes.
  uint32_t size;
  // Writes one line; `level` is 1 error, 2 warn, 3 info, 4 debug or 5 trace.
  void (*write)(const void *handle, uint32_t level, hookrail_str text);
} hookrail_log_service;

// One shard of the counters, for instance that of one thread. Only sums over all shards are meaningful, since one
// thread may free what another allocated. Counters only grow, and each is written in one store.
typedef struct {
  // Bytes allocated, as requested.
  uint64_t allocated;
  // Bytes freed.
  uint64_t freed;
  // Blocks allocated.
  uint64_t allocations;
  // Blocks freed.
  uint64_t frees;
  // For the plugin's own use; the host does not read them. They fill the cache line.
  uint64_t own[4];
} hookrail_memory_shard;

// A plugin's table `memory/1`: what the plugin has allocated and freed, counted by the plugin itself.
//
// The host reads the shards and adds them up, at any time while the library is loaded. It calls no function of the
// plugin, so it can read the memory of a plugin that hangs.
typedef struct {
  // Size of this structure in bytes.
  uint32_t size;
  // The number of shards.
  uint32_t count;
  // The first shard. Shards do not move while the library is loaded.
  const hookrail_memory_shard *shards;
} hookrail_memory_table;

// Destroys a thread's object when the thread exits.
typedef void (*hookrail_object_destructor)(void *object);

// A plugin's table `reload/1`: accepts a new configuration while the plugin runs.
typedef struct {
  // Size of this structure in bytes.
  uint32_t size;
  // Applies a configuration (JSON). Returns 0 on success; on failure an error has been reported and the old
  // configuration stays.
  uint32_t (*reload)(void *instance, hookrail_str config);
} hookrail_reload_table;

// A state as it crosses the boundary: the tables of two generations exchange it through the host.
typedef struct {
  // Size of this structure in bytes.
  uint32_t size;
  // The version of the schema.
  uint32_t version;
  // The kind of state; empty means that there is none.
  hookrail_text schema;
  // The state itself, which is opaque to the host.
  hookrail_bytes bytes;
} hookrail_saved_state;

// A plugin's table `schema/1`: the JSON Schema of its configuration.
typedef struct {
  // Size of this structure in bytes.
  uint32_t size;
  // Appends the JSON Schema of the configuration to `out`. Returns 0 on success.
  uint32_t (*write)(hookrail_text *out);
} hookrail_schema_table;

// A plugin's table `state/1`: what an instance hands to the next generation.
//
// All four functions are present. They run on one host thread at a time, as `start` and `stop` do, and return 0 on
// success; on failure an error has been reported. A function that the plugin does not implement either returns 0 and
// leaves `out` as it is, or fails.
typedef struct {
  // Size of this structure in bytes.
  uint32_t size;
  // Writes the state of a started instance to `out`, which holds no state. Callbacks may run meanwhile.
  uint32_t (*save)(void *instance, hookrail_saved_state *out);
  // Writes what changed since the last `save` to `out`, which holds no state. No callback runs any more; `stop` is
  // called next.
  uint32_t (*save_changes)(void *instance, hookrail_saved_state *out);
  // Starts a created instance with a state of the previous generation; called in place of `start`. The state is
  // borrowed, read-only, for the duration of the call.
  uint32_t (*restore)(void *instance, void *registrar, const hookrail_saved_state *state);
  // Applies the previous generation's last changes to a started instance. Callbacks may run meanwhile. The changes
  // are borrowed, read-only, for the duration of the call.
  uint32_t (*apply_changes)(void *instance, const hookrail_saved_state *rest);
} hookrail_state_table;

// The function that a new thread runs.
typedef void *(*hookrail_thread_body)(void *argument);

// A panic.
typedef struct {
  // Size of this structure in bytes.
  uint32_t size;
  // The line; 0 if unknown.
  uint32_t line;
  // The column; 0 if unknown.
  uint32_t column;
  // Reserved; 0.
  uint32_t reserved;
  // The panic message.
  hookrail_str message;
  // The source file; may be empty.
  hookrail_str file;
  // The return addresses on the stack at the panic, innermost first.
  const void *const *frames;
  // The number of addresses.
  size_t frame_count;
} hookrail_trace_panic;

// A place in a library's source that makes events or spans.
typedef struct {
  // Size of this structure in bytes.
  uint32_t size;
  // `HOOKRAIL_SITE_EVENT` or `HOOKRAIL_SITE_SPAN`.
  uint32_t kind;
  // As in `hookrail_level`.
  uint32_t level;
  // The line, starting at 1; 0 if unknown.
  uint32_t line;
  // Identifies the site among the library's sites for as long as the library is loaded. Null for a site that is
  // described with each use.
  const void *id;
  // The name of the site.
  hookrail_str name;
  // The part of the program that the site belongs to; filters match on it.
  hookrail_str target;
  // The module; may be empty.
  hookrail_str module;
  // The source file; may be empty.
  hookrail_str file;
  // The names of the fields.
  const hookrail_str *fields;
  // The number of fields.
  size_t field_count;
} hookrail_trace_site;

// The value of one field.
typedef struct {
  // The index of the field in the site's fields, starting at 0.
  uint32_t field;
  // `HOOKRAIL_VALUE_BOOL`, `HOOKRAIL_VALUE_INTEGER`, `HOOKRAIL_VALUE_UNSIGNED`, `HOOKRAIL_VALUE_FLOAT`, `HOOKRAIL_VALUE_TEXT` or
  // `HOOKRAIL_VALUE_SHOWN`.
  uint32_t kind;
  // The value, for the numeric kinds.
  uint64_t number;
  // The value, for the text kinds.
  hookrail_str text;
} hookrail_trace_value;

// Service `trace/1`: passes what a plugin reports about itself to the host's `tracing` subscriber, tagged with the
// instance and the generation.
//
// `library` is the value that the `bind` function of the library's `hookrail_trace_table` was called with; a site is
// identified by its `id` once it has been described. Spans that are not open are ignored. The host copies its
// arguments and keeps none of them. Any thread, several at once; functions about a thread (entering and leaving spans,
// panics) refer to the calling thread.
typedef struct {
  // Size of this structure in bytes.
  uint32_t size;
  // Describes a site to the host. Describing it again changes nothing.
  void (*describe)(const void *library, const hookrail_trace_site *site);
  // Whether the host wants events or spans of a site: 1 or 0; 1 for a site not described yet.
  uint32_t (*enabled)(const void *library, const void *site);
  // Reports an event. `parent` is a span, `HOOKRAIL_PARENT_CURRENT` or `HOOKRAIL_PARENT_NONE`. Returns 1 and reports nothing if
  // the site has not been described.
  uint32_t (*event)(const void *library,
                    const void *site,
                    uint64_t parent,
                    const hookrail_trace_value *values,
                    size_t value_count);
  // Reports a log line, from a site that has no fields and need not have been described.
  void (*log)(const void *library, const hookrail_trace_site *site, hookrail_str text);
  // Opens a span and returns its number; returns 0 and opens none if the site has not been described.
  uint64_t (*span_open)(const void *library,
                        const void *site,
                        uint64_t parent,
                        const hookrail_trace_value *values,
                        size_t value_count);
  // Adds values to a span.
  void (*span_record)(const void *library,
                      uint64_t span,
                      const hookrail_trace_value *values,
                      size_t value_count);
  // Records that a span follows from another one.
  void (*span_follows)(const void *library, uint64_t span, uint64_t from);
  // The calling thread enters a span.
  void (*span_enter)(const void *library, uint64_t span);
  // The calling thread leaves a span.
  void (*span_exit)(const void *library, uint64_t span);
  // Adds a reference to the span.
  void (*span_clone)(const void *library, uint64_t span);
  // Drops a reference to the span. Returns 1 if it was the last, which closes the span, else 0.
  uint32_t (*span_drop)(const void *library, uint64_t span);
  // The innermost span of this library that the calling thread is in, and the `id` of its site; 0 for none.
  uint64_t (*span_current)(const void *library, const void **site);
  // The calling thread panics.
  void (*panicked)(const void *library, const hookrail_trace_panic *panic);
  // The calling thread's last panic, or one with that message, ended the host's call: it is the reason for the fault
  // or failure that is returned next.
  void (*caught)(const void *library, hookrail_str message);
} hookrail_trace_service;

// A plugin's table `trace/1`: through it the host receives what the plugin reports about itself.
typedef struct {
  // Size of this structure in bytes.
  uint32_t size;
  // Called once, after `attach` and before `create`. What is reported before is lost.
  void (*bind)(const void *library, const hookrail_trace_service *service);
  // Sets how much is reported from now on: a `hookrail_level`, or 0 for nothing. Any thread, one at a
  // time.
  void (*set_level)(uint32_t level);
} hookrail_trace_table;

// The host's replacements for the system functions through which a library leaves its own code with threads: the host
// records each such use, and closes the library only when none is left.
//
// Each function does what the system function does, and returns what that returns; `library` is the value that the
// `bind` function of the library's `hookrail_unload_table` was called with. Any thread, several at once.
typedef struct {
  // Size of this structure in bytes.
  uint32_t size;
  // `__cxa_thread_atexit_impl`
  int32_t (*at_thread_exit)(const void *library, hookrail_object_destructor run, void *object);
  // `pthread_key_create`
  int32_t (*key_create)(const void *library, uint32_t *key, hookrail_key_destructor destructor);
  // `pthread_key_delete`
  int32_t (*key_delete)(const void *library, uint32_t key);
  // `pthread_setspecific`
  int32_t (*set_specific)(const void *library, uint32_t key, const void *value);
  // `pthread_create`; `thread` is a `pthread_t *`, `attributes` a `const pthread_attr_t *`.
  int32_t (*thread_create)(const void *library,
                           void *thread,
                           const void *attributes,
                           hookrail_thread_body body,
                           void *argument);
  // Asks the host never to close the library, for the given reason.
  void (*keep)(const void *library, hookrail_str reason);
} hookrail_unload_service;

// A plugin's table `unload/1`: through it the host learns what code of the library threads would still run.
//
// A library that has this table links none of the functions of `hookrail_unload_service` to those of the system.
typedef struct {
  // Size of this structure in bytes.
  uint32_t size;
  // Called once, after `attach` and before anything else. Returns how many threads the library's constructors
  // started, which the host cannot know; `UINT32_MAX` if `bind` was called before, which means that this is not a
  // fresh image of the library.
  uint32_t (*bind)(const void *library, const hookrail_unload_service *service);
  // Leaves a thread-local destructor and a value of a key with the calling thread, so that the host can verify that
  // it records both.
  void (*probe)(void);
} hookrail_unload_table;

// The name of the data symbol that every plugin exports: a `hookrail_entry`.
#define HOOKRAIL_ENTRY_SYMBOL "hookrail_plugin_v1"

// The name of the ELF section that carries a plugin's note.
#define HOOKRAIL_NOTE_SECTION ".note.hookrail"

// Point `message.delivered`; its payload is a `hookrail_message`.
#define HOOKRAIL_MESSAGE_DELIVERED "message.delivered"
#define HOOKRAIL_MESSAGE_DELIVERED_REVISION 1
#define HOOKRAIL_MESSAGE_DELIVERED_FINGERPRINT { UINT64_C(0x6f4bb5577790d01e), UINT64_C(0x611ba2a03a601963) }

// Point `message.dropped`; its payload is a `hookrail_dropped`.
#define HOOKRAIL_MESSAGE_DROPPED "message.dropped"
#define HOOKRAIL_MESSAGE_DROPPED_REVISION 1
#define HOOKRAIL_MESSAGE_DROPPED_FINGERPRINT { UINT64_C(0x7c2cda07e3a45ace), UINT64_C(0x4ee53c6d0289c0c1) }

// Point `message.publish`; its payload is a `hookrail_message`.
#define HOOKRAIL_MESSAGE_PUBLISH "message.publish"
#define HOOKRAIL_MESSAGE_PUBLISH_REVISION 1
#define HOOKRAIL_MESSAGE_PUBLISH_FINGERPRINT { UINT64_C(0x6f4bb5577790d01e), UINT64_C(0x611ba2a03a601963) }

// `heap` of an entry. ISO C cannot cast code to data; every system that has dlopen can.
#define HOOKRAIL_HEAP                                                                      \
  {                                                                                        \
    __extension__ (const void *)malloc, __extension__ (const void *)calloc,                \
    __extension__ (const void *)realloc, __extension__ (const void *)free,                 \
    __extension__ (const void *)posix_memalign                                             \
  }

// The note in the file: HOOKRAIL_NOTE({"name": "mine", ...}); with the JSON as it is, once per
// library. Assembly, because only it can give a section the type NOTE.
#define HOOKRAIL_NOTE(...) HOOKRAIL_NOTE_OF_TEXT(#__VA_ARGS__)
#define HOOKRAIL_NOTE_OF_TEXT(text)                                                        \
  __asm__(".pushsection " HOOKRAIL_NOTE_SECTION ", \"a\", %note\n"                         \
          ".balign 4\n"                                                                    \
          ".long 9, 2f - 1f, 1\n"                                                          \
          ".ascii \"Hookrail\\0\\0\\0\\0\"\n"                                              \
          "1: .ascii " #text "\n"                                                          \
          "2: .balign 4\n"                                                                 \
          ".popsection\n")

#ifdef __cplusplus
extern "C" {
#else
// In strict C11 the system's headers hide it.
extern int posix_memalign(void **out, size_t align, size_t size);
#endif

// What the plugin defines. The declaration gives it its linkage and makes it visible.
extern const hookrail_entry hookrail_plugin_v1 __attribute__((visibility("default")));

// `stop` or `destroy` of an entry that has nothing to do there.
static inline uint32_t hookrail_nothing(void *instance)
{
  (void)instance;
  return 0;
}

// `query` of an entry that has no tables.
static inline const void *hookrail_no_table(hookrail_str id)
{
  (void)id;
  return NULL;
}

// Borrows a C string.
static inline hookrail_str hookrail_str_of(const char *text)
{
  hookrail_str str;
  str.ptr = (const uint8_t *)text;
  str.len = strlen(text);
  return str;
}

// What a callback answers to deny, with a code of 24 bits. Say the reason first.
static inline uint32_t hookrail_deny(uint32_t code)
{
  return HOOKRAIL_VERDICT_DENY | code << 8;
}

// No bytes, or no text: all zeros.
static inline hookrail_bytes hookrail_bytes_empty(void)
{
  hookrail_bytes bytes;
  bytes.ptr = NULL;
  bytes.len = 0;
  bytes.capacity = 0;
  return bytes;
}

// Makes room for `more` elements of `size` bytes after the first `len`. Answers where the elements
// are now; or NULL when there is no memory, and then nothing has changed.
static inline void *hookrail_grow(void *ptr, size_t len, size_t *capacity, size_t more, size_t size)
{
  size_t wanted;
  if (more <= *capacity - len) {
    return ptr;
  }
  if (more > PTRDIFF_MAX / size - len) {
    return NULL;
  }
  wanted = len + more;
  if (wanted < *capacity * 2) {
    wanted = *capacity * 2;
  }
  // Nothing was allocated while the capacity is 0.
  ptr = realloc(*capacity == 0 ? NULL : ptr, wanted * size);
  if (ptr != NULL) {
    *capacity = wanted;
  }
  return ptr;
}

// Appends `len` bytes, which do not lie in `bytes`. False when there is no memory; nothing has
// changed then.
static inline bool hookrail_bytes_append(hookrail_bytes *bytes, const void *data, size_t len)
{
  void *ptr = hookrail_grow(bytes->ptr, bytes->len, &bytes->capacity, len, 1);
  if (ptr == NULL) {
    return false;
  }
  bytes->ptr = (uint8_t *)ptr;
  if (len > 0) {
    memcpy(bytes->ptr + bytes->len, data, len);
  }
  bytes->len += len;
  return true;
}

// Replaces the content by `len` bytes, which do not lie in `bytes`. False when there is no memory;
// it is empty then.
static inline bool hookrail_bytes_set(hookrail_bytes *bytes, const void *data, size_t len)
{
  bytes->len = 0;
  return hookrail_bytes_append(bytes, data, len);
}

// Frees bytes, or a text, of your own; it is empty then.
static inline void hookrail_bytes_free(hookrail_bytes *bytes)
{
  if (bytes->capacity > 0) {
    free(bytes->ptr);
  }
  *bytes = hookrail_bytes_empty();
}

// As `hookrail_bytes_append`, with a C string of UTF-8.
static inline bool hookrail_text_append(hookrail_text *text, const char *more)
{
  return hookrail_bytes_append(text, more, strlen(more));
}

// As `hookrail_bytes_set`, with a C string of UTF-8.
static inline bool hookrail_text_set(hookrail_text *text, const char *content)
{
  return hookrail_bytes_set(text, content, strlen(content));
}

// Whether a text is the same as a C string.
static inline bool hookrail_text_equals(const hookrail_text *text, const char *other)
{
  return text->len == strlen(other) && memcmp(text->ptr, other, text->len) == 0;
}

// The value of the first header of that key, to read or edit; NULL when there is none.
static inline hookrail_text *hookrail_message_header(const hookrail_message *message, const char *key)
{
  size_t index;
  for (index = 0; index < message->headers.len; index++) {
    if (hookrail_text_equals(&message->headers.ptr[index].key, key)) {
      return &message->headers.ptr[index].value;
    }
  }
  return NULL;
}

// Appends a header; others of that key stay. False when there is no memory; nothing has changed
// then.
static inline bool hookrail_message_add_header(hookrail_message *message, const char *key, const char *value)
{
  hookrail_list_header *headers = &message->headers;
  hookrail_header header;
  void *ptr = hookrail_grow(headers->ptr, headers->len, &headers->capacity, 1, sizeof header);
  if (ptr == NULL) {
    return false;
  }
  headers->ptr = (hookrail_header *)ptr;
  header.key = hookrail_bytes_empty();
  header.value = hookrail_bytes_empty();
  if (!hookrail_text_set(&header.key, key) || !hookrail_text_set(&header.value, value)) {
    hookrail_bytes_free(&header.key);
    hookrail_bytes_free(&header.value);
    return false;
  }
  headers->ptr[headers->len++] = header;
  return true;
}

// Sets the first header of that key, or appends one. False when there is no memory.
static inline bool hookrail_message_set_header(hookrail_message *message, const char *key, const char *value)
{
  hookrail_text *present = hookrail_message_header(message, key);
  return present == NULL ? hookrail_message_add_header(message, key, value) : hookrail_text_set(present, value);
}

#ifdef __cplusplus
}
#endif

#endif // HOOKRAIL_H
