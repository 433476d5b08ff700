//! The crate's structures as they lie in memory, which `hookrail.h` asserts of C's, and the numbers that both sides
//! mean alike.

use std::fmt::Write;
use std::mem::offset_of;
use std::process::Command;

use hookrail_abi::boundary::{
    ABI_OLDEST, ABI_VERSION, BUS_BLOCK, BUS_DROP_NEWEST, BUS_DROP_OLDEST, BUS_LATEST_PER_KEY, BusHeader, BusService,
    BusSpec, CONFIG_ANY_REVISION, CONFIG_BUSY, CONFIG_CHANGED, CONFIG_REFUSED, ConfigService, Context, DISPATCH_CLOSED,
    DISPATCH_FAILED, DISPATCH_OK, DISPATCH_TOO_DEEP, DirsService, DispatchOutcome, DispatchService, DispatchSpec,
    Entry, HEALTH_DEGRADED, Heap, HostTable, LifecycleTable, LogService, MemoryShard, MemoryTable, Metric,
    MetricsTable, PARENT_CURRENT, PARENT_NONE, READY_NOT_YET, Registration, ReloadTable, SITE_EVENT, SITE_SPAN,
    STREAM_CLOSED, STREAM_DEAD, STREAM_DELIVERED, STREAM_FOREVER, STREAM_NOTHING, STREAM_OK, STREAM_OWN_QUEUE,
    STREAM_RETRY, STREAM_SINK, STREAM_SOURCE, STREAM_TOO_DEEP, SavedState, SchemaTable, StateTable, Str, StreamIo,
    StreamMark, StreamTable, TracePanic, TraceService, TraceSite, TraceTable, TraceValue, UNIT_DONE, UNIT_ENDED,
    UNIT_ERROR, UNIT_FAILED, UNIT_FOREVER, UNIT_GONE, UNIT_HALT, UNIT_HALTED, UNIT_HAPPENED, UNIT_HAS_FAILED,
    UNIT_INIT, UNIT_NOT_READY, UNIT_NOTHING, UNIT_ORDER, UNIT_PING, UNIT_READY, UNIT_REFUSED, UNIT_RELOAD, UNIT_RESUME,
    UNIT_RUNNING, UNIT_SHUTDOWN, UNIT_STARTED, UNIT_STOPPED, UNIT_STOPPING, UNIT_UNWELL, UNIT_WAITING, UnitEvent,
    UnitService, UnitSpec, UnitStatus, UnloadService, UnloadTable, VALUE_BOOL, VALUE_FLOAT, VALUE_INTEGER, VALUE_SHOWN,
    VALUE_TEXT, VALUE_UNSIGNED, WritableConfigService, flags, registration,
};
use hookrail_abi::catalogue::{MessageDelivered, MessageDropped, MessagePublish};
use hookrail_abi::host::{Dir, Level, Report};
use hookrail_abi::verdict::raw;
use hookrail_abi::{Bytes, Dropped, Effects, Format, Header, List, Message, PayloadOps, Point};
use hookrail_tests::cc;

const HEADER: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../abi/include/hookrail.h"));

/// A structure by its name in C.
pub(super) struct Struct {
    pub(super) name: &'static str,
    pub(super) size: usize,
    pub(super) fields: Vec<Field>,
}

/// A field of it; the numbers are bytes.
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) offset: usize,
    pub(super) size: usize,
}

/// What Rust says of a structure. Fails to compile when a public field is missing from the list;
/// two dots stand for private ones.
macro_rules! rust {
    ($name:literal = $type:ident { $($field:ident),* $(; $rest:tt)? }) => {{
        let _ = |it: $type| { let $type { $($field: _,)* $($rest)? } = it; };
        let fields = vec![$(Field {
            name: stringify!($field),
            offset: offset_of!($type, $field),
            size: size_of_field(|it: &$type| &it.$field),
        }),*];
        Struct { name: $name, size: size_of::<$type>(), fields }
    }};
}

fn size_of_field<S, F>(_: fn(&S) -> &F) -> usize {
    size_of::<F>()
}

