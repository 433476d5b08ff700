//! Operations on a payload whose type is not known: cloning, restoring, encoding, masking.

mod owned;

use std::ffi::c_void;
use std::fmt::Write;
use std::io;
use std::ptr::copy_nonoverlapping;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use owned::Payload;

use crate::{Bytes, Text};

/// How a payload is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Format {
    /// For machines: MessagePack with field names; secrets in the clear.
    MessagePack = 0,
    /// For people: JSON; secrets masked.
    Json = 1,
}

/// Operations on the payload of one point, so that a worker, a recorder or a bridge can handle a payload whose type it
/// was not compiled with.
///
/// All functions are thread-safe. Those that return a `u32` return 0 on success. The last four are null for a `LOCAL`
/// point.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct PayloadOps {
    /// Size of this structure in bytes.
    pub size: u32,
    /// [`PAYLOAD_OPS_VERSION`]: raised when what a function does changes.
    pub version: u32,
    /// Size of the payload in bytes.
    pub payload_size: usize,
    /// Alignment of the payload in bytes.
    pub align: usize,
    /// Writes a copy of `from` to the uninitialised `to`.
    pub clone: unsafe extern "C" fn(from: *const c_void, to: *mut c_void),
    /// Makes the initialised `to` equal to `from`, reusing its memory.
    pub assign: unsafe extern "C" fn(from: *const c_void, to: *mut c_void),
    /// Drops the payload in place.
    pub drop: unsafe extern "C" fn(payload: *mut c_void),
    /// Appends the payload to `out` in a [`Format`].
    pub encode: Option<unsafe extern "C" fn(payload: *const c_void, format: u32, out: *mut Bytes) -> u32>,
    /// Reads a payload from `len` bytes at `bytes`, which may be null if `len` is 0, into the uninitialised `to`; on
    /// failure writes what is wrong to `error`.
    pub decode: Option<
        unsafe extern "C" fn(bytes: *const u8, len: usize, format: u32, to: *mut c_void, error: *mut Text) -> u32,
    >,
    /// Masks the payload's secrets in place.
    pub redact: Option<unsafe extern "C" fn(payload: *mut c_void) -> u32>,
    /// Writes the payload in a [`Format`] to `room` bytes at `to`, without allocating. Returns how many bytes it takes:
    /// if that is more than `room`, what was written is of no use. Returns `SIZE_MAX` on failure.
    pub encode_into:
        Option<unsafe extern "C" fn(payload: *const c_void, format: u32, to: *mut u8, room: usize) -> usize>,
}

/// The version of the payload operations in this crate.
pub const PAYLOAD_OPS_VERSION: u32 = 1;

impl PayloadOps {
    /// The operations of a payload that can be encoded and decoded.
    pub const fn portable<T: Clone + Serialize + DeserializeOwned>() -> Self {
        PayloadOps {
            encode: Some(encode::<T>),
            decode: Some(decode::<T>),
            redact: Some(redact::<T>),
            encode_into: Some(encode_into::<T>),
            ..PayloadOps::local::<T>()
        }
    }

    /// The operations of a payload that never leaves this process.
    pub const fn local<T: Clone>() -> Self {
        PayloadOps {
            size: size_of::<PayloadOps>() as u32,
            version: PAYLOAD_OPS_VERSION,
            payload_size: size_of::<T>(),
            align: align_of::<T>(),
            clone: clone::<T>,
            assign: assign::<T>,
            drop: drop::<T>,
            encode: None,
            decode: None,
            redact: None,
            encode_into: None,
        }
    }
}

/// # Safety
/// `from` points to a valid `T`, and `to` to aligned room for one.
unsafe extern "C" fn clone<T: Clone>(from: *const c_void, to: *mut c_void) {
    // SAFETY: the caller passes a valid payload and aligned room for another.
    unsafe { to.cast::<T>().write((*from.cast::<T>()).clone()) }
}

/// # Safety
/// Both point to a valid `T`; nobody else uses `to` during the call.
unsafe extern "C" fn assign<T: Clone>(from: *const c_void, to: *mut c_void) {
    // SAFETY: the caller passes two valid payloads, the second one exclusively.
    unsafe { (*to.cast::<T>()).clone_from(&*from.cast()) }
}

/// # Safety
/// `payload` points to a valid `T`, which nobody uses again.
unsafe extern "C" fn drop<T>(payload: *mut c_void) {
    // SAFETY: the caller passes a valid payload and does not use it again.
    unsafe { payload.cast::<T>().drop_in_place() }
}

/// # Safety
/// `payload` points to a valid `T`, and `out` to bytes that nobody else uses during the call.
unsafe extern "C" fn encode<T: Serialize>(payload: *const c_void, format: u32, out: *mut Bytes) -> u32 {
    // SAFETY: the caller passes a valid payload and valid bytes, the latter exclusively.
    let (payload, out) = unsafe { (&*payload.cast::<T>(), &mut *out) };
    let mut bytes = Vec::new();
    if write(payload, format, &mut bytes) {
        out.extend_from_slice(&bytes);
        0
    } else {
        1
    }
}

