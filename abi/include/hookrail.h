// hookrail.h: the boundary between a Hookrail host and a plugin, for plugins in C and C++.
//
// Generated from abi/src by tests/tests/boundary/c_header.rs. Do not edit; run
//
//     HOOKRAIL_BLESS=1 cargo test -p hookrail-tests --test boundary c_header
//
// A plugin is a shared library with one HOOKRAIL_PLUGIN, which says what it is and what it hooks, and
// one HOOKRAIL_ENTRY, which says how the host calls it: both are near the end of this file, with an
// example. It needs C11 or C++11, or a newer version of either.
//
// Threads. The host calls `create`, `start`, `stop` and `destroy` on one thread at a time, not always
// the same one. It calls callbacks on any thread, on several at once, from the time that `start`
// returns 0 until it calls `stop`; and `query` on any thread, at any time.
//
// Memory. A payload belongs to the host. A callback of a notify point only reads it; other callbacks
// may edit it until they return. The contents of a payload are allocated with the process's malloc:
// grow them with realloc and free them with free, as the functions at the end of this file do.
//
// Text is UTF-8, and has a length instead of a terminating NUL.
//
// No function may longjmp out. In C++, HOOKRAIL_PLUGIN and HOOKRAIL_ENTRY wrap each function in
// HOOKRAIL_GUARD, which turns an exception into a fault.

#ifndef HOOKRAIL_H
#define HOOKRAIL_H

#ifdef __cplusplus
#include <exception>
#endif

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// The version of this boundary: major in the upper half, minor in the lower.
#define HOOKRAIL_ABI_VERSION (1 << 16)

// The oldest host ABI version that a plugin built with this header works with.
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

// The oldest message that waits is dropped.
#define HOOKRAIL_BUS_DROP_OLDEST 0

// The message is dropped.
#define HOOKRAIL_BUS_DROP_NEWEST 1

// Who publishes waits.
#define HOOKRAIL_BUS_BLOCK 2

// The message takes the place of one with the same key; without one, the oldest is dropped.
#define HOOKRAIL_BUS_LATEST_PER_KEY 3

// What `hookrail_writable_config_service.write` takes for any revision.
#define HOOKRAIL_CONFIG_ANY_REVISION UINT64_MAX

// The configuration is refused: the same would be refused again.
#define HOOKRAIL_CONFIG_REFUSED 1

// The current revision is another one by now.
#define HOOKRAIL_CONFIG_CHANGED 2

// Not now: somebody is changing something, or the instance writes too often. The same may be taken in a moment.
#define HOOKRAIL_CONFIG_BUSY 3

// The chain was run.
#define HOOKRAIL_DISPATCH_OK 0

// The instance is being stopped.
#define HOOKRAIL_DISPATCH_CLOSED 1

// Too many dispatches of this instance are running within each other already; only in a worker. In the host's process the
// point's faults say what such a dispatch comes to.
#define HOOKRAIL_DISPATCH_TOO_DEEP 2

// The payload could not cross to the host, or back; only in a worker.
#define HOOKRAIL_DISPATCH_FAILED 3

// What `hookrail_lifecycle_table.ready` returns if the instance is not ready yet.
#define HOOKRAIL_READY_NOT_YET 3

// What `hookrail_lifecycle_table.health` returns if the instance works, but not as it should.
#define HOOKRAIL_HEALTH_DEGRADED 4

// A number that only grows.
#define HOOKRAIL_METRIC_COUNTER 1

// A number that goes up and down.
#define HOOKRAIL_METRIC_GAUGE 2

// How many metrics a library may have.
#define HOOKRAIL_METRICS_MOST 64

// An endpoint from which messages come.
#define HOOKRAIL_STREAM_SOURCE 1

// An endpoint that takes messages.
#define HOOKRAIL_STREAM_SINK 2

// It is done.
#define HOOKRAIL_STREAM_OK 0

// Nothing has happened in that time.
#define HOOKRAIL_STREAM_NOTHING 1

// The endpoint is to end.
#define HOOKRAIL_STREAM_CLOSED 2

// What is being done on this thread has published too deep already; only of the service `bus/1`.
#define HOOKRAIL_STREAM_TOO_DEEP 3

// The queue of a subscription that blocks is full, and it is this thread that has received from it last: waiting for room
// would never end. Only of the service `bus/1`.
#define HOOKRAIL_STREAM_OWN_QUEUE 4

// The oldest messages are delivered.
#define HOOKRAIL_STREAM_DELIVERED 1

// The oldest messages never can be delivered.
#define HOOKRAIL_STREAM_DEAD 2

// All messages are to be given again.
#define HOOKRAIL_STREAM_RETRY 3

// A time without end.
#define HOOKRAIL_STREAM_FOREVER UINT64_MAX

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

// A time without end.
#define HOOKRAIL_UNIT_FOREVER UINT64_MAX

// What `hookrail_unit_service.next` returns when something has happened.
#define HOOKRAIL_UNIT_HAPPENED 0

// What `hookrail_unit_service.next` returns when nothing has happened in that time.
#define HOOKRAIL_UNIT_NOTHING 1

// What `hookrail_unit_service.next` returns when the unit is over.
#define HOOKRAIL_UNIT_GONE 2

// The process `run` was started; `input` and `output` lead there.
#define HOOKRAIL_UNIT_STARTED 1

// The process `run` is ordered to do `what`.
#define HOOKRAIL_UNIT_ORDER 2

// The process `run` has ended, with all that it has started: with that `status` or by that `signal`.
#define HOOKRAIL_UNIT_ENDED 3

// The unit has ended too often, and is not started again. It is still there, until it is ended.
#define HOOKRAIL_UNIT_FAILED 4

// To pause its work.
#define HOOKRAIL_UNIT_HALT 1

// To say how it is.
#define HOOKRAIL_UNIT_PING 2

// To read its configuration again.
#define HOOKRAIL_UNIT_RELOAD 3

// To go on with its work.
#define HOOKRAIL_UNIT_RESUME 4

// To end.
#define HOOKRAIL_UNIT_SHUTDOWN 5

// The process is ready for its work.
#define HOOKRAIL_UNIT_READY 1

// The order is done. To a ping: all is well.
#define HOOKRAIL_UNIT_DONE 2

// The order is refused.
#define HOOKRAIL_UNIT_REFUSED 3

// To a ping: it is not ready, or not any more.
#define HOOKRAIL_UNIT_NOT_READY 4

// To a ping: something is wrong with it.
#define HOOKRAIL_UNIT_UNWELL 5

// It has no process: it was not started yet, or has ended for good.
#define HOOKRAIL_UNIT_STOPPED 0

// Its process runs, and is not ready yet.
#define HOOKRAIL_UNIT_INIT 1

// It does its work.
#define HOOKRAIL_UNIT_RUNNING 2

// It was told to pause its work.
#define HOOKRAIL_UNIT_HALTED 3

// Its process runs, and says that something is wrong with it, or does not answer.
#define HOOKRAIL_UNIT_ERROR 4

// It was told to end, and has not yet.
#define HOOKRAIL_UNIT_STOPPING 5

// It waits to be started: it has ended, or another generation of the instance still has its name.
#define HOOKRAIL_UNIT_WAITING 6

// It has ended too often, and is not started again.
#define HOOKRAIL_UNIT_HAS_FAILED 7

// The version of the payload operations in this header.
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
  // Something that is newer than this header.
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
  // Another message with the same key took its place in a queue.
  HOOKRAIL_DROP_KIND_REPLACED = 6,
  // No sink wanted it.
  HOOKRAIL_DROP_KIND_UNROUTED = 7,
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

// A point that an instance dispatches. Only the host looks into it.
typedef struct hookrail_dispatch_point hookrail_dispatch_point;

// One use of a source or of a sink in a pipeline. Only the plugin looks into it; in C, the plugin may define the
// structure.
typedef struct hookrail_endpoint hookrail_endpoint;

// What a service of the host recognises an instance by. Only the host looks into it.
typedef struct hookrail_handle hookrail_handle;

// An instance. Only the plugin looks into it; in C, the plugin may define the structure.
typedef struct hookrail_instance hookrail_instance;

// What an instance registers its callbacks with while it is being started. Only the host looks into it.
typedef struct hookrail_registrar hookrail_registrar;

// The host's end of an endpoint. Only the host looks into it.
typedef struct hookrail_stream hookrail_stream;

// What the service `trace/1` recognises a library by. Only the host looks into it.
typedef struct hookrail_trace_library hookrail_trace_library;

// What the service `trace/1` recognises a site by. Only the plugin looks into it; in C, the plugin may define the
// structure.
typedef struct hookrail_trace_site_id hookrail_trace_site_id;

// What the service `unload/1` recognises a library by. Only the host looks into it.
typedef struct hookrail_unload_library hookrail_unload_library;

// Borrowed text: `len` bytes of UTF-8 at `ptr`, valid for the call it is passed to.
typedef struct {
  // The first byte. Null, or any other value, when `len` is 0.
  const uint8_t *ptr;
  // The length in bytes.
  size_t len;
} hookrail_str;

// A header that a message must have, with this value.
typedef struct {
  // Its key.
  hookrail_str key;
  // Its value.
  hookrail_str value;
} hookrail_bus_header;

// The id of a message: a UUID of version 7 (RFC 9562), so that ids sort by time.
typedef uint8_t hookrail_message_id[16];

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

// A place in the input of a source, which the host keeps: the newest `value` of each `key`. An empty value is forgotten,
// and its key.
typedef struct {
  // What the place is in, a file for example; at most 1 KiB.
  hookrail_str key;
  // The place; at most 64 KiB.
  hookrail_str value;
} hookrail_stream_mark;

// What an endpoint exchanges messages with. Each function takes `stream`. A function may be called within another one of
// the same stream, on the same thread: `send`, for example, by a callback for the message that is being sent.
typedef struct {
  // Size of this structure in bytes.
  uint32_t size;
  // Reserved; 0.
  uint32_t reserved;
  // The host's end, for the functions.
  hookrail_stream *stream;
  // For a source: sends `count` messages. Each one is decided by the chain of `message.publish`; returns
  // `HOOKRAIL_STREAM_OK` when all of them were, and every queue that blocks has room for them. Then they are left empty, but
  // may have memory, as all that a plugin owns: the source fills them again, or frees them. `mark`, unless it is null, is kept once these messages and all those before them are settled. `HOOKRAIL_STREAM_NOTHING`
  // if a queue had no room for `timeout_ns`, `HOOKRAIL_STREAM_CLOSED` if the endpoint is to end: then none was taken.
  uint32_t (*send)(hookrail_stream *stream,
                   hookrail_message *messages,
                   size_t count,
                   const hookrail_stream_mark *mark,
                   uint64_t timeout_ns);
  // For a source: appends all marks that are kept, the key and the value of each.
  uint32_t (*marks)(hookrail_stream *stream, hookrail_list_header *marks);
  // For a sink: waits for messages, `timeout_ns` at most, and then takes `most` at most: writes where their addresses
  // stand, and how many they are. Those stand there until the next call of `receive`; the messages themselves stay, and
  // are not changed, until they are answered for. `HOOKRAIL_STREAM_OK`; `HOOKRAIL_STREAM_NOTHING` if there was none in that time;
  // `HOOKRAIL_STREAM_CLOSED` if there will be none: then those that were taken are still to be answered for.
  uint32_t (*receive)(hookrail_stream *stream,
                      size_t most,
                      uint64_t timeout_ns,
                      const hookrail_message *const **messages,
                      size_t *count);
  // For a sink: answers for messages that it has taken. `HOOKRAIL_STREAM_DELIVERED`: the oldest `count` are. `HOOKRAIL_STREAM_DEAD`:
  // the oldest `count` never can be, and are dropped, for the reason `why`. `HOOKRAIL_STREAM_RETRY`: all that were taken and
  // not answered for are taken back, and given again, in their order, after a pause; `count` is not looked at. What is
  // not answered for when `run` returns is given to the next endpoint. Returns how many were answered for.
  size_t (*answer)(hookrail_stream *stream, size_t count, uint32_t answer, hookrail_str why);
  // Waits until the endpoint is to end, `timeout_ns` at most. Returns `HOOKRAIL_STREAM_CLOSED` if it is, else
  // `HOOKRAIL_STREAM_NOTHING`.
  uint32_t (*wait)(hookrail_stream *stream, uint64_t timeout_ns);
  // Returns a descriptor that is readable while a sink can receive without waiting, and once the endpoint is to end; or
  // -1 if the system has none left. It belongs to the plugin, which closes it.
  int32_t (*watch)(hookrail_stream *stream);
} hookrail_stream_io;

