//! What makes the errors that have named fields.

use std::borrow::Cow;
use std::io;

use super::{Compiler, ConfigError, Error, Incompatible, Misbehaved};
use crate::constructors;

constructors! {
    Error:
    incompatible = PluginIncompatible(plugin: impl Into<String>, why: Incompatible),
    misbehaved = PluginMisbehaved(plugin: impl Into<String>, why: Misbehaved),
    system = System(what: impl Into<String>, cause: io::Error),
}

constructors! {
    ConfigError:
    in_file = InFile(place: impl Into<String>, error: ConfigError),
    invalid_value = InvalidValue(key: impl Into<String>, why: impl Into<String>),
    reserved_priority = ReservedPriority(point: impl Into<String>, callback: impl Into<String>, priority: i32),
    schema = Schema(instance: impl Into<String>, mistakes: Vec<String>),
}

constructors! {
    Incompatible:
    abi = Abi(plugin: impl Into<String>, host: impl Into<String>),
    too_small = TooSmall(what: impl Into<String>, size: usize, needed: usize),
    missing_function = MissingFunction(what: impl Into<String>, function: impl Into<String>),
    local_point = LocalPoint(point: impl Into<String>, callback: impl Into<String>),
    not_a_plugin = NotAPlugin(why: impl Into<String>, compiler: Compiler),
    note_disagrees = NoteDisagrees(field: impl Into<String>, note: impl Into<String>, code: impl Into<String>),
    note_format = NoteFormat(plugin: u32, host: u32),
    other_machine = OtherMachine(found: impl Into<String>, here: impl Into<Cow<'static, str>>),
    payload = Payload(point: impl Into<String>, difference: impl Into<String>),
    point_revision = PointRevision(point: impl Into<String>, plugin: u32, host: u32),
    state = State(
        instance: impl Into<String>,
        schema: impl Into<String>,
        version: u32,
        message: impl Into<String>,
    ),
    unknown_point = UnknownPoint(point: impl Into<String>, known: Option<String>),
}

constructors! {
    Misbehaved:
    asynchronous = Asynchronous(point: impl Into<String>, callback: impl Into<String>),
    duplicate_callback = DuplicateCallback(point: impl Into<String>, callback: impl Into<String>),
    failed = Failed(call: impl Into<Cow<'static, str>>, message: impl Into<String>),
    malformed = Malformed(point: impl Into<String>, callback: impl Into<String>, what: impl Into<String>),
    no_priority = NoPriority(point: impl Into<String>, callback: impl Into<String>),
    not_ready = NotReady(after: impl Into<String>, why: impl Into<String>),
    reserved_priority = ReservedPriority(point: impl Into<String>, callback: impl Into<String>, priority: i32),
    state_too_long = StateTooLong(call: impl Into<Cow<'static, str>>, bytes: usize, limit: usize),
    worker_ended = WorkerEnded(call: impl Into<Cow<'static, str>>, how: impl Into<String>),
    worker_late = WorkerLate(call: impl Into<Cow<'static, str>>, within: impl Into<String>),
    undeclared = Undeclared(point: impl Into<String>, callback: impl Into<String>),
}