/// # Safety
/// `payload` points to a valid `T`, and `to` to `room` writable bytes that nobody else uses during the call.
unsafe extern "C" fn encode_into<T: Serialize>(payload: *const c_void, format: u32, to: *mut u8, room: usize) -> usize {
    // SAFETY: the caller passes a valid payload.
    let payload = unsafe { &*payload.cast::<T>() };
    let mut room = Room { to, left: room, taken: 0 };
    if write(payload, format, &mut room) { room.taken } else { usize::MAX }
}

/// Writes a payload in a [`Format`], and returns whether that succeeded.
fn write<T: Serialize>(payload: &T, format: u32, out: &mut impl io::Write) -> bool {
    if format == Format::Json as u32 {
        serde_json::to_writer(out, payload).is_ok()
    } else {
        rmp_serde::encode::write_named(out, payload).is_ok()
    }
}

/// A caller's memory as a writer, which goes on counting when it is full.
///
/// # Invariants
/// `left` bytes at `to` are writable, and nobody else uses them.
struct Room {
    to: *mut u8,
    left: usize,
    /// How many bytes were written or would have been.
    taken: usize,
}

impl io::Write for Room {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let fitting = bytes.len().min(self.left);
        // SAFETY: by the type invariant `left` bytes at `to` are writable and nobody else's, and `fitting` is no more.
        unsafe {
            copy_nonoverlapping(bytes.as_ptr(), self.to, fitting);
            self.to = self.to.add(fitting);
        }
        // INVARIANT: so many fewer are left behind the new `to`.
        self.left -= fitting;
        self.taken += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// # Safety
/// `len` is 0, or `len` bytes at `bytes` are readable. `to` is aligned room for a `T`, and `error` points to a
/// text that nobody else uses during the call.
unsafe extern "C" fn decode<T: DeserializeOwned>(
    bytes: *const u8,
    len: usize,
    format: u32,
    to: *mut c_void,
    error: *mut Text,
) -> u32 {
    let bytes = match len {
        0 => &[],
        // SAFETY: the caller passes as many readable bytes, so the pointer is not null.
        _ => unsafe { std::slice::from_raw_parts(bytes, len) },
    };
    let read = if format == Format::Json as u32 {
        serde_json::from_slice(bytes).map_err(|error| error.to_string())
    } else {
        rmp_serde::from_slice(bytes).map_err(|error| error.to_string())
    };
    match read {
        Ok(payload) => {
            // SAFETY: the caller passes aligned room for a payload.
            unsafe { to.cast::<T>().write(payload) };
            0
        }
        Err(what) => {
            // SAFETY: the caller passes a valid text, exclusively.
            let _ = unsafe { &mut *error }.write_str(&what);
            1
        }
    }
}

/// Through JSON, which masks secrets: one rule for what a secret is.
///
/// # Safety
/// `payload` points to a valid `T` that nobody else uses during the call.
unsafe extern "C" fn redact<T: Serialize + DeserializeOwned>(payload: *mut c_void) -> u32 {
    // SAFETY: the caller passes a valid payload, exclusively.
    let payload = unsafe { &mut *payload.cast::<T>() };
    let masked = serde_json::to_vec(payload).ok().and_then(|json| serde_json::from_slice(&json).ok());
    match masked {
        Some(masked) => {
            *payload = masked;
            0
        }
        None => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Message, Point, catalogue::MessagePublish};

    #[test]
    fn encoding_into_room_of_the_caller_yields_the_same_bytes_and_never_more_than_there_is_room() {
        let message = Message::new("a.topic", "a body");
        let (ops, payload) = (MessagePublish::ops(), std::ptr::from_ref(&message).cast());
        for format in [Format::MessagePack as u32, Format::Json as u32] {
            let mut bytes = Bytes::new();
            // SAFETY: a payload of these operations, and bytes that are ours.
            assert_eq!(unsafe { ops.encode.unwrap()(payload, format, &mut bytes) }, 0);
            for room in [0, 1, bytes.len() - 1, bytes.len(), bytes.len() + 1] {
                let mut buffer = vec![0xaa; room + 8];
                // SAFETY: a payload of these operations, and `room` bytes that are ours.
                let needed = unsafe { ops.encode_into.unwrap()(payload, format, buffer.as_mut_ptr(), room) };
                assert_eq!(needed, bytes.len());
                let written = room.min(needed);
                assert_eq!(buffer[..written], bytes[..written]);
                assert!(buffer[room..].iter().all(|byte| *byte == 0xaa), "it wrote behind the room");
            }
        }
    }

    #[test]
    fn nothing_is_decoded_from_null() {
        let (mut to, mut error) = (Message::empty(), Text::new());
        let decode = MessagePublish::ops().decode.unwrap();
        // SAFETY: no bytes, room for a message, which is not written, and a text that is ours.
        let failed = unsafe { decode(std::ptr::null(), 0, 0, std::ptr::from_mut(&mut to).cast(), &mut error) };
        assert!(failed == 1 && !error.is_empty());
    }
}