// What a subscription wants, and how it waits. Copied before `subscribe` returns.
typedef struct {
  // Size of this structure in bytes.
  uint32_t size;
  // What happens to a message for which there is no room: `HOOKRAIL_BUS_DROP_OLDEST`, `HOOKRAIL_BUS_DROP_NEWEST`, `HOOKRAIL_BUS_BLOCK` or
  // `HOOKRAIL_BUS_LATEST_PER_KEY`.
  uint32_t policy;
  // Its name, unique among the subscriptions of the instance: 128 bytes at most, of letters, digits, `-`, `_`, `.` and
  // `:`.
  hookrail_str name;
  // For `HOOKRAIL_BUS_LATEST_PER_KEY`: the header whose value is the key; empty for the topic.
  hookrail_str key;
  // The topics, as patterns: `*` is any token, a last `>` all that follow.
  const hookrail_str *topics;
  // How many there are, 256 at most; 0 for all topics.
  size_t topic_count;
  // The headers that a message must have, all of them.
  const hookrail_bus_header *headers;
  // How many there are, 64 at most.
  size_t header_count;
  // How many messages wait at most, those included that were taken and not answered for; 0 for the host's default.
  uint64_t capacity;
} hookrail_bus_spec;

// Service `bus/1`: messages from any plugin of a host to any other.
//
// `publish` and `subscribe` write a table of functions to `io`, which has the size that it states, and an id to `id`; they
// return 0 on success, else 1, and have appended the reason to `why`, in one line. The functions are those of an
// endpoint, and may be called until `close`, by any thread, by one at a time. When the instance is stopped they return
// `HOOKRAIL_STREAM_CLOSED`, and wake who waits; what was received can still be answered for. Any thread,
// several at once; none of the three waits.
typedef struct {
  // Size of this structure in bytes.
  uint32_t size;
  // Opens an end that publishes, by `send`, as a source does; there are no marks. `send` returns
  // `HOOKRAIL_STREAM_TOO_DEEP` if messages are being published on this thread too deep already. It waits
  // only for subscriptions that block and want some of the messages, and for none from which this thread has received
  // last: if the queue of that one is full, it returns `HOOKRAIL_STREAM_OWN_QUEUE`, and takes nothing.
  uint32_t (*publish)(const hookrail_handle *handle,
                      hookrail_stream_io *io,
                      uint64_t *id,
                      hookrail_text *why);
  // Opens an end that receives, as a sink does. While another generation of the instance has a subscription of that
  // name, nothing is received; then what that one has left comes first.
  uint32_t (*subscribe)(const hookrail_handle *handle,
                        const hookrail_bus_spec *spec,
                        hookrail_stream_io *io,
                        uint64_t *id,
                        hookrail_text *why);
  // Closes an end, whose functions nobody calls any more. Returns 0, or 1 if there is none.
  uint32_t (*close)(const hookrail_handle *handle, uint64_t id);
} hookrail_bus_service;

// Service `config/1`: the instance's configuration.
typedef struct {
  // Size of this structure in bytes.
  uint32_t size;
  // Appends the current configuration, as JSON, to `out`. Returns 0 on success.
  uint32_t (*read)(const hookrail_handle *handle, hookrail_text *out);
} hookrail_config_service;

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
  uint32_t (*path)(const hookrail_handle *handle, uint32_t kind, hookrail_text *out);
} hookrail_dirs_service;

// What a dispatch came to. The texts are the caller's: empty before the call, to be freed after it.
typedef struct {
  // Size of this structure in bytes.
  uint32_t size;
  // The decision: `HOOKRAIL_VERDICT_CONTINUE` if no callback decided and the payload passes,
  // `HOOKRAIL_VERDICT_SKIP`, `HOOKRAIL_VERDICT_ALLOW`, or
  // `HOOKRAIL_VERDICT_DENY` with a code in bits 8 to 31.
  uint32_t decision;
  // The callback that decided, `INSTANCE/CALLBACK`; empty if none did.
  hookrail_text decided_by;
  // Why it was denied, or why it was not dispatched; may be empty. It may contain anything.
  hookrail_text reason;
} hookrail_dispatch_outcome;

// Operations on the payload of one point, so that a worker, a recorder or a bridge can handle a payload whose type it
// was not compiled with.
//
// All functions are thread-safe. Those that return a `uint32_t` return 0 on success. The last four are null for a `LOCAL`
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

// A point, as the plugin was built with it.
typedef struct {
  // Size of this structure in bytes.
  uint32_t size;
  // The revision of the point.
  uint32_t revision;
  // The name of the point, which the plugin's note lists under `fires`.
  hookrail_str point;
  // The payload's fingerprint, low word first.
  uint64_t fingerprint[2];
  // abi_stable's layout of the payload (`&'static TypeLayout`), used to explain a mismatch; may be null.
  const void *layout;
  // The payload's operations, by which it crosses to another process; may be null for the payloads of this header.
  const hookrail_payload_ops *ops;
} hookrail_dispatch_spec;

// Service `dispatch/1`: the points that the plugin's note lists under `fires`, to be dispatched by the plugin.
//
// Any thread, several at once, from within callbacks too; not from a signal handler.
typedef struct {
  // Size of this structure in bytes.
  uint32_t size;
  // Finds a point of the host and writes it to `point`. It may be used until `close`, and for as long as the library is
  // loaded. Returns 0 on success, else 1, and has appended the reason to `why`, in one line.
  uint32_t (*point)(const hookrail_handle *handle,
                    const hookrail_dispatch_spec *spec,
                    const hookrail_dispatch_point **point,
                    hookrail_text *why);
  // Whether any callback would run, as far as that is known without asking another process: 1 or 0.
  uint32_t (*is_hooked)(const hookrail_dispatch_point *point);
  // Runs the chain of the point over `payload`, on this thread: every callback in order, until one decides. `context`
  // is what its callbacks see as the current one, of which the host takes the deadline and the trace; null for the
  // context of this thread. Returns `HOOKRAIL_DISPATCH_OK`, or why nothing was dispatched: then the payload is unchanged, and
  // `outcome` has no decision.
  uint32_t (*run)(const hookrail_dispatch_point *point,
                  void *payload,
                  const hookrail_context *context,
                  hookrail_dispatch_outcome *outcome);
  // Gives a point back, which nobody uses any more. Returns 0, or 1 if the instance has no such point.
  uint32_t (*close)(const hookrail_handle *handle, const hookrail_dispatch_point *point);
} hookrail_dispatch_service;

// A message that reached no sink, and why.
//
// As JSON: `kind` is the kind's name, and `timestamp` RFC 3339 with nine fractional digits. As MessagePack: its
// fields.
typedef struct {
  // The message as the chain left it, or without its content, which a host may withhold: then it has a header `hookrail-withheld`.
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
  uint32_t (*register_callback)(hookrail_registrar *registrar, const hookrail_registration *record);
  // The context of the current dispatch, or null outside a dispatch.
  const hookrail_context *(*current)(void);
  // A service by versioned id, or null.
  const void *(*query)(hookrail_str id);
} hookrail_host_table;

// What every plugin exports, under the name `HOOKRAIL_ENTRY_SYMBOL`.
//
// Functions that return a `uint32_t` return 0 on success; on failure they report an error first. The host calls `attach`
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
  uint32_t (*create)(const hookrail_handle *handle,
                     hookrail_str name,
                     hookrail_str config,
                     hookrail_instance **instance);
  // Starts an instance: it registers its callbacks through `registrar`. One thread at a time.
  uint32_t (*start)(hookrail_instance *instance, hookrail_registrar *registrar);
  // Stops a started instance, whose callbacks are no longer called. One thread at a time.
  uint32_t (*stop)(hookrail_instance *instance);
  // Frees an instance that is not running. One thread at a time.
  uint32_t (*destroy)(hookrail_instance *instance);
  // Returns a table of the plugin by versioned id, or null. Any thread, several at once.
  const void *(*query)(hookrail_str id);
} hookrail_entry;

// Destroys a thread's value of a key when the thread exits; may be null.
typedef void (*hookrail_key_destructor)(void *value);

// A plugin's table `lifecycle/1`: whether an instance is ready and well, and pauses of its own work.
//
// All five functions are present, and are called of started instances only, on one host thread at a time, as `start`
// and `stop` are; but not always on the same one, and callbacks may run meanwhile unless it says otherwise. They
// return 0 on success; on failure an error has been reported. A function that the plugin does not implement returns 0.
typedef struct {
  // Size of this structure in bytes.
  uint32_t size;
  // Whether the instance can do its work. Called after `start`, again and again, until it returns 0: only then are
  // its callbacks called. Returns at once; `HOOKRAIL_READY_NOT_YET` if it needs more time, after it has
  // reported what it waits for. A failure fails the start.
  uint32_t (*ready)(hookrail_instance *instance);
  // How the instance is. Called periodically, on a thread of the host that waits for nothing else. 0 if it is well;
  // `HOOKRAIL_HEALTH_DEGRADED` if it works in part, after it has reported why; a failure if it does not work.
  uint32_t (*health)(hookrail_instance *instance);
  // Pauses what the instance does by itself: its threads, its sources. Its callbacks are called until it has
  // returned, and then no more, until `resume`. A failure refuses, and nothing changes.
  uint32_t (*halt)(hookrail_instance *instance);
  // Continues what `halt` has paused. Its callbacks are called again once it has returned. After a failure it stays
  // halted.
  uint32_t (*resume)(hookrail_instance *instance);
  // Finishes what the instance still holds. No callback runs any more; `stop` is called next, also after a failure.
  // It is to return before `deadline_ns`, an instant of `CLOCK_MONOTONIC`.
  uint32_t (*drain)(hookrail_instance *instance, uint64_t deadline_ns);
} hookrail_lifecycle_table;

