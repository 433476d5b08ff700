//! Payloads in shared memory: the built-in message in a flat form of its own, all others by their operations.
//!
//! 1. The host encodes the payload of a request straight into a lane's area ([`Codec::encode_into`]).
//! 2. The worker decodes it into a payload that it keeps, whose memory is used again ([`Codec::decode`]), and runs the
//!    callbacks.
//! 3. The worker compares the payload with the request, which still lies in the area ([`Codec::changes`]). Most of the
//!    time nothing was changed, and nothing is sent back; otherwise the parts that were changed are
//!    ([`Codec::encode_changes`]). A very large body is sent back in any case: that takes no longer.
//! 4. The host decodes the changes into its own payload, by the same function. It trusts no byte of them: everything is
//!    copied to private memory once, and checked there, before the payload is touched. So the payload is either what
//!    the worker made of it, or what it was.

mod fill;
mod message;
mod ops;

use std::ffi::c_void;

use hookrail_abi::{Message, PayloadOps};

use crate::lane::{Area, Malformed};

/// How the payloads of a point are encoded.
#[derive(Clone, Copy, Debug)]
pub enum Codec {
    /// The payload is a [`Message`]: the flat form.
    Message,
    /// By these operations, as MessagePack.
    Ops(PayloadOps),
}

/// Private memory for one payload at a time, to be kept from one call to the next: in the worker for each depth of each
/// lane, since it knows what the payload was when it was decoded.
#[derive(Debug, Default)]
pub struct Scratch {
    /// What was decoded last: a message without its body, or the whole of another payload.
    before: message::Before,
    /// The encoding of another payload that was changed.
    after: Vec<u8>,
}

/// What was changed in a payload since it was decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Changes(Option<message::Parts>);

impl Codec {
    /// Writes a payload to `room`. Returns how many bytes it takes: if those are more than there are, what was written
    /// is of no use. `None` if it cannot be encoded.
    ///
    /// # Safety
    /// `payload` points to a payload of this codec.
    pub unsafe fn encode_into(&self, payload: *const c_void, room: Area<'_>) -> Option<usize> {
        match self {
            // SAFETY: the caller passes a message.
            Codec::Message => Some(message::encode(unsafe { &*payload.cast() }, message::Parts::REQUEST, room)),
            // SAFETY: the caller passes a payload of these operations.
            Codec::Ops(ops) => unsafe { ops::encode_into(ops, payload, room) },
        }
    }

    /// Reads a payload, or the changes of it, into one that is there, whose memory is used again.
    ///
    /// # Errors
    /// If the bytes are no payload. Then `to` is as it was.
    ///
    /// # Safety
    /// `to` points to a payload of this codec that nobody else uses.
    pub unsafe fn decode(&self, from: Area<'_>, to: *mut c_void, scratch: &mut Scratch) -> Result<(), Malformed> {
        match self {
            // SAFETY: the caller passes a message, exclusively.
            Codec::Message => message::decode(from, unsafe { &mut *to.cast::<Message>() }, &mut scratch.before),
            // SAFETY: the caller passes a payload of these operations, exclusively.
            Codec::Ops(ops) => unsafe { ops::decode(ops, from, to, &mut scratch.before.bytes) },
        }
    }

    /// What was changed in a payload since it was decoded with this `scratch` from `request`, which is as it was; `None`
    /// if nothing was. A body of more than 256 KiB counts as changed.
    ///
    /// # Safety
    /// `payload` points to a payload of this codec.
    pub unsafe fn changes(&self, payload: *const c_void, request: Area<'_>, scratch: &mut Scratch) -> Option<Changes> {
        match self {
            Codec::Message => {
                // SAFETY: the caller passes a message.
                let parts = message::changes(unsafe { &*payload.cast() }, request, &scratch.before)?;
                Some(Changes(Some(parts)))
            }
            Codec::Ops(ops) => {
                // SAFETY: the caller passes a payload of these operations.
                let encoded = unsafe { ops::encode_to(ops, payload, &mut scratch.after) };
                let changes = Changes(encoded.map(|()| message::Parts::ALL));
                (encoded.is_none() || scratch.after != scratch.before.bytes).then_some(changes)
            }
        }
    }

    /// Writes the changes that [`changes`](Codec::changes) has found in this payload with this `scratch`; otherwise as
    /// [`encode_into`](Codec::encode_into).
    ///
    /// # Safety
    /// `payload` points to a payload of this codec.
    pub unsafe fn encode_changes(
        &self,
        payload: *const c_void,
        changes: Changes,
        scratch: &Scratch,
        room: Area<'_>,
    ) -> Option<usize> {
        let parts = changes.0?;
        match self {
            // SAFETY: the caller passes a message.
            Codec::Message => Some(message::encode(unsafe { &*payload.cast() }, parts, room)),
            Codec::Ops(_) => {
                // Without room nothing is written, and the length says so.
                let _ = room.write(0, &scratch.after);
                Some(scratch.after.len())
            }
        }
    }
}
