//! Payloads by their operations, as MessagePack.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ffi::c_void;

use hookrail_abi::{Bytes, Format, PayloadOps, Text};

use crate::lane::{Area, Malformed};

const FORMAT: u32 = Format::MessagePack as u32;

/// Writes a payload to `room`, and returns how many bytes it takes, be they more than there are.
///
/// # Safety
/// `payload` points to a payload of these operations.
pub(super) unsafe fn encode_into(ops: &PayloadOps, payload: *const c_void, room: Area<'_>) -> Option<usize> {
    // SAFETY: by the invariant of an area its bytes are writable; the caller passes the payload.
    unsafe { write_to(ops, payload, room.as_mut_ptr(), room.len()) }
}

/// Replaces what a vector holds by an encoded payload.
///
/// # Safety
/// `payload` points to a payload of these operations.
pub(super) unsafe fn encode_to(ops: &PayloadOps, payload: *const c_void, to: &mut Vec<u8>) -> Option<()> {
    to.clear();
    // The second time there is room for what the first time needed.
    for _ in 0..2 {
        // SAFETY: so much is writable behind the start of an empty vector; the caller passes the payload.
        let len = unsafe { write_to(ops, payload, to.as_mut_ptr(), to.capacity()) }?;
        if len <= to.capacity() {
            // SAFETY: the operation has written as many bytes.
            unsafe { to.set_len(len) };
            return Some(());
        }
        to.try_reserve(len).ok()?;
    }
    None
}

/// # Safety
/// `payload` points to a payload of these operations, and `room` bytes at `to` are writable.
unsafe fn write_to(ops: &PayloadOps, payload: *const c_void, to: *mut u8, room: usize) -> Option<usize> {
    if let Some(encode_into) = ops.encode_into {
        // SAFETY: the caller passes all this.
        let len = unsafe { encode_into(payload, FORMAT, to, room) };
        return (len != usize::MAX).then_some(len);
    }
    let mut bytes = Bytes::new();
    // SAFETY: the caller passes the payload, and the bytes are ours.
    if unsafe { ops.encode?(payload, FORMAT, &mut bytes) } != 0 {
        return None;
    }
    if bytes.len() <= room {
        // SAFETY: the caller has room for as many bytes.
        unsafe { to.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
    }
    Some(bytes.len())
}

/// Reads a payload into one that is there; `bytes` gets its encoding.
///
/// # Safety
/// `to` points to a payload of these operations that nobody else uses.
pub(super) unsafe fn decode(
    ops: &PayloadOps,
    from: Area<'_>,
    to: *mut c_void,
    bytes: &mut Vec<u8>,
) -> Result<(), Malformed> {
    let decode = ops.decode.ok_or(Malformed("a payload that cannot be decoded"))?;
    bytes.clear();
    from.append_to(bytes);
    let room = Room::new(ops).ok_or(Malformed("a payload of no layout"))?;
    let mut error = Text::new();
    // SAFETY: the bytes are private and initialised, and there is room for a payload.
    if unsafe { decode(bytes.as_ptr(), bytes.len(), FORMAT, room.start, &mut error) } != 0 {
        return Err(Malformed("a payload that cannot be decoded"));
    }
    // SAFETY: both are payloads now; the first is ours, and nobody uses it again, the second the caller's.
    unsafe {
        (ops.assign)(room.start, to);
        (ops.drop)(room.start);
    }
    Ok(())
}

/// Aligned room for a payload.
///
/// # Invariants
/// `start` was allocated with `layout`, which has a size.
struct Room {
    start: *mut c_void,
    layout: Layout,
}

impl Room {
    fn new(ops: &PayloadOps) -> Option<Self> {
        let layout = Layout::from_size_align(ops.payload_size.max(1), ops.align).ok()?;
        // SAFETY: the layout has a size.
        let start = unsafe { alloc(layout) };
        if start.is_null() {
            handle_alloc_error(layout);
        }
        // INVARIANT: just allocated.
        Some(Room { start: start.cast(), layout })
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        // SAFETY: by the type invariants.
        unsafe { dealloc(self.start.cast(), self.layout) };
    }
}