// Service `log/1`: writes to the host's log.
typedef struct {
  // Size of this structure in bytes.
  uint32_t size;
  // Writes one line; `level` is 1 error, 2 warn, 3 info, 4 debug or 5 trace.
  void (*write)(const hookrail_handle *handle, uint32_t level, hookrail_str text);
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

// One number. One that does not keep to these rules is left out, and the host's log says so.
typedef struct {
  // `HOOKRAIL_METRIC_COUNTER` or `HOOKRAIL_METRIC_GAUGE`.
  uint32_t kind;
  // 0.
  uint32_t reserved;
  // Its name: 1 to 48 lower-case letters, digits and `_`, a letter first; neither the plugin's name nor the unit nor
  // `total` is part of it.
  hookrail_str name;
  // What it is, in a sentence; at most 200 bytes.
  hookrail_str help;
  // Its base unit, such as `bytes` or `seconds`: at most 16 lower-case letters; empty for a plain number.
  hookrail_str unit;
  // The value, aligned, written as a whole; of a gauge, an `int64_t`. It does not move while the library is loaded.
  const uint64_t *value;
} hookrail_metric;

// A plugin's table `metrics/1`: numbers that the plugin counts itself, for the operator's monitoring.
//
// The host copies the names once, after the library is loaded, and reads the values at any time while it is. It calls no
// function of the plugin, so it can read the numbers of a plugin that hangs.
typedef struct {
  // Size of this structure in bytes.
  uint32_t size;
  // The number of metrics; the host reads the first `HOOKRAIL_METRICS_MOST`.
  uint32_t count;
  // The first one. They do not change while the library is loaded.
  const hookrail_metric *metrics;
} hookrail_metrics_table;

// Destroys a thread's object when the thread exits.
typedef void (*hookrail_object_destructor)(void *object);

// A plugin's table `reload/1`: accepts a new configuration while the plugin runs.
typedef struct {
  // Size of this structure in bytes.
  uint32_t size;
  // Applies a configuration (JSON). Returns 0 on success; on failure an error has been reported and the old
  // configuration stays.
  uint32_t (*reload)(hookrail_instance *instance, hookrail_str config);
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
  uint32_t (*save)(hookrail_instance *instance, hookrail_saved_state *out);
  // Writes what changed since the last `save` to `out`, which holds no state. No callback runs any more; `stop` is
  // called next.
  uint32_t (*save_changes)(hookrail_instance *instance, hookrail_saved_state *out);
  // Starts a created instance with a state of the previous generation; called in place of `start`. The state is
  // borrowed, read-only, for the duration of the call.
  uint32_t (*restore)(hookrail_instance *instance,
                      hookrail_registrar *registrar,
                      const hookrail_saved_state *state);
  // Applies the previous generation's last changes to a started instance. Callbacks may run meanwhile. The changes
  // are borrowed, read-only, for the duration of the call.
  uint32_t (*apply_changes)(hookrail_instance *instance, const hookrail_saved_state *changes);
} hookrail_state_table;

// A plugin's table `stream/1`: its sources and sinks.
//
// All four functions are present. Those that return a number return 0 on success; on failure an error has been reported.
typedef struct {
  // Size of this structure in bytes.
  uint32_t size;
  // Makes one endpoint of a started instance: `kind` is `HOOKRAIL_STREAM_SOURCE` or `HOOKRAIL_STREAM_SINK`, `name` one that the note
  // declares, `config` the configuration of this use, as JSON. Starts nothing: an endpoint that is not run is freed.
  // Any thread, several at once, also while callbacks run.
  uint32_t (*accept)(hookrail_instance *instance,
                     uint32_t kind,
                     hookrail_str name,
                     hookrail_str config,
                     hookrail_endpoint **endpoint);
  // Does the work of an endpoint, on a thread that does nothing else, until it is done or `io` is closed. Called once
  // at most. `io` is the endpoint's for this call, and may be used by any thread, by one at a time.
  uint32_t (*run)(hookrail_endpoint *endpoint, const hookrail_stream_io *io);
  // Frees an endpoint that is not running. Any thread.
  uint32_t (*free)(hookrail_endpoint *endpoint);
  // Appends the JSON Schema of the configuration of an endpoint to `out`; nothing if it has none. Any thread.
  uint32_t (*schema)(uint32_t kind, hookrail_str name, hookrail_text *out);
} hookrail_stream_table;

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
  const hookrail_trace_site_id *id;
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
  void (*describe)(const hookrail_trace_library *library, const hookrail_trace_site *site);
  // Whether the host wants events or spans of a site: 1 or 0; 1 for a site not described yet.
  uint32_t (*enabled)(const hookrail_trace_library *library, const hookrail_trace_site_id *site);
  // Reports an event. `parent` is a span, `HOOKRAIL_PARENT_CURRENT` or `HOOKRAIL_PARENT_NONE`. Returns 1 and reports nothing if
  // the site has not been described.
  uint32_t (*event)(const hookrail_trace_library *library,
                    const hookrail_trace_site_id *site,
                    uint64_t parent,
                    const hookrail_trace_value *values,
                    size_t value_count);
  // Reports a log line, from a site that has no fields and need not have been described.
  void (*log)(const hookrail_trace_library *library,
              const hookrail_trace_site *site,
              hookrail_str text);
  // Opens a span and returns its number; returns 0 and opens none if the site has not been described.
  uint64_t (*span_open)(const hookrail_trace_library *library,
                        const hookrail_trace_site_id *site,
                        uint64_t parent,
                        const hookrail_trace_value *values,
                        size_t value_count);
  // Adds values to a span.
  void (*span_record)(const hookrail_trace_library *library,
                      uint64_t span,
                      const hookrail_trace_value *values,
                      size_t value_count);
  // Records that a span follows from another one.
  void (*span_follows)(const hookrail_trace_library *library, uint64_t span, uint64_t from);
  // The calling thread enters a span.
  void (*span_enter)(const hookrail_trace_library *library, uint64_t span);
  // The calling thread leaves a span.
  void (*span_exit)(const hookrail_trace_library *library, uint64_t span);
  // Adds a reference to the span.
  void (*span_clone)(const hookrail_trace_library *library, uint64_t span);
  // Drops a reference to the span. Returns 1 if it was the last, which closes the span, else 0.
  uint32_t (*span_drop)(const hookrail_trace_library *library, uint64_t span);
  // The innermost span of this library that the calling thread is in, and the `id` of its site; 0 for none.
  uint64_t (*span_current)(const hookrail_trace_library *library,
                           const hookrail_trace_site_id **site);
  // The calling thread panics.
  void (*panicked)(const hookrail_trace_library *library, const hookrail_trace_panic *panic);
  // The calling thread's last panic, or one with that message, ended the host's call: it is the reason for the fault
  // or failure that is returned next.
  void (*caught)(const hookrail_trace_library *library, hookrail_str message);
} hookrail_trace_service;

// A plugin's table `trace/1`: through it the host receives what the plugin reports about itself.
typedef struct {
  // Size of this structure in bytes.
  uint32_t size;
  // Called once, after `attach` and before `create`. What is reported before is lost.
  void (*bind)(const hookrail_trace_library *library, const hookrail_trace_service *service);
  // Sets how much is reported from now on: a `hookrail_level`, or 0 for nothing. Any thread, one at a
  // time.
  void (*set_level)(uint32_t level);
} hookrail_trace_table;

// What has happened to a unit. The caller sets `size`; the host writes the rest.
typedef struct {
  // Size of this structure in bytes.
  uint32_t size;
  // `HOOKRAIL_UNIT_STARTED`, `HOOKRAIL_UNIT_ORDER`, `HOOKRAIL_UNIT_ENDED` or `HOOKRAIL_UNIT_FAILED`. What a newer host says besides is to be passed
  // over.
  uint32_t kind;
  // The process that it is about: each start of the unit has a greater number.
  uint64_t run;
  // The number of the order, for the answer.
  uint64_t order;
  // What is ordered: `HOOKRAIL_UNIT_HALT`, `HOOKRAIL_UNIT_PING`, `HOOKRAIL_UNIT_RELOAD`, `HOOKRAIL_UNIT_RESUME` or `HOOKRAIL_UNIT_SHUTDOWN`. What a newer
  // host orders besides is to be refused.
  uint32_t what;
  // The status that the process ended with; -1 if a signal has ended it.
  int32_t status;
  // The signal that has ended it; 0 if none has.
  int32_t signal;
  // The descriptor that leads to the process's stdin, to write to. It belongs to the plugin, which closes it.
  int32_t input;
  // The descriptor that leads from the process's stdout, to read from. It belongs to the plugin, which closes it.
  int32_t output;
  // Reserved; 0.
  uint32_t reserved;
} hookrail_unit_event;

// What a unit is: the program that is run, and what is asked of it. Copied before `start` returns.
//
// The process gets no argument, no variable and no descriptor but those given here, and stdin, stdout and stderr: what
// its stdin and stdout lead to comes with `HOOKRAIL_UNIT_STARTED`, its stderr is written to the host's log, line by line.
typedef struct {
  // Size of this structure in bytes.
  uint32_t size;
  // After how many ends in a row it has failed, and is not started again; 0 for the host's default, 1 for never
  // again.
  uint32_t restarts;
  // Its name, unique among the units of the instance: letters, digits, `-`, `_`, `.` and `:`.
  hookrail_str name;
  // The program's path. It is not looked for in `PATH`.
  hookrail_str program;
  // The arguments behind the program's name.
  const hookrail_str *arguments;
  // How many there are.
  size_t argument_count;
  // The variables of its environment, each `NAME=value`.
  const hookrail_str *environment;
  // How many there are.
  size_t environment_count;
  // The directory that it starts in; empty for that of the host.
  hookrail_str directory;
  // How long it may take until it is ready; 0 for the host's default.
  uint64_t ready_ns;
  // How long it may take for an order to halt, resume or reload; 0 for the host's default.
  uint64_t order_ns;
  // How long it may take to end when it is told to, before it is killed; 0 for the host's default.
  uint64_t shutdown_ns;
  // How long it may take to answer a ping; 0 for the host's default.
  uint64_t pong_ns;
  // From one ping to the next; 0 for the host's default, `HOOKRAIL_UNIT_FOREVER` for no pings.
  uint64_t ping_every_ns;
} hookrail_unit_spec;

// How a unit is. The caller sets `size`; the host writes the rest.
typedef struct {
  // Size of this structure in bytes.
  uint32_t size;
  // `HOOKRAIL_UNIT_STOPPED`, or another of those.
  uint32_t state;
  // The number of its process; 0 if it has none.
  uint32_t pid;
  // Reserved; 0.
  uint32_t reserved;
  // How often it was started again because it had ended.
  uint64_t restarts;
} hookrail_unit_status;

