//! Sources and sinks: where the messages of a pipeline come from, and where they go.

use super::{Instance, Str};
use crate::{Header, List, Message, Text};

/// One use of a source or of a sink in a pipeline. Only the plugin looks into it; in C, the plugin may define the
/// structure.
#[derive(Debug)]
pub struct Endpoint {
    _private: [u8; 0],
}

/// The host's end of an endpoint. Only the host looks into it.
#[derive(Debug)]
pub struct Stream {
    _private: [u8; 0],
}

/// A plugin's table `stream/1`: its sources and sinks.
///
/// All four functions are present. Those that return a number return 0 on success; on failure an error has been reported.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct StreamTable {
    /// Size of this structure in bytes.
    pub size: u32,
    /// Makes one endpoint of a started instance: `kind` is [`STREAM_SOURCE`] or [`STREAM_SINK`], `name` one that the note
    /// declares, `config` the configuration of this use, as JSON. Starts nothing: an endpoint that is not run is freed.
    /// Any thread, several at once, also while callbacks run.
    pub accept: unsafe extern "C" fn(
        instance: *mut Instance,
        kind: u32,
        name: Str,
        config: Str,
        endpoint: *mut *mut Endpoint,
    ) -> u32,
    /// Does the work of an endpoint, on a thread that does nothing else, until it is done or `io` is closed. Called once
    /// at most. `io` is the endpoint's for this call, and may be used by any thread, by one at a time.
    pub run: unsafe extern "C" fn(endpoint: *mut Endpoint, io: *const StreamIo) -> u32,
    /// Frees an endpoint that is not running. Any thread.
    pub free: unsafe extern "C" fn(endpoint: *mut Endpoint) -> u32,
    /// Appends the JSON Schema of the configuration of an endpoint to `out`; nothing if it has none. Any thread.
    pub schema: unsafe extern "C" fn(kind: u32, name: Str, out: *mut Text) -> u32,
}

/// What an endpoint exchanges messages with. Each function takes `stream`. A function may be called within another one of
/// the same stream, on the same thread: `send`, for example, by a callback for the message that is being sent.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct StreamIo {
    /// Size of this structure in bytes.
    pub size: u32,
    /// Reserved; 0.
    pub reserved: u32,
    /// The host's end, for the functions.
    pub stream: *mut Stream,
    /// For a source: sends `count` messages. Each one is decided by the chain of `message.publish`; returns
    /// [`STREAM_OK`] when all of them were, and every queue that blocks has room for them. Then they are left empty, but
    /// may have memory, as all that a plugin owns: the source fills them again, or frees them. `mark`, unless it is null, is kept once these messages and all those before them are settled. [`STREAM_NOTHING`]
    /// if a queue had no room for `timeout_ns`, [`STREAM_CLOSED`] if the endpoint is to end: then none was taken.
    pub send: unsafe extern "C" fn(
        stream: *mut Stream,
        messages: *mut Message,
        count: usize,
        mark: *const StreamMark,
        timeout_ns: u64,
    ) -> u32,
    /// For a source: appends all marks that are kept, the key and the value of each.
    pub marks: unsafe extern "C" fn(stream: *mut Stream, marks: *mut List<Header>) -> u32,
    /// For a sink: waits for messages, `timeout_ns` at most, and then takes `most` at most: writes where their addresses
    /// stand, and how many they are. Those stand there until the next call of `receive`; the messages themselves stay, and
    /// are not changed, until they are answered for. [`STREAM_OK`]; [`STREAM_NOTHING`] if there was none in that time;
    /// [`STREAM_CLOSED`] if there will be none: then those that were taken are still to be answered for.
    pub receive: unsafe extern "C" fn(
        stream: *mut Stream,
        most: usize,
        timeout_ns: u64,
        messages: *mut *const *const Message,
        count: *mut usize,
    ) -> u32,
    /// For a sink: answers for messages that it has taken. [`STREAM_DELIVERED`]: the oldest `count` are. [`STREAM_DEAD`]:
    /// the oldest `count` never can be, and are dropped, for the reason `why`. [`STREAM_RETRY`]: all that were taken and
    /// not answered for are taken back, and given again, in their order, after a pause; `count` is not looked at. What is
    /// not answered for when `run` returns is given to the next endpoint. Returns how many were answered for.
    pub answer: unsafe extern "C" fn(stream: *mut Stream, count: usize, answer: u32, why: Str) -> usize,
    /// Waits until the endpoint is to end, `timeout_ns` at most. Returns [`STREAM_CLOSED`] if it is, else
    /// [`STREAM_NOTHING`].
    pub wait: unsafe extern "C" fn(stream: *mut Stream, timeout_ns: u64) -> u32,
    /// Returns a descriptor that is readable while a sink can receive without waiting, and once the endpoint is to end; or
    /// -1 if the system has none left. It belongs to the plugin, which closes it.
    pub watch: unsafe extern "C" fn(stream: *mut Stream) -> i32,
}

/// A place in the input of a source, which the host keeps: the newest `value` of each `key`. An empty value is forgotten,
/// and its key.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct StreamMark {
    /// What the place is in, a file for example; at most 1 KiB.
    pub key: Str,
    /// The place; at most 64 KiB.
    pub value: Str,
}

/// An endpoint from which messages come.
pub const STREAM_SOURCE: u32 = 1;
/// An endpoint that takes messages.
pub const STREAM_SINK: u32 = 2;

/// It is done.
pub const STREAM_OK: u32 = 0;
/// Nothing has happened in that time.
pub const STREAM_NOTHING: u32 = 1;
/// The endpoint is to end.
pub const STREAM_CLOSED: u32 = 2;

/// What is being done on this thread has published too deep already; only of the service `bus/1`.
pub const STREAM_TOO_DEEP: u32 = 3;
/// The queue of a subscription that blocks is full, and it is this thread that has received from it last: waiting for room
/// would never end. Only of the service `bus/1`.
pub const STREAM_OWN_QUEUE: u32 = 4;

/// The oldest messages are delivered.
pub const STREAM_DELIVERED: u32 = 1;
/// The oldest messages never can be delivered.
pub const STREAM_DEAD: u32 = 2;
/// All messages are to be given again.
pub const STREAM_RETRY: u32 = 3;

/// A time without end.
pub const STREAM_FOREVER: u64 = u64::MAX;
