//! Publishing and subscribing, for any plugin.

use super::{Handle, Str, StreamIo};
use crate::Text;

/// What a subscription wants, and how it waits. Copied before `subscribe` returns.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct BusSpec {
    /// Size of this structure in bytes.
    pub size: u32,
    /// What happens to a message for which there is no room: [`BUS_DROP_OLDEST`], [`BUS_DROP_NEWEST`], [`BUS_BLOCK`] or
    /// [`BUS_LATEST_PER_KEY`].
    pub policy: u32,
    /// Its name, unique among the subscriptions of the instance: 128 bytes at most, of letters, digits, `-`, `_`, `.` and
    /// `:`.
    pub name: Str,
    /// For [`BUS_LATEST_PER_KEY`]: the header whose value is the key; empty for the topic.
    pub key: Str,
    /// The topics, as patterns: `*` is any token, a last `>` all that follow.
    pub topics: *const Str,
    /// How many there are, 256 at most; 0 for all topics.
    pub topic_count: usize,
    /// The headers that a message must have, all of them.
    pub headers: *const BusHeader,
    /// How many there are, 64 at most.
    pub header_count: usize,
    /// How many messages wait at most, those included that were taken and not answered for; 0 for the host's default.
    pub capacity: u64,
}

/// A header that a message must have, with this value.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct BusHeader {
    /// Its key.
    pub key: Str,
    /// Its value.
    pub value: Str,
}

/// Service `bus/1`: messages from any plugin of a host to any other.
///
/// `publish` and `subscribe` write a table of functions to `io`, which has the size that it states, and an id to `id`; they
/// return 0 on success, else 1, and have appended the reason to `why`, in one line. The functions are those of an
/// endpoint, and may be called until `close`, by any thread, by one at a time. When the instance is stopped they return
/// [`STREAM_CLOSED`](super::STREAM_CLOSED), and wake who waits; what was received can still be answered for. Any thread,
/// several at once; none of the three waits.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct BusService {
    /// Size of this structure in bytes.
    pub size: u32,
    /// Opens an end that publishes, by `send`, as a source does; there are no marks. `send` returns
    /// [`STREAM_TOO_DEEP`](super::STREAM_TOO_DEEP) if messages are being published on this thread too deep already. It waits
    /// only for subscriptions that block and want some of the messages, and for none from which this thread has received
    /// last: if the queue of that one is full, it returns [`STREAM_OWN_QUEUE`](super::STREAM_OWN_QUEUE), and takes nothing.
    pub publish: unsafe extern "C" fn(handle: *const Handle, io: *mut StreamIo, id: *mut u64, why: *mut Text) -> u32,
    /// Opens an end that receives, as a sink does. While another generation of the instance has a subscription of that
    /// name, nothing is received; then what that one has left comes first.
    pub subscribe: unsafe extern "C" fn(
        handle: *const Handle,
        spec: *const BusSpec,
        io: *mut StreamIo,
        id: *mut u64,
        why: *mut Text,
    ) -> u32,
    /// Closes an end, whose functions nobody calls any more. Returns 0, or 1 if there is none.
    pub close: unsafe extern "C" fn(handle: *const Handle, id: u64) -> u32,
}

/// The oldest message that waits is dropped.
pub const BUS_DROP_OLDEST: u32 = 0;
/// The message is dropped.
pub const BUS_DROP_NEWEST: u32 = 1;
/// Who publishes waits.
pub const BUS_BLOCK: u32 = 2;
/// The message takes the place of one with the same key; without one, the oldest is dropped.
pub const BUS_LATEST_PER_KEY: u32 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_are_those_of_the_first_version() {
        check_layout!(BusHeader, 32: key 0, value 16);
        check_layout!(BusService, 32: size 0, publish 8, subscribe 16, close 24);
        check_layout!(BusSpec, 80: size 0, policy 4, name 8, key 24, topics 40, topic_count 48, headers 56,
            header_count 64, capacity 72);
    }
}