// Service `unit/1`: child processes that the host starts for an instance, and keeps alive.
//
// The host starts the process of a unit, starts it again when it has ended, and orders it to halt, to resume, to reload,
// to say how it is and to shut down. It knows nothing of what the process understands: the plugin takes from `next` what
// the host orders, passes it on in the process's own way, and tells the host by `say` what came of it.
//
// The units of an instance end with it: before `stop` is called, they are ordered to shut down, and killed after their
// time. They end with the host too, however that ends. Any thread, several at once; only `next` waits.
typedef struct {
  // Size of this structure in bytes.
  uint32_t size;
  // Begins a unit, and writes its id. A unit of that name that another generation of the instance still has is waited
  // for, not here but before the process is started. Returns 0 on success; else 1, and has appended the reason to
  // `why`, in one line.
  uint32_t (*start)(const hookrail_handle *handle,
                    const hookrail_unit_spec *spec,
                    uint64_t *id,
                    hookrail_text *why);
  // Waits for what happens next to a unit, but not longer than `timeout_ns`. Returns `HOOKRAIL_UNIT_HAPPENED` and has written
  // it to `event`; `HOOKRAIL_UNIT_NOTHING` if nothing has happened in that time; or `HOOKRAIL_UNIT_GONE` when the unit has ended and
  // will not begin again, or never was.
  uint32_t (*next)(const hookrail_handle *handle,
                   uint64_t id,
                   uint64_t timeout_ns,
                   hookrail_unit_event *event);
  // Returns a descriptor that is readable while `next` has something to return without waiting, or -1 if there is no
  // such unit. It belongs to the plugin, which closes it.
  int32_t (*watch)(const hookrail_handle *handle, uint64_t id);
  // Says what the process `run` of a unit has said: `what` is `HOOKRAIL_UNIT_READY`, `HOOKRAIL_UNIT_DONE`, `HOOKRAIL_UNIT_REFUSED`,
  // `HOOKRAIL_UNIT_NOT_READY` or `HOOKRAIL_UNIT_UNWELL`; `order` the number of the order that it answers, if it does; `text` the
  // reason, if there is one. What comes too late is passed over. Returns 0, or 1 if there is no such unit.
  uint32_t (*say)(const hookrail_handle *handle,
                  uint64_t id,
                  uint64_t run,
                  uint32_t what,
                  uint64_t order,
                  hookrail_str text);
  // Sends a signal to the process of a unit, if it has one. Returns 0 on success, 1 if there is no such unit or no such
  // signal.
  uint32_t (*signal)(const hookrail_handle *handle, uint64_t id, int32_t signal);
  // Writes how a unit is to `status`, and appends why it is so to `why`, if there is something to say. Returns 0, or 1
  // if there is no such unit.
  uint32_t (*state)(const hookrail_handle *handle,
                    uint64_t id,
                    hookrail_unit_status *status,
                    hookrail_text *why);
  // Ends a unit: its process is ordered to shut down, and killed after its time. `next` returns `HOOKRAIL_UNIT_GONE` when it
  // has ended. Returns 0, or 1 if there is no such unit.
  uint32_t (*end)(const hookrail_handle *handle, uint64_t id);
} hookrail_unit_service;

// The host's replacements for the system functions through which a library leaves its own code with threads: the host
// records each such use, and closes the library only when none is left.
//
// Each function does what the system function does, and returns what that returns; `library` is the value that the
// `bind` function of the library's `hookrail_unload_table` was called with. Any thread, several at once.
typedef struct {
  // Size of this structure in bytes.
  uint32_t size;
  // `__cxa_thread_atexit_impl`
  int32_t (*at_thread_exit)(const hookrail_unload_library *library,
                            hookrail_object_destructor run,
                            void *object);
  // `pthread_key_create`
  int32_t (*key_create)(const hookrail_unload_library *library,
                        uint32_t *key,
                        hookrail_key_destructor destructor);
  // `pthread_key_delete`
  int32_t (*key_delete)(const hookrail_unload_library *library, uint32_t key);
  // `pthread_setspecific`
  int32_t (*set_specific)(const hookrail_unload_library *library, uint32_t key, const void *value);
  // `pthread_create`; `thread` is a `pthread_t *`, `attributes` a `const pthread_attr_t *`.
  int32_t (*thread_create)(const hookrail_unload_library *library,
                           void *thread,
                           const void *attributes,
                           hookrail_thread_body body,
                           void *argument);
  // Asks the host never to close the library, for the given reason.
  void (*keep)(const hookrail_unload_library *library, hookrail_str reason);
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
  uint32_t (*bind)(const hookrail_unload_library *library, const hookrail_unload_service *service);
  // Leaves a thread-local destructor and a value of a key with the calling thread, so that the host can verify that
  // it records both.
  void (*probe)(void);
} hookrail_unload_table;

// Service `config/2`: as `config/1`, and the instance may write its configuration itself.
//
// Any thread, several at once, also within the host's calls of the plugin. None of the functions waits for another
// call of the plugin, or for the operator.
typedef struct {
  // Size of this structure in bytes.
  uint32_t size;
  // As in `config/1`: what the instance was given last, or has written itself since.
  uint32_t (*read)(const hookrail_handle *handle, hookrail_text *out);
  // Appends the configuration that is kept for the instance, as JSON, to `out`, and writes its revision to
  // `revision`. The operator may have set it while the instance still has the one before. Returns 0 on success; else
  // `HOOKRAIL_CONFIG_BUSY` or `HOOKRAIL_CONFIG_REFUSED`, and has appended the reason to `out`.
  uint32_t (*stored)(const hookrail_handle *handle, hookrail_text *out, uint64_t *revision);
  // Replaces the configuration, as the operator does: it is checked against the plugin's schema, kept, and handed to
  // the instance when it is created again. The instance is not asked to reload it. `if_revision` is the revision
  // that must still be the current one, or `HOOKRAIL_CONFIG_ANY_REVISION`. Returns 0 and writes the new revision to
  // `revision`; else returns `HOOKRAIL_CONFIG_BUSY`, `HOOKRAIL_CONFIG_CHANGED` or `HOOKRAIL_CONFIG_REFUSED` and appends the reason to
  // `why`, in one line.
  uint32_t (*write)(const hookrail_handle *handle,
                    hookrail_str json,
                    uint64_t if_revision,
                    uint64_t *revision,
                    hookrail_text *why);
} hookrail_writable_config_service;

// The name of the data symbol that every plugin exports: a `hookrail_entry`.
#define HOOKRAIL_ENTRY_SYMBOL "hookrail_plugin_v1"

// The name of the ELF section that carries a plugin's note.
#define HOOKRAIL_NOTE_SECTION ".note.hookrail"

// HOOKRAIL_ABI_VERSION as a note states it.
#define HOOKRAIL_ABI "1.0"

// The effects as a note states them.
#define HOOKRAIL_EFFECTS_EXTERNAL_NAME "external"
#define HOOKRAIL_EFFECTS_LOCAL_NAME "local"
#define HOOKRAIL_EFFECTS_PURE_NAME "pure"

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

// A declaration that does not compile unless the condition holds.
#ifdef __cplusplus
#define HOOKRAIL_STATIC_ASSERT(condition, text) static_assert(condition, text)
#else
#define HOOKRAIL_STATIC_ASSERT(condition, text) _Static_assert(condition, text)
#endif