/// All of them.
pub(super) fn structs() -> Vec<Struct> {
    let mut message = rust!("hookrail_message" = Message { id, timestamp, flags, source, topic, headers, body; .. });
    message.fields.push(Field { name: "reserved", offset: message.size - 32, size: 32 });
    let mut dropped = rust!("hookrail_dropped" = Dropped { message, decided_by, code, reason, timestamp; .. });
    dropped.fields.insert(3, Field { name: "kind", offset: 188, size: 4 });
    dropped.fields.push(Field { name: "reserved", offset: dropped.size - 32, size: 32 });
    vec![
        list("hookrail_list_header", size_of::<List<Header>>()),
        list("hookrail_list_u8", size_of::<Bytes>()),
        message,
        rust!("hookrail_bus_header" = BusHeader { key, value }),
        rust!("hookrail_bus_service" = BusService { size, publish, subscribe, close }),
        rust!(
            "hookrail_bus_spec" =
                BusSpec { size, policy, name, key, topics, topic_count, headers, header_count, capacity }
        ),
        rust!("hookrail_config_service" = ConfigService { size, read }),
        rust!("hookrail_context" = Context { size, reserved, deadline_ns, trace, principal, node }),
        rust!("hookrail_dirs_service" = DirsService { size, path }),
        rust!("hookrail_dispatch_outcome" = DispatchOutcome { size, decision, decided_by, reason }),
        rust!("hookrail_dispatch_service" = DispatchService { size, point, is_hooked, run, close }),
        rust!("hookrail_dispatch_spec" = DispatchSpec { size, revision, point, fingerprint, layout, ops }),
        dropped,
        rust!(
            "hookrail_entry" =
                Entry { size, abi_min, abi_max, flags, heap, attach, create, start, stop, destroy, query }
        ),
        rust!("hookrail_header" = Header { key, value }),
        rust!("hookrail_heap" = Heap { malloc, calloc, realloc, free, posix_memalign }),
        rust!("hookrail_host_table" = HostTable { size, abi, report, register_callback, current, query }),
        rust!("hookrail_lifecycle_table" = LifecycleTable { size, ready, health, halt, resume, drain }),
        rust!("hookrail_log_service" = LogService { size, write }),
        rust!("hookrail_memory_shard" = MemoryShard { allocated, freed, allocations, frees, own }),
        rust!("hookrail_memory_table" = MemoryTable { size, count, shards }),
        rust!("hookrail_metric" = Metric { kind, reserved, name, help, unit, value }),
        rust!("hookrail_metrics_table" = MetricsTable { size, count, metrics }),
        rust!(
            "hookrail_payload_ops" = PayloadOps {
                size,
                version,
                payload_size,
                align,
                clone,
                assign,
                drop,
                encode,
                decode,
                redact,
                encode_into
            }
        ),
        rust!(
            "hookrail_registration" = Registration {
                size,
                flags,
                point,
                revision,
                priority,
                callback,
                form,
                effects,
                fault,
                reserved,
                budget_ns,
                predicate,
                run,
                ctx,
                ctx_drop,
                fingerprint,
                layout,
                ops
            }
        ),
        rust!("hookrail_reload_table" = ReloadTable { size, reload }),
        rust!("hookrail_saved_state" = SavedState { size, version, schema, bytes }),
        rust!("hookrail_schema_table" = SchemaTable { size, write }),
        rust!("hookrail_state_table" = StateTable { size, save, save_changes, restore, apply_changes }),
        rust!("hookrail_str" = Str { ptr, len }),
        rust!("hookrail_stream_io" = StreamIo { size, reserved, stream, send, marks, receive, answer, wait, watch }),
        rust!("hookrail_stream_mark" = StreamMark { key, value }),
        rust!("hookrail_stream_table" = StreamTable { size, accept, run, free, schema }),
        rust!("hookrail_trace_panic" = TracePanic { size, line, column, reserved, message, file, frames, frame_count }),
        rust!(
            "hookrail_trace_service" = TraceService {
                size,
                describe,
                enabled,
                event,
                log,
                span_open,
                span_record,
                span_follows,
                span_enter,
                span_exit,
                span_clone,
                span_drop,
                span_current,
                panicked,
                caught
            }
        ),
        rust!(
            "hookrail_trace_site" =
                TraceSite { size, kind, level, line, id, name, target, module, file, fields, field_count }
        ),
        rust!("hookrail_trace_table" = TraceTable { size, bind, set_level }),
        rust!("hookrail_trace_value" = TraceValue { field, kind, number, text }),
        rust!(
            "hookrail_unit_event" = UnitEvent { size, kind, run, order, what, status, signal, input, output, reserved }
        ),
        rust!("hookrail_unit_service" = UnitService { size, start, next, watch, say, signal, state, end }),
        rust!(
            "hookrail_unit_spec" = UnitSpec {
                size,
                restarts,
                name,
                program,
                arguments,
                argument_count,
                environment,
                environment_count,
                directory,
                ready_ns,
                order_ns,
                shutdown_ns,
                pong_ns,
                ping_every_ns
            }
        ),
        rust!("hookrail_unit_status" = UnitStatus { size, state, pid, reserved, restarts }),
        rust!(
            "hookrail_unload_service" =
                UnloadService { size, at_thread_exit, key_create, key_delete, set_specific, thread_create, keep }
        ),
        rust!("hookrail_unload_table" = UnloadTable { size, bind, probe }),
        rust!("hookrail_writable_config_service" = WritableConfigService { size, read, stored, write }),
    ]
}