// The host's layout of the structures. A compiler that has another one was told to (-fpack-struct), or
// compiles for a system that Hookrail does not support (-m32).
#define HOOKRAIL_HAS_SIZE(type, bytes) \
  HOOKRAIL_STATIC_ASSERT(sizeof(type) == bytes, #type " has another size here than in the host: " #bytes)
#define HOOKRAIL_HAS_FIELD(type, field, offset, bytes) \
  HOOKRAIL_STATIC_ASSERT(offsetof(type, field) == offset && sizeof(((type *)0)->field) == bytes, \
    #type "." #field " is elsewhere, or has another size, here than in the host")

HOOKRAIL_HAS_SIZE(hookrail_list_header, 24);
HOOKRAIL_HAS_FIELD(hookrail_list_header, ptr, 0, 8);
HOOKRAIL_HAS_FIELD(hookrail_list_header, len, 8, 8);
HOOKRAIL_HAS_FIELD(hookrail_list_header, capacity, 16, 8);
HOOKRAIL_HAS_SIZE(hookrail_list_u8, 24);
HOOKRAIL_HAS_FIELD(hookrail_list_u8, ptr, 0, 8);
HOOKRAIL_HAS_FIELD(hookrail_list_u8, len, 8, 8);
HOOKRAIL_HAS_FIELD(hookrail_list_u8, capacity, 16, 8);
HOOKRAIL_HAS_SIZE(hookrail_message, 160);
HOOKRAIL_HAS_FIELD(hookrail_message, id, 0, 16);
HOOKRAIL_HAS_FIELD(hookrail_message, timestamp, 16, 8);
HOOKRAIL_HAS_FIELD(hookrail_message, flags, 24, 8);
HOOKRAIL_HAS_FIELD(hookrail_message, source, 32, 24);
HOOKRAIL_HAS_FIELD(hookrail_message, topic, 56, 24);
HOOKRAIL_HAS_FIELD(hookrail_message, headers, 80, 24);
HOOKRAIL_HAS_FIELD(hookrail_message, body, 104, 24);
HOOKRAIL_HAS_FIELD(hookrail_message, reserved, 128, 32);
HOOKRAIL_HAS_SIZE(hookrail_bus_header, 32);
HOOKRAIL_HAS_FIELD(hookrail_bus_header, key, 0, 16);
HOOKRAIL_HAS_FIELD(hookrail_bus_header, value, 16, 16);
HOOKRAIL_HAS_SIZE(hookrail_bus_service, 32);
HOOKRAIL_HAS_FIELD(hookrail_bus_service, size, 0, 4);
HOOKRAIL_HAS_FIELD(hookrail_bus_service, publish, 8, 8);
HOOKRAIL_HAS_FIELD(hookrail_bus_service, subscribe, 16, 8);
HOOKRAIL_HAS_FIELD(hookrail_bus_service, close, 24, 8);
HOOKRAIL_HAS_SIZE(hookrail_bus_spec, 80);
HOOKRAIL_HAS_FIELD(hookrail_bus_spec, size, 0, 4);
HOOKRAIL_HAS_FIELD(hookrail_bus_spec, policy, 4, 4);
HOOKRAIL_HAS_FIELD(hookrail_bus_spec, name, 8, 16);
HOOKRAIL_HAS_FIELD(hookrail_bus_spec, key, 24, 16);
HOOKRAIL_HAS_FIELD(hookrail_bus_spec, topics, 40, 8);
HOOKRAIL_HAS_FIELD(hookrail_bus_spec, topic_count, 48, 8);
HOOKRAIL_HAS_FIELD(hookrail_bus_spec, headers, 56, 8);
HOOKRAIL_HAS_FIELD(hookrail_bus_spec, header_count, 64, 8);
HOOKRAIL_HAS_FIELD(hookrail_bus_spec, capacity, 72, 8);
HOOKRAIL_HAS_SIZE(hookrail_config_service, 16);
HOOKRAIL_HAS_FIELD(hookrail_config_service, size, 0, 4);
HOOKRAIL_HAS_FIELD(hookrail_config_service, read, 8, 8);
HOOKRAIL_HAS_SIZE(hookrail_context, 64);
HOOKRAIL_HAS_FIELD(hookrail_context, size, 0, 4);
HOOKRAIL_HAS_FIELD(hookrail_context, reserved, 4, 4);
HOOKRAIL_HAS_FIELD(hookrail_context, deadline_ns, 8, 8);
HOOKRAIL_HAS_FIELD(hookrail_context, trace, 16, 16);
HOOKRAIL_HAS_FIELD(hookrail_context, principal, 32, 16);
HOOKRAIL_HAS_FIELD(hookrail_context, node, 48, 16);
HOOKRAIL_HAS_SIZE(hookrail_dirs_service, 16);
HOOKRAIL_HAS_FIELD(hookrail_dirs_service, size, 0, 4);
HOOKRAIL_HAS_FIELD(hookrail_dirs_service, path, 8, 8);
HOOKRAIL_HAS_SIZE(hookrail_dispatch_outcome, 56);
HOOKRAIL_HAS_FIELD(hookrail_dispatch_outcome, size, 0, 4);
HOOKRAIL_HAS_FIELD(hookrail_dispatch_outcome, decision, 4, 4);
HOOKRAIL_HAS_FIELD(hookrail_dispatch_outcome, decided_by, 8, 24);
HOOKRAIL_HAS_FIELD(hookrail_dispatch_outcome, reason, 32, 24);
HOOKRAIL_HAS_SIZE(hookrail_dispatch_service, 40);
HOOKRAIL_HAS_FIELD(hookrail_dispatch_service, size, 0, 4);
HOOKRAIL_HAS_FIELD(hookrail_dispatch_service, point, 8, 8);
HOOKRAIL_HAS_FIELD(hookrail_dispatch_service, is_hooked, 16, 8);
HOOKRAIL_HAS_FIELD(hookrail_dispatch_service, run, 24, 8);
HOOKRAIL_HAS_FIELD(hookrail_dispatch_service, close, 32, 8);
HOOKRAIL_HAS_SIZE(hookrail_dispatch_spec, 56);
HOOKRAIL_HAS_FIELD(hookrail_dispatch_spec, size, 0, 4);
HOOKRAIL_HAS_FIELD(hookrail_dispatch_spec, revision, 4, 4);
HOOKRAIL_HAS_FIELD(hookrail_dispatch_spec, point, 8, 16);
HOOKRAIL_HAS_FIELD(hookrail_dispatch_spec, fingerprint, 24, 16);
HOOKRAIL_HAS_FIELD(hookrail_dispatch_spec, layout, 40, 8);
HOOKRAIL_HAS_FIELD(hookrail_dispatch_spec, ops, 48, 8);
HOOKRAIL_HAS_SIZE(hookrail_dropped, 256);
HOOKRAIL_HAS_FIELD(hookrail_dropped, message, 0, 160);
HOOKRAIL_HAS_FIELD(hookrail_dropped, decided_by, 160, 24);
HOOKRAIL_HAS_FIELD(hookrail_dropped, code, 184, 4);
HOOKRAIL_HAS_FIELD(hookrail_dropped, kind, 188, 4);
HOOKRAIL_HAS_FIELD(hookrail_dropped, reason, 192, 24);
HOOKRAIL_HAS_FIELD(hookrail_dropped, timestamp, 216, 8);
HOOKRAIL_HAS_FIELD(hookrail_dropped, reserved, 224, 32);
HOOKRAIL_HAS_SIZE(hookrail_entry, 104);
HOOKRAIL_HAS_FIELD(hookrail_entry, size, 0, 4);
HOOKRAIL_HAS_FIELD(hookrail_entry, abi_min, 4, 4);
HOOKRAIL_HAS_FIELD(hookrail_entry, abi_max, 8, 4);
HOOKRAIL_HAS_FIELD(hookrail_entry, flags, 12, 4);
HOOKRAIL_HAS_FIELD(hookrail_entry, heap, 16, 40);
HOOKRAIL_HAS_FIELD(hookrail_entry, attach, 56, 8);
HOOKRAIL_HAS_FIELD(hookrail_entry, create, 64, 8);
HOOKRAIL_HAS_FIELD(hookrail_entry, start, 72, 8);
HOOKRAIL_HAS_FIELD(hookrail_entry, stop, 80, 8);
HOOKRAIL_HAS_FIELD(hookrail_entry, destroy, 88, 8);
HOOKRAIL_HAS_FIELD(hookrail_entry, query, 96, 8);
HOOKRAIL_HAS_SIZE(hookrail_header, 48);
HOOKRAIL_HAS_FIELD(hookrail_header, key, 0, 24);
HOOKRAIL_HAS_FIELD(hookrail_header, value, 24, 24);
HOOKRAIL_HAS_SIZE(hookrail_heap, 40);
HOOKRAIL_HAS_FIELD(hookrail_heap, malloc, 0, 8);
HOOKRAIL_HAS_FIELD(hookrail_heap, calloc, 8, 8);
HOOKRAIL_HAS_FIELD(hookrail_heap, realloc, 16, 8);
HOOKRAIL_HAS_FIELD(hookrail_heap, free, 24, 8);
HOOKRAIL_HAS_FIELD(hookrail_heap, posix_memalign, 32, 8);
HOOKRAIL_HAS_SIZE(hookrail_host_table, 40);
HOOKRAIL_HAS_FIELD(hookrail_host_table, size, 0, 4);
HOOKRAIL_HAS_FIELD(hookrail_host_table, abi, 4, 4);
HOOKRAIL_HAS_FIELD(hookrail_host_table, report, 8, 8);
HOOKRAIL_HAS_FIELD(hookrail_host_table, register_callback, 16, 8);
HOOKRAIL_HAS_FIELD(hookrail_host_table, current, 24, 8);
HOOKRAIL_HAS_FIELD(hookrail_host_table, query, 32, 8);
HOOKRAIL_HAS_SIZE(hookrail_lifecycle_table, 48);
HOOKRAIL_HAS_FIELD(hookrail_lifecycle_table, size, 0, 4);
HOOKRAIL_HAS_FIELD(hookrail_lifecycle_table, ready, 8, 8);
HOOKRAIL_HAS_FIELD(hookrail_lifecycle_table, health, 16, 8);
HOOKRAIL_HAS_FIELD(hookrail_lifecycle_table, halt, 24, 8);
HOOKRAIL_HAS_FIELD(hookrail_lifecycle_table, resume, 32, 8);
HOOKRAIL_HAS_FIELD(hookrail_lifecycle_table, drain, 40, 8);
HOOKRAIL_HAS_SIZE(hookrail_log_service, 16);
HOOKRAIL_HAS_FIELD(hookrail_log_service, size, 0, 4);
HOOKRAIL_HAS_FIELD(hookrail_log_service, write, 8, 8);
HOOKRAIL_HAS_SIZE(hookrail_memory_shard, 64);
HOOKRAIL_HAS_FIELD(hookrail_memory_shard, allocated, 0, 8);
HOOKRAIL_HAS_FIELD(hookrail_memory_shard, freed, 8, 8);
HOOKRAIL_HAS_FIELD(hookrail_memory_shard, allocations, 16, 8);
HOOKRAIL_HAS_FIELD(hookrail_memory_shard, frees, 24, 8);
HOOKRAIL_HAS_FIELD(hookrail_memory_shard, own, 32, 32);
HOOKRAIL_HAS_SIZE(hookrail_memory_table, 16);
HOOKRAIL_HAS_FIELD(hookrail_memory_table, size, 0, 4);
HOOKRAIL_HAS_FIELD(hookrail_memory_table, count, 4, 4);
HOOKRAIL_HAS_FIELD(hookrail_memory_table, shards, 8, 8);
HOOKRAIL_HAS_SIZE(hookrail_metric, 64);
HOOKRAIL_HAS_FIELD(hookrail_metric, kind, 0, 4);
HOOKRAIL_HAS_FIELD(hookrail_metric, reserved, 4, 4);
HOOKRAIL_HAS_FIELD(hookrail_metric, name, 8, 16);
HOOKRAIL_HAS_FIELD(hookrail_metric, help, 24, 16);
HOOKRAIL_HAS_FIELD(hookrail_metric, unit, 40, 16);
HOOKRAIL_HAS_FIELD(hookrail_metric, value, 56, 8);
HOOKRAIL_HAS_SIZE(hookrail_metrics_table, 16);
HOOKRAIL_HAS_FIELD(hookrail_metrics_table, size, 0, 4);
HOOKRAIL_HAS_FIELD(hookrail_metrics_table, count, 4, 4);
HOOKRAIL_HAS_FIELD(hookrail_metrics_table, metrics, 8, 8);
HOOKRAIL_HAS_SIZE(hookrail_payload_ops, 80);
HOOKRAIL_HAS_FIELD(hookrail_payload_ops, size, 0, 4);
HOOKRAIL_HAS_FIELD(hookrail_payload_ops, version, 4, 4);
HOOKRAIL_HAS_FIELD(hookrail_payload_ops, payload_size, 8, 8);
HOOKRAIL_HAS_FIELD(hookrail_payload_ops, align, 16, 8);
HOOKRAIL_HAS_FIELD(hookrail_payload_ops, clone, 24, 8);
HOOKRAIL_HAS_FIELD(hookrail_payload_ops, assign, 32, 8);
HOOKRAIL_HAS_FIELD(hookrail_payload_ops, drop, 40, 8);
HOOKRAIL_HAS_FIELD(hookrail_payload_ops, encode, 48, 8);
HOOKRAIL_HAS_FIELD(hookrail_payload_ops, decode, 56, 8);
HOOKRAIL_HAS_FIELD(hookrail_payload_ops, redact, 64, 8);
HOOKRAIL_HAS_FIELD(hookrail_payload_ops, encode_into, 72, 8);
HOOKRAIL_HAS_SIZE(hookrail_registration, 136);
HOOKRAIL_HAS_FIELD(hookrail_registration, size, 0, 4);
HOOKRAIL_HAS_FIELD(hookrail_registration, flags, 4, 4);
HOOKRAIL_HAS_FIELD(hookrail_registration, point, 8, 16);
HOOKRAIL_HAS_FIELD(hookrail_registration, revision, 24, 4);
HOOKRAIL_HAS_FIELD(hookrail_registration, priority, 28, 4);
HOOKRAIL_HAS_FIELD(hookrail_registration, callback, 32, 16);
HOOKRAIL_HAS_FIELD(hookrail_registration, form, 48, 4);
HOOKRAIL_HAS_FIELD(hookrail_registration, effects, 52, 4);
HOOKRAIL_HAS_FIELD(hookrail_registration, fault, 56, 4);
HOOKRAIL_HAS_FIELD(hookrail_registration, reserved, 60, 4);
HOOKRAIL_HAS_FIELD(hookrail_registration, budget_ns, 64, 8);
HOOKRAIL_HAS_FIELD(hookrail_registration, predicate, 72, 8);
HOOKRAIL_HAS_FIELD(hookrail_registration, run, 80, 8);
HOOKRAIL_HAS_FIELD(hookrail_registration, ctx, 88, 8);
HOOKRAIL_HAS_FIELD(hookrail_registration, ctx_drop, 96, 8);
HOOKRAIL_HAS_FIELD(hookrail_registration, fingerprint, 104, 16);
HOOKRAIL_HAS_FIELD(hookrail_registration, layout, 120, 8);
HOOKRAIL_HAS_FIELD(hookrail_registration, ops, 128, 8);
HOOKRAIL_HAS_SIZE(hookrail_reload_table, 16);
HOOKRAIL_HAS_FIELD(hookrail_reload_table, size, 0, 4);
HOOKRAIL_HAS_FIELD(hookrail_reload_table, reload, 8, 8);
HOOKRAIL_HAS_SIZE(hookrail_saved_state, 56);
HOOKRAIL_HAS_FIELD(hookrail_saved_state, size, 0, 4);
HOOKRAIL_HAS_FIELD(hookrail_saved_state, version, 4, 4);
HOOKRAIL_HAS_FIELD(hookrail_saved_state, schema, 8, 24);
HOOKRAIL_HAS_FIELD(hookrail_saved_state, bytes, 32, 24);
HOOKRAIL_HAS_SIZE(hookrail_schema_table, 16);
HOOKRAIL_HAS_FIELD(hookrail_schema_table, size, 0, 4);
HOOKRAIL_HAS_FIELD(hookrail_schema_table, write, 8, 8);
HOOKRAIL_HAS_SIZE(hookrail_state_table, 40);
HOOKRAIL_HAS_FIELD(hookrail_state_table, size, 0, 4);
HOOKRAIL_HAS_FIELD(hookrail_state_table, save, 8, 8);
HOOKRAIL_HAS_FIELD(hookrail_state_table, save_changes, 16, 8);
HOOKRAIL_HAS_FIELD(hookrail_state_table, restore, 24, 8);
HOOKRAIL_HAS_FIELD(hookrail_state_table, apply_changes, 32, 8);
HOOKRAIL_HAS_SIZE(hookrail_str, 16);
HOOKRAIL_HAS_FIELD(hookrail_str, ptr, 0, 8);
HOOKRAIL_HAS_FIELD(hookrail_str, len, 8, 8);
HOOKRAIL_HAS_SIZE(hookrail_stream_io, 64);
HOOKRAIL_HAS_FIELD(hookrail_stream_io, size, 0, 4);
HOOKRAIL_HAS_FIELD(hookrail_stream_io, reserved, 4, 4);
HOOKRAIL_HAS_FIELD(hookrail_stream_io, stream, 8, 8);
HOOKRAIL_HAS_FIELD(hookrail_stream_io, send, 16, 8);
HOOKRAIL_HAS_FIELD(hookrail_stream_io, marks, 24, 8);
HOOKRAIL_HAS_FIELD(hookrail_stream_io, receive, 32, 8);
HOOKRAIL_HAS_FIELD(hookrail_stream_io, answer, 40, 8);
HOOKRAIL_HAS_FIELD(hookrail_stream_io, wait, 48, 8);
HOOKRAIL_HAS_FIELD(hookrail_stream_io, watch, 56, 8);
HOOKRAIL_HAS_SIZE(hookrail_stream_mark, 32);
HOOKRAIL_HAS_FIELD(hookrail_stream_mark, key, 0, 16);
HOOKRAIL_HAS_FIELD(hookrail_stream_mark, value, 16, 16);
HOOKRAIL_HAS_SIZE(hookrail_stream_table, 40);
HOOKRAIL_HAS_FIELD(hookrail_stream_table, size, 0, 4);
HOOKRAIL_HAS_FIELD(hookrail_stream_table, accept, 8, 8);
HOOKRAIL_HAS_FIELD(hookrail_stream_table, run, 16, 8);
HOOKRAIL_HAS_FIELD(hookrail_stream_table, free, 24, 8);
HOOKRAIL_HAS_FIELD(hookrail_stream_table, schema, 32, 8);
HOOKRAIL_HAS_SIZE(hookrail_trace_panic, 64);
HOOKRAIL_HAS_FIELD(hookrail_trace_panic, size, 0, 4);
HOOKRAIL_HAS_FIELD(hookrail_trace_panic, line, 4, 4);
HOOKRAIL_HAS_FIELD(hookrail_trace_panic, column, 8, 4);
HOOKRAIL_HAS_FIELD(hookrail_trace_panic, reserved, 12, 4);
HOOKRAIL_HAS_FIELD(hookrail_trace_panic, message, 16, 16);
HOOKRAIL_HAS_FIELD(hookrail_trace_panic, file, 32, 16);
HOOKRAIL_HAS_FIELD(hookrail_trace_panic, frames, 48, 8);
HOOKRAIL_HAS_FIELD(hookrail_trace_panic, frame_count, 56, 8);
HOOKRAIL_HAS_SIZE(hookrail_trace_service, 120);
HOOKRAIL_HAS_FIELD(hookrail_trace_service, size, 0, 4);
HOOKRAIL_HAS_FIELD(hookrail_trace_service, describe, 8, 8);
HOOKRAIL_HAS_FIELD(hookrail_trace_service, enabled, 16, 8);
HOOKRAIL_HAS_FIELD(hookrail_trace_service, event, 24, 8);
HOOKRAIL_HAS_FIELD(hookrail_trace_service, log, 32, 8);
HOOKRAIL_HAS_FIELD(hookrail_trace_service, span_open, 40, 8);
HOOKRAIL_HAS_FIELD(hookrail_trace_service, span_record, 48, 8);
HOOKRAIL_HAS_FIELD(hookrail_trace_service, span_follows, 56, 8);
HOOKRAIL_HAS_FIELD(hookrail_trace_service, span_enter, 64, 8);
HOOKRAIL_HAS_FIELD(hookrail_trace_service, span_exit, 72, 8);
HOOKRAIL_HAS_FIELD(hookrail_trace_service, span_clone, 80, 8);
HOOKRAIL_HAS_FIELD(hookrail_trace_service, span_drop, 88, 8);
HOOKRAIL_HAS_FIELD(hookrail_trace_service, span_current, 96, 8);
HOOKRAIL_HAS_FIELD(hookrail_trace_service, panicked, 104, 8);
HOOKRAIL_HAS_FIELD(hookrail_trace_service, caught, 112, 8);
HOOKRAIL_HAS_SIZE(hookrail_trace_site, 104);
HOOKRAIL_HAS_FIELD(hookrail_trace_site, size, 0, 4);
HOOKRAIL_HAS_FIELD(hookrail_trace_site, kind, 4, 4);
HOOKRAIL_HAS_FIELD(hookrail_trace_site, level, 8, 4);
HOOKRAIL_HAS_FIELD(hookrail_trace_site, line, 12, 4);
HOOKRAIL_HAS_FIELD(hookrail_trace_site, id, 16, 8);
HOOKRAIL_HAS_FIELD(hookrail_trace_site, name, 24, 16);
HOOKRAIL_HAS_FIELD(hookrail_trace_site, target, 40, 16);
HOOKRAIL_HAS_FIELD(hookrail_trace_site, module, 56, 16);
HOOKRAIL_HAS_FIELD(hookrail_trace_site, file, 72, 16);
HOOKRAIL_HAS_FIELD(hookrail_trace_site, fields, 88, 8);
HOOKRAIL_HAS_FIELD(hookrail_trace_site, field_count, 96, 8);
HOOKRAIL_HAS_SIZE(hookrail_trace_table, 24);
HOOKRAIL_HAS_FIELD(hookrail_trace_table, size, 0, 4);
HOOKRAIL_HAS_FIELD(hookrail_trace_table, bind, 8, 8);
HOOKRAIL_HAS_FIELD(hookrail_trace_table, set_level, 16, 8);
HOOKRAIL_HAS_SIZE(hookrail_trace_value, 32);
HOOKRAIL_HAS_FIELD(hookrail_trace_value, field, 0, 4);
HOOKRAIL_HAS_FIELD(hookrail_trace_value, kind, 4, 4);
HOOKRAIL_HAS_FIELD(hookrail_trace_value, number, 8, 8);
HOOKRAIL_HAS_FIELD(hookrail_trace_value, text, 16, 16);
HOOKRAIL_HAS_SIZE(hookrail_unit_event, 48);
HOOKRAIL_HAS_FIELD(hookrail_unit_event, size, 0, 4);
HOOKRAIL_HAS_FIELD(hookrail_unit_event, kind, 4, 4);
HOOKRAIL_HAS_FIELD(hookrail_unit_event, run, 8, 8);
HOOKRAIL_HAS_FIELD(hookrail_unit_event, order, 16, 8);
HOOKRAIL_HAS_FIELD(hookrail_unit_event, what, 24, 4);
HOOKRAIL_HAS_FIELD(hookrail_unit_event, status, 28, 4);
HOOKRAIL_HAS_FIELD(hookrail_unit_event, signal, 32, 4);
HOOKRAIL_HAS_FIELD(hookrail_unit_event, input, 36, 4);
HOOKRAIL_HAS_FIELD(hookrail_unit_event, output, 40, 4);
HOOKRAIL_HAS_FIELD(hookrail_unit_event, reserved, 44, 4);
HOOKRAIL_HAS_SIZE(hookrail_unit_service, 64);
HOOKRAIL_HAS_FIELD(hookrail_unit_service, size, 0, 4);
HOOKRAIL_HAS_FIELD(hookrail_unit_service, start, 8, 8);
HOOKRAIL_HAS_FIELD(hookrail_unit_service, next, 16, 8);
HOOKRAIL_HAS_FIELD(hookrail_unit_service, watch, 24, 8);
HOOKRAIL_HAS_FIELD(hookrail_unit_service, say, 32, 8);
HOOKRAIL_HAS_FIELD(hookrail_unit_service, signal, 40, 8);
HOOKRAIL_HAS_FIELD(hookrail_unit_service, state, 48, 8);
HOOKRAIL_HAS_FIELD(hookrail_unit_service, end, 56, 8);
HOOKRAIL_HAS_SIZE(hookrail_unit_spec, 128);
HOOKRAIL_HAS_FIELD(hookrail_unit_spec, size, 0, 4);
HOOKRAIL_HAS_FIELD(hookrail_unit_spec, restarts, 4, 4);
HOOKRAIL_HAS_FIELD(hookrail_unit_spec, name, 8, 16);
HOOKRAIL_HAS_FIELD(hookrail_unit_spec, program, 24, 16);
HOOKRAIL_HAS_FIELD(hookrail_unit_spec, arguments, 40, 8);
HOOKRAIL_HAS_FIELD(hookrail_unit_spec, argument_count, 48, 8);
HOOKRAIL_HAS_FIELD(hookrail_unit_spec, environment, 56, 8);
HOOKRAIL_HAS_FIELD(hookrail_unit_spec, environment_count, 64, 8);
HOOKRAIL_HAS_FIELD(hookrail_unit_spec, directory, 72, 16);
HOOKRAIL_HAS_FIELD(hookrail_unit_spec, ready_ns, 88, 8);
HOOKRAIL_HAS_FIELD(hookrail_unit_spec, order_ns, 96, 8);
HOOKRAIL_HAS_FIELD(hookrail_unit_spec, shutdown_ns, 104, 8);
HOOKRAIL_HAS_FIELD(hookrail_unit_spec, pong_ns, 112, 8);
HOOKRAIL_HAS_FIELD(hookrail_unit_spec, ping_every_ns, 120, 8);
HOOKRAIL_HAS_SIZE(hookrail_unit_status, 24);
HOOKRAIL_HAS_FIELD(hookrail_unit_status, size, 0, 4);
HOOKRAIL_HAS_FIELD(hookrail_unit_status, state, 4, 4);
HOOKRAIL_HAS_FIELD(hookrail_unit_status, pid, 8, 4);
HOOKRAIL_HAS_FIELD(hookrail_unit_status, reserved, 12, 4);
HOOKRAIL_HAS_FIELD(hookrail_unit_status, restarts, 16, 8);
HOOKRAIL_HAS_SIZE(hookrail_unload_service, 56);
HOOKRAIL_HAS_FIELD(hookrail_unload_service, size, 0, 4);
HOOKRAIL_HAS_FIELD(hookrail_unload_service, at_thread_exit, 8, 8);
HOOKRAIL_HAS_FIELD(hookrail_unload_service, key_create, 16, 8);
HOOKRAIL_HAS_FIELD(hookrail_unload_service, key_delete, 24, 8);
HOOKRAIL_HAS_FIELD(hookrail_unload_service, set_specific, 32, 8);
HOOKRAIL_HAS_FIELD(hookrail_unload_service, thread_create, 40, 8);
HOOKRAIL_HAS_FIELD(hookrail_unload_service, keep, 48, 8);
HOOKRAIL_HAS_SIZE(hookrail_unload_table, 24);
HOOKRAIL_HAS_FIELD(hookrail_unload_table, size, 0, 4);
HOOKRAIL_HAS_FIELD(hookrail_unload_table, bind, 8, 8);
HOOKRAIL_HAS_FIELD(hookrail_unload_table, probe, 16, 8);
HOOKRAIL_HAS_SIZE(hookrail_writable_config_service, 32);
HOOKRAIL_HAS_FIELD(hookrail_writable_config_service, size, 0, 4);
HOOKRAIL_HAS_FIELD(hookrail_writable_config_service, read, 8, 8);
HOOKRAIL_HAS_FIELD(hookrail_writable_config_service, stored, 16, 8);
HOOKRAIL_HAS_FIELD(hookrail_writable_config_service, write, 24, 8);

/* A plugin: its name, its version, and its list of hooks; then, where the defaults do not fit,
   HOOKRAIL_INSTANCES, HOOKRAIL_CAPABILITIES, HOOKRAIL_ISOLATION and HOOKRAIL_ENDPOINTS. Once per library,
   at file scope, after the callbacks:

     #define HOOKS(HOOK) \
       HOOK(HOOKRAIL_MESSAGE_PUBLISH, mask, 900, HOOKRAIL_EFFECTS_PURE, HOOKRAIL_ON_FAULT_AS_POINT) \
       HOOK(HOOKRAIL_MESSAGE_DELIVERED, count, -5, HOOKRAIL_EFFECTS_LOCAL, HOOKRAIL_ON_FAULT_OPEN)

     HOOKRAIL_PLUGIN("mask", "1.0.0", HOOKS);

   The columns of a hook:
   - the point, by the macro that is its name; macros with _REVISION and _FINGERPRINT complete it;
   - the callback: a `hookrail_raw_callback`, whose name is also that of the callback;
   - the priority: a decimal number, or a macro for one, other than 1000. Callbacks below 1000 run before
     the host's own, those above run after. There is no default;
   - what the callback touches besides its payload: a HOOKRAIL_EFFECTS constant;
   - what its fault means: a HOOKRAIL_ON_FAULT constant.

   The macro writes the note, which the host reads before any code of the library runs, and defines
   `hookrail_register_hooks`. Both come from the one list, so they cannot differ. */
#define HOOKRAIL_PLUGIN(name, version, ...) HOOKRAIL_PLUGIN_OF(name, version, __VA_ARGS__, "abi": HOOKRAIL_ABI)

// How many instances the host may create: "many", which is the default, or "one".
#define HOOKRAIL_INSTANCES(number) "instances": number

// What the plugin asks the operator to grant: HOOKRAIL_CAPABILITIES("net.connect:db:5432", "env:TZ").
#define HOOKRAIL_CAPABILITIES(...) "capabilities": [__VA_ARGS__]

// Where the plugin wants to run: "in-process" or "worker".
#define HOOKRAIL_ISOLATION(place) "isolation": place

// The sources and sinks of the plugin, whose functions are those of `hookrail_stream_table`. Each has a name
// and a guarantee, "at-least-once" or "at-most-once":
//
//     HOOKRAIL_ENDPOINTS(HOOKRAIL_SOURCE("clock", "at-most-once"), HOOKRAIL_SINK("file", "at-least-once"))
#define HOOKRAIL_ENDPOINTS(...) "endpoints": [__VA_ARGS__]
#define HOOKRAIL_SINK(name, guarantee) {"kind": "sink", "name": name, "guarantee": guarantee}
#define HOOKRAIL_SOURCE(name, guarantee) {"kind": "source", "name": name, "guarantee": guarantee}

// The points that the plugin dispatches itself, by the service `dispatch/1`:
//
//     HOOKRAIL_FIRES(HOOKRAIL_FIRED(HOOKRAIL_MESSAGE_PUBLISH))
#define HOOKRAIL_FIRES(...) "fires": [__VA_ARGS__]
#define HOOKRAIL_FIRED(point) {"point": point, "revision": point##_REVISION}

// A `hookrail_dispatch_spec` for one of them: HOOKRAIL_DISPATCH_SPEC(HOOKRAIL_MESSAGE_PUBLISH).
#define HOOKRAIL_DISPATCH_SPEC(point)                                                      \
  {                                                                                        \
    sizeof(hookrail_dispatch_spec), point##_REVISION, hookrail_str_of(point), point##_FINGERPRINT, NULL, NULL \
  }

// The functions of a plugin, in the order of `hookrail_entry`. Once per library, at file scope, after
// them:
//
//     HOOKRAIL_ENTRY(create, start, stop, destroy, query);
//
// It defines `hookrail_plugin_v1` and `hookrail_host`. In place of a function that would do nothing of
// its own, name `hookrail_no_instance`, `hookrail_register_hooks`, `hookrail_nothing` (as `stop` or
// `destroy`) or `hookrail_no_table`.
#define HOOKRAIL_ENTRY(create_, start_, stop_, destroy_, query_)                           \
  HOOKRAIL_CHECK_ENTRY(create_, create, "uint32_t ",                                       \
    "(const hookrail_handle *, hookrail_str, hookrail_str, hookrail_instance **)");        \
  HOOKRAIL_CHECK_ENTRY(start_, start, "uint32_t ", "(hookrail_instance *, hookrail_registrar *)");\
  HOOKRAIL_CHECK_ENTRY(stop_, stop, "uint32_t ", "(hookrail_instance *)");                 \
  HOOKRAIL_CHECK_ENTRY(destroy_, destroy, "uint32_t ", "(hookrail_instance *)");           \
  HOOKRAIL_CHECK_ENTRY(query_, query, "const void *", "(hookrail_str)");                   \
  const hookrail_host_table *hookrail_host;                                                \
  static uint32_t hookrail_attach(const hookrail_host_table *host)                         \
  {                                                                                        \
    hookrail_host = host;                                                                  \
    return 0;                                                                              \
  }                                                                                        \
  const hookrail_entry hookrail_plugin_v1 = {                                              \
    sizeof(hookrail_entry), HOOKRAIL_ABI_OLDEST, HOOKRAIL_ABI_VERSION, 0, HOOKRAIL_HEAP,   \
    hookrail_attach, HOOKRAIL_GUARD(create_), HOOKRAIL_GUARD(start_), HOOKRAIL_GUARD(stop_),\
    HOOKRAIL_GUARD(destroy_), HOOKRAIL_GUARD(query_)                                       \
  }

// A function with another signature would be called all the same, and crash the host: a C compiler only warns.
#ifdef __cplusplus
#define HOOKRAIL_CHECK_FUNCTION(function, type, result, parameters) HOOKRAIL_STATIC_ASSERT(true, "")
#define HOOKRAIL_CHECK_ENTRY(function, field, result, parameters) HOOKRAIL_STATIC_ASSERT(true, "")
#else
#define HOOKRAIL_CHECK_FUNCTION(function, type, result, parameters)                        \
  HOOKRAIL_STATIC_ASSERT(__builtin_types_compatible_p(__typeof__(&function), type),        \
    "`" #function "` has another signature here than: " result #function parameters)
#define HOOKRAIL_CHECK_ENTRY(function, field, result, parameters)                          \
  HOOKRAIL_CHECK_FUNCTION(function, __typeof__(((hookrail_entry *)0)->field), result, parameters)
#endif

// The `heap` of an entry. ISO C cannot convert a function pointer to a data pointer; every system that
// has dlopen can.
#define HOOKRAIL_HEAP                                                                      \
  {                                                                                        \
    __extension__ (const void *)malloc, __extension__ (const void *)calloc,                \
    __extension__ (const void *)realloc, __extension__ (const void *)free,                 \
    __extension__ (const void *)posix_memalign                                             \
  }

// The rest of HOOKRAIL_PLUGIN. The note is assembly, since nothing else can give a section the type
// NOTE.
#define HOOKRAIL_PLUGIN_OF(name, version, hooks, ...)                                      \
  HOOKRAIL_STATIC_ASSERT(sizeof("" name version) > 1, "the name and the version are string literals"); \
  hooks(HOOKRAIL_CHECK_HOOK)                                                               \
  uint32_t hookrail_register_hooks(hookrail_instance *instance, hookrail_registrar *registrar) \
  {                                                                                        \
    uint32_t failure = 0;                                                                  \
    (void)instance, (void)registrar;                                                       \
    hooks(HOOKRAIL_REGISTER_HOOK)                                                          \
    return failure;                                                                        \
  }                                                                                        \
  __asm__(".pushsection " HOOKRAIL_NOTE_SECTION ", \"a\", %note\n"                         \
          ".balign 4\n"                                                                    \
          ".long 9, 2f - 1f, 1\n"                                                          \
          ".ascii \"Hookrail\\0\\0\\0\\0\"\n"                                              \
          "1:\n"                                                                           \
          HOOKRAIL_NOTE_TEXT({"format": 1, "name": name, "version": version, __VA_ARGS__, "hooks": [) \
          hooks(HOOKRAIL_NOTE_HOOK)                                                        \
          HOOKRAIL_NOTE_TEXT(]})                                                           \
          "2: .balign 4\n"                                                                 \
          ".popsection\n")

// A hook in the note: the assembler puts a comma between it and the one before.
#define HOOKRAIL_NOTE_HOOK(point, callback, priority, effects, fault)                      \
  ".ifdef .Lhookrail_hook\n.ascii \", \"\n.endif\n.set .Lhookrail_hook, 1\n"               \
  HOOKRAIL_NOTE_TEXT({"point": point, "revision": point##_REVISION, "name": #callback, \
    "priority": priority, "effects": effects##_NAME})

// A line of assembly with JSON as it is, after its macros have been expanded.
#define HOOKRAIL_NOTE_TEXT(...) HOOKRAIL_NOTE_JSON(__VA_ARGS__)
#define HOOKRAIL_NOTE_JSON(...) HOOKRAIL_NOTE_LINE(#__VA_ARGS__)
#define HOOKRAIL_NOTE_LINE(text) ".ascii " #text "\n"

// What the compiler can tell is wrong with a hook.
#define HOOKRAIL_CHECK_HOOK(point, callback, priority, effects, fault)                     \
  HOOKRAIL_STATIC_ASSERT(effects##_IN_COLUMN_4, "the effects are a HOOKRAIL_EFFECTS constant"); \
  HOOKRAIL_STATIC_ASSERT(fault##_IN_COLUMN_5, "the fault policy is a HOOKRAIL_ON_FAULT constant"); \
  HOOKRAIL_CHECK_FUNCTION(callback, hookrail_raw_callback, "uint32_t ", "(void *ctx, void *payload)"); \
  HOOKRAIL_STATIC_ASSERT((priority) != 1000, "the priority of " #callback " is 1000, which belongs to the host");

// A constant in another column has no such companion, and so does not compile.
#define HOOKRAIL_EFFECTS_EXTERNAL_IN_COLUMN_4 1
#define HOOKRAIL_EFFECTS_LOCAL_IN_COLUMN_4 1
#define HOOKRAIL_EFFECTS_PURE_IN_COLUMN_4 1
#define HOOKRAIL_ON_FAULT_AS_POINT_IN_COLUMN_5 1
#define HOOKRAIL_ON_FAULT_CLOSED_IN_COLUMN_5 1
#define HOOKRAIL_ON_FAULT_OPEN_IN_COLUMN_5 1
#define HOOKRAIL_ON_FAULT_ROLLBACK_IN_COLUMN_5 1

// A hook in `hookrail_register_hooks`.
#define HOOKRAIL_REGISTER_HOOK(point, callback, priority, effects, fault)                  \
  if (failure == 0) {                                                                      \
    static const uint64_t fingerprint[2] = point##_FINGERPRINT;                            \
    failure = hookrail_register_hook(instance, registrar, point, point##_REVISION, fingerprint, \
      #callback, priority, effects, fault, HOOKRAIL_GUARD(callback));                      \
  }

#ifdef __cplusplus
extern "C" {
#else
// The system's headers do not declare it in strict C11.
extern int posix_memalign(void **out, size_t align, size_t size);
#endif

// The entry; HOOKRAIL_ENTRY defines it. The declaration gives it its linkage and makes it visible.
extern const hookrail_entry hookrail_plugin_v1 __attribute__((visibility("default")));

// The host's table, in every file of the plugin; HOOKRAIL_ENTRY defines it. Null until the host has
// attached the library.
extern const hookrail_host_table *hookrail_host __attribute__((visibility("hidden")));

// Registers every hook of HOOKRAIL_PLUGIN, with the instance as `ctx`: to be called from `start`, or to
// be used in its place. Returns 0 on success; on failure the host has been told.
uint32_t hookrail_register_hooks(hookrail_instance *instance, hookrail_registrar *registrar)
  __attribute__((visibility("hidden")));

// The `create` of a plugin whose instances have neither state nor configuration.
static inline uint32_t hookrail_no_instance(const hookrail_handle *handle, hookrail_str name, hookrail_str config, hookrail_instance **instance)
{
  (void)handle, (void)name, (void)config;
  *instance = NULL;
  return 0;
}

// The `stop` or `destroy` of a plugin that has nothing to do there.
static inline uint32_t hookrail_nothing(hookrail_instance *instance)
{
  (void)instance;
  return 0;
}

// The `query` of a plugin that has no tables.
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

// Registers one hook; HOOKRAIL_PLUGIN calls it.
static inline uint32_t hookrail_register_hook(
  hookrail_instance *instance, hookrail_registrar *registrar, const char *point, uint32_t revision,
  const uint64_t *fingerprint, const char *callback, int32_t priority, uint32_t effects, uint32_t fault,
  hookrail_raw_callback run)
{
  hookrail_registration record;
  memset(&record, 0, sizeof record);
  record.size = sizeof record;
  record.flags = HOOKRAIL_HAS_PRIORITY;
  record.point = hookrail_str_of(point);
  record.revision = revision;
  record.priority = priority;
  record.callback = hookrail_str_of(callback);
  record.effects = effects;
  record.fault = fault;
  record.run = run;
  record.ctx = instance;
  memcpy(record.fingerprint, fingerprint, sizeof record.fingerprint);
  return hookrail_host->register_callback(registrar, &record);
}

// The verdict that denies, with a code. Report the reason first.
static inline uint32_t hookrail_deny(uint16_t code)
{
  return HOOKRAIL_VERDICT_DENY | (uint32_t)code << 8;
}

// Empty bytes, or an empty text: all zeros.
static inline hookrail_bytes hookrail_bytes_empty(void)
{
  hookrail_bytes bytes;
  bytes.ptr = NULL;
  bytes.len = 0;
  bytes.capacity = 0;
  return bytes;
}

// Makes room for `more` elements of `size` bytes after the first `len`. Returns where the elements are
// now, or NULL if there is not enough memory; nothing has changed then.
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
  // While the capacity is 0, nothing is allocated.
  ptr = realloc(*capacity == 0 ? NULL : ptr, wanted * size);
  if (ptr != NULL) {
    *capacity = wanted;
  }
  return ptr;
}

// Appends `len` bytes, which must not be part of `bytes`. Returns false if there is not enough memory;
// nothing has changed then.
static inline bool hookrail_bytes_append(hookrail_bytes *bytes, const void *data, size_t len)
{
  void *ptr;
  if (len == 0) {
    return true;
  }
  ptr = hookrail_grow(bytes->ptr, bytes->len, &bytes->capacity, len, 1);
  if (ptr == NULL) {
    return false;
  }
  bytes->ptr = (uint8_t *)ptr;
  memcpy(bytes->ptr + bytes->len, data, len);
  bytes->len += len;
  return true;
}

// Replaces the content with `len` bytes, which must not be part of `bytes`. Returns false if there is not
// enough memory; `bytes` is empty then.
static inline bool hookrail_bytes_set(hookrail_bytes *bytes, const void *data, size_t len)
{
  bytes->len = 0;
  return hookrail_bytes_append(bytes, data, len);
}

// Frees bytes, or a text, that the plugin owns, and leaves them empty.
static inline void hookrail_bytes_free(hookrail_bytes *bytes)
{
  if (bytes->capacity > 0) {
    free(bytes->ptr);
  }
  *bytes = hookrail_bytes_empty();
}

// The same as `hookrail_bytes_append`, for a C string of UTF-8.
static inline bool hookrail_text_append(hookrail_text *text, const char *more)
{
  return hookrail_bytes_append(text, more, strlen(more));
}

// The same as `hookrail_bytes_set`, for a C string of UTF-8.
static inline bool hookrail_text_set(hookrail_text *text, const char *content)
{
  return hookrail_bytes_set(text, content, strlen(content));
}

// Whether a text equals a C string.
static inline bool hookrail_text_equals(const hookrail_text *text, const char *other)
{
  return text->len == strlen(other) && memcmp(text->ptr, other, text->len) == 0;
}

// An outcome that nothing was dispatched for yet.
static inline hookrail_dispatch_outcome hookrail_dispatch_outcome_empty(void)
{
  hookrail_dispatch_outcome outcome;
  outcome.size = sizeof outcome;
  outcome.decision = HOOKRAIL_VERDICT_CONTINUE;
  outcome.decided_by = hookrail_bytes_empty();
  outcome.reason = hookrail_bytes_empty();
  return outcome;
}

// Frees the texts of an outcome, and leaves it as it was before.
static inline void hookrail_dispatch_outcome_free(hookrail_dispatch_outcome *outcome)
{
  hookrail_bytes_free(&outcome->decided_by);
  hookrail_bytes_free(&outcome->reason);
  *outcome = hookrail_dispatch_outcome_empty();
}

// The value of the first header with that key, to read or edit; NULL if there is none.
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

// Appends a header, and keeps others with that key. Returns false if there is not enough memory; the
// headers are what they were then.
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

// Frees all that a message holds which the plugin owns, and leaves it empty.
static inline void hookrail_message_free(hookrail_message *message)
{
  hookrail_list_header *headers = &message->headers;
  size_t index;
  for (index = 0; index < headers->len; index++) {
    hookrail_bytes_free(&headers->ptr[index].key);
    hookrail_bytes_free(&headers->ptr[index].value);
  }
  if (headers->capacity > 0) {
    free(headers->ptr);
  }
  hookrail_bytes_free(&message->source);
  hookrail_bytes_free(&message->topic);
  hookrail_bytes_free(&message->body);
  memset(message, 0, sizeof *message);
}

// Sets the value of the first header with that key, or appends a header. Returns false if there is not
// enough memory.
static inline bool hookrail_message_set_header(hookrail_message *message, const char *key, const char *value)
{
  hookrail_text *present = hookrail_message_header(message, key);
  return present == NULL ? hookrail_message_add_header(message, key, value) : hookrail_text_set(present, value);
}

#ifdef __cplusplus
}
#endif

// A function that the host may call, in place of `function`: if an exception leaves `function`, its text
// is reported, and the call is a fault (callbacks) or a failure (functions of the entry and of tables).
// HOOKRAIL_PLUGIN and HOOKRAIL_ENTRY use it; use it for the functions of tables. In C, and in C++
// without exceptions, it is the function itself.
#ifdef __cpp_exceptions
#define HOOKRAIL_GUARD(function) hookrail_guarded<decltype(hookrail_plain(&function)), &function>::call

namespace {

// The type of a pointer to a function, without `noexcept`.
template <typename Result, typename... Arguments>
Result (*hookrail_plain(Result (*)(Arguments...)))(Arguments...);

// What an exception becomes: a failure or, where a pointer is expected, null.
template <typename Result, typename... Arguments>
struct hookrail_thrown {
  enum : uint32_t { report = HOOKRAIL_REPORT_ERROR };
  static Result result() { return Result(); }
};

template <typename... Arguments>
struct hookrail_thrown<uint32_t, Arguments...> {
  enum : uint32_t { report = HOOKRAIL_REPORT_ERROR };
  static uint32_t result() { return 1; }
};

// In a callback it becomes a fault.
template <>
struct hookrail_thrown<uint32_t, void *, void *> {
  enum : uint32_t { report = HOOKRAIL_REPORT_FAULT };
  static uint32_t result() { return HOOKRAIL_VERDICT_FAULT; }
};

template <typename Function, Function function>
struct hookrail_guarded;

template <typename Result, typename... Arguments, Result (*function)(Arguments...)>
struct hookrail_guarded<Result (*)(Arguments...), function> {
  typedef hookrail_thrown<Result, Arguments...> thrown;

  static Result call(Arguments... arguments) noexcept
  {
    try {
      return function(arguments...);
    } catch (const std::exception &exception) {
      hookrail_host->report(thrown::report, hookrail_str_of(exception.what()));
    } catch (...) {
      hookrail_host->report(thrown::report, hookrail_str_of("an exception that is not a std::exception"));
    }
    return thrown::result();
  }
};

} // namespace
#else
#define HOOKRAIL_GUARD(function) function
#endif

#endif // HOOKRAIL_H