/// The fields are private; a test in `abi/src/list.rs` holds Rust to the same.
fn list(name: &'static str, size: usize) -> Struct {
    let field = |name, offset| Field { name, offset, size: 8 };
    Struct { name, size, fields: vec![field("ptr", 0), field("len", 8), field("capacity", 16)] }
}

fn numbers() -> Vec<(&'static str, u64)> {
    let [delivered, dropped, publish] =
        [MessageDelivered::shape(), MessageDropped::shape(), MessagePublish::shape()].map(|shape| shape.fingerprint);
    let words = [
        ("HOOKRAIL_ABI_OLDEST", ABI_OLDEST),
        ("HOOKRAIL_ABI_VERSION", ABI_VERSION),
        ("HOOKRAIL_VERDICT_ALLOW", raw::ALLOW),
        ("HOOKRAIL_BUS_BLOCK", BUS_BLOCK),
        ("HOOKRAIL_BUS_DROP_NEWEST", BUS_DROP_NEWEST),
        ("HOOKRAIL_BUS_DROP_OLDEST", BUS_DROP_OLDEST),
        ("HOOKRAIL_BUS_LATEST_PER_KEY", BUS_LATEST_PER_KEY),
        ("HOOKRAIL_CONFIG_BUSY", CONFIG_BUSY),
        ("HOOKRAIL_CONFIG_CHANGED", CONFIG_CHANGED),
        ("HOOKRAIL_CONFIG_REFUSED", CONFIG_REFUSED),
        ("HOOKRAIL_VERDICT_CONTINUE", raw::CONTINUE),
        ("HOOKRAIL_VERDICT_DENY", raw::DENY),
        ("HOOKRAIL_DIR_DATA", Dir::Data as u32),
        ("HOOKRAIL_DIR_EPHEMERAL", Dir::Ephemeral as u32),
        ("HOOKRAIL_DIR_STATE", Dir::State as u32),
        ("HOOKRAIL_EFFECTS_EXTERNAL", Effects::External as u32),
        ("HOOKRAIL_EFFECTS_LOCAL", Effects::Local as u32),
        ("HOOKRAIL_EFFECTS_PURE", Effects::Pure as u32),
        ("HOOKRAIL_VERDICT_FAULT", raw::FAULT),
        ("HOOKRAIL_FORMAT_JSON", Format::Json as u32),
        ("HOOKRAIL_FORMAT_MESSAGE_PACK", Format::MessagePack as u32),
        ("HOOKRAIL_HAS_PRIORITY", registration::HAS_PRIORITY),
        ("HOOKRAIL_HEALTH_DEGRADED", HEALTH_DEGRADED),
        ("HOOKRAIL_LEVEL_ERROR", Level::Error as u32),
        ("HOOKRAIL_LEVEL_TRACE", Level::Trace as u32),
        ("HOOKRAIL_MESSAGE_DELIVERED_REVISION", MessageDelivered::REVISION),
        ("HOOKRAIL_MESSAGE_DROPPED_REVISION", MessageDropped::REVISION),
        ("HOOKRAIL_MESSAGE_PUBLISH_REVISION", MessagePublish::REVISION),
        ("HOOKRAIL_PANIC_ABORTS", flags::PANIC_ABORTS),
        ("HOOKRAIL_READY_NOT_YET", READY_NOT_YET),
        ("HOOKRAIL_REPORT_DENIED", Report::Denied as u32),
        ("HOOKRAIL_REPORT_ERROR", Report::Error as u32),
        ("HOOKRAIL_REPORT_FAULT", Report::Fault as u32),
        ("HOOKRAIL_SITE_EVENT", SITE_EVENT),
        ("HOOKRAIL_SITE_SPAN", SITE_SPAN),
        ("HOOKRAIL_VERDICT_SKIP", raw::SKIP),
        ("HOOKRAIL_STREAM_CLOSED", STREAM_CLOSED),
        ("HOOKRAIL_STREAM_DEAD", STREAM_DEAD),
        ("HOOKRAIL_STREAM_DELIVERED", STREAM_DELIVERED),
        ("HOOKRAIL_STREAM_NOTHING", STREAM_NOTHING),
        ("HOOKRAIL_STREAM_OK", STREAM_OK),
        ("HOOKRAIL_STREAM_OWN_QUEUE", STREAM_OWN_QUEUE),
        ("HOOKRAIL_STREAM_RETRY", STREAM_RETRY),
        ("HOOKRAIL_STREAM_SINK", STREAM_SINK),
        ("HOOKRAIL_STREAM_SOURCE", STREAM_SOURCE),
        ("HOOKRAIL_STREAM_TOO_DEEP", STREAM_TOO_DEEP),
        ("HOOKRAIL_DISPATCH_CLOSED", DISPATCH_CLOSED),
        ("HOOKRAIL_DISPATCH_FAILED", DISPATCH_FAILED),
        ("HOOKRAIL_DISPATCH_OK", DISPATCH_OK),
        ("HOOKRAIL_DISPATCH_TOO_DEEP", DISPATCH_TOO_DEEP),
        ("HOOKRAIL_VALUE_BOOL", VALUE_BOOL),
        ("HOOKRAIL_VALUE_FLOAT", VALUE_FLOAT),
        ("HOOKRAIL_VALUE_INTEGER", VALUE_INTEGER),
        ("HOOKRAIL_VALUE_SHOWN", VALUE_SHOWN),
        ("HOOKRAIL_VALUE_TEXT", VALUE_TEXT),
        ("HOOKRAIL_VALUE_UNSIGNED", VALUE_UNSIGNED),
        ("HOOKRAIL_UNIT_DONE", UNIT_DONE),
        ("HOOKRAIL_UNIT_ENDED", UNIT_ENDED),
        ("HOOKRAIL_UNIT_ERROR", UNIT_ERROR),
        ("HOOKRAIL_UNIT_FAILED", UNIT_FAILED),
        ("HOOKRAIL_UNIT_GONE", UNIT_GONE),
        ("HOOKRAIL_UNIT_HALT", UNIT_HALT),
        ("HOOKRAIL_UNIT_HALTED", UNIT_HALTED),
        ("HOOKRAIL_UNIT_HAPPENED", UNIT_HAPPENED),
        ("HOOKRAIL_UNIT_HAS_FAILED", UNIT_HAS_FAILED),
        ("HOOKRAIL_UNIT_INIT", UNIT_INIT),
        ("HOOKRAIL_UNIT_NOTHING", UNIT_NOTHING),
        ("HOOKRAIL_UNIT_NOT_READY", UNIT_NOT_READY),
        ("HOOKRAIL_UNIT_ORDER", UNIT_ORDER),
        ("HOOKRAIL_UNIT_PING", UNIT_PING),
        ("HOOKRAIL_UNIT_READY", UNIT_READY),
        ("HOOKRAIL_UNIT_REFUSED", UNIT_REFUSED),
        ("HOOKRAIL_UNIT_RELOAD", UNIT_RELOAD),
        ("HOOKRAIL_UNIT_RESUME", UNIT_RESUME),
        ("HOOKRAIL_UNIT_RUNNING", UNIT_RUNNING),
        ("HOOKRAIL_UNIT_SHUTDOWN", UNIT_SHUTDOWN),
        ("HOOKRAIL_UNIT_STARTED", UNIT_STARTED),
        ("HOOKRAIL_UNIT_STOPPED", UNIT_STOPPED),
        ("HOOKRAIL_UNIT_STOPPING", UNIT_STOPPING),
        ("HOOKRAIL_UNIT_UNWELL", UNIT_UNWELL),
        ("HOOKRAIL_UNIT_WAITING", UNIT_WAITING),
    ];
    let long = [
        ("HOOKRAIL_CONFIG_ANY_REVISION", CONFIG_ANY_REVISION),
        ("HOOKRAIL_PARENT_CURRENT", PARENT_CURRENT),
        ("HOOKRAIL_PARENT_NONE", PARENT_NONE),
        ("HOOKRAIL_STREAM_FOREVER", STREAM_FOREVER),
        ("HOOKRAIL_UNIT_FOREVER", UNIT_FOREVER),
        ("((const uint64_t[])HOOKRAIL_MESSAGE_DELIVERED_FINGERPRINT)[0]", delivered[0]),
        ("((const uint64_t[])HOOKRAIL_MESSAGE_DELIVERED_FINGERPRINT)[1]", delivered[1]),
        ("((const uint64_t[])HOOKRAIL_MESSAGE_DROPPED_FINGERPRINT)[0]", dropped[0]),
        ("((const uint64_t[])HOOKRAIL_MESSAGE_DROPPED_FINGERPRINT)[1]", dropped[1]),
        ("((const uint64_t[])HOOKRAIL_MESSAGE_PUBLISH_FINGERPRINT)[0]", publish[0]),
        ("((const uint64_t[])HOOKRAIL_MESSAGE_PUBLISH_FINGERPRINT)[1]", publish[1]),
    ];
    words.map(|(name, number)| (name, u64::from(number))).into_iter().chain(long).collect()
}

/// Numbers of the C compiler beside ours, one line each: a program that prints, what it shall print.
#[derive(Default)]
struct Comparison {
    program: String,
    expected: String,
}

impl Comparison {
    fn add(&mut self, expression: &str, expected: u64) {
        writeln!(self.program, "  printf(\"%s = %\" PRIu64 \"\\n\", {expression:?}, (uint64_t)({expression}));")
            .unwrap();
        writeln!(self.expected, "{expression} = {expected}").unwrap();
    }

    fn check(self, name: &str) {
        let source = format!("{}/{name}.c", env!("CARGO_TARGET_TMPDIR"));
        let program = format!(
            "#include <hookrail.h>\n#include <inttypes.h>\n#include <stdio.h>\n\nint main(void)\n{{\n{}}}\n",
            self.program
        );
        std::fs::write(&source, program).unwrap();
        let printed = Command::new(cc::compile(cc::STRICT_C, &source, &[], name)).output().unwrap();
        assert_eq!(String::from_utf8(printed.stdout).unwrap(), self.expected, "left: the C compiler, right: Rust");
    }
}

#[test]
fn no_structure_of_the_header_is_left_unchecked() {
    let ends = HEADER.lines().filter_map(|line| line.strip_prefix("} ")?.strip_suffix(';'));
    let mut in_header: Vec<&str> = ends.collect();
    let mut checked: Vec<&str> = structs().iter().map(|it| it.name).collect();
    in_header.sort_unstable();
    checked.sort_unstable();
    assert_eq!(in_header, checked);
}

#[test]
fn c_and_rust_mean_the_same_numbers() {
    let mut comparison = Comparison::default();
    for (expression, number) in numbers() {
        comparison.add(expression, number);
    }
    comparison.check("c_numbers");
}
