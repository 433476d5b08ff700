//! Payloads at both ends: how those of a point are encoded, and where a worker keeps one.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ffi::c_void;
use std::hash::{Hash, Hasher};
use std::ptr::from_mut;

use hookrail_abi::boundary::Registration;
use hookrail_abi::catalogue::{MessageDropped, MessagePublish};
use hookrail_abi::{Bytes, Format, Message, PayloadOps, Point, Text};
use hookrail_loader::complete;
use serde_json::Value;

use crate::flat::{Changes, Codec, Scratch};
use crate::lane::Area;

/// How the payloads of a point are encoded, which have this fingerprint and these operations.
pub(crate) fn codec(fingerprint: [u64; 2], ops: &PayloadOps) -> Codec {
    if fingerprint == MessagePublish::shape().fingerprint { Codec::Message } else { Codec::Ops(*ops) }
}

/// How the payload of a registered callback is encoded, if it can be.
///
/// # Safety
/// The operations of the record are null, or those of its payload.
pub(crate) unsafe fn codec_of(record: &Registration) -> Option<Codec> {
    if record.fingerprint == MessagePublish::shape().fingerprint {
        return Some(Codec::Message);
    }
    // SAFETY: the caller passes a plugin's operations, or null.
    let ops = (!record.ops.is_null()).then(|| unsafe { complete(record.ops) }.ok()).flatten();
    ops_of(record.fingerprint, ops).map(Codec::Ops)
}

/// The operations by which a payload with this fingerprint crosses, if it can: `given` is what its plugin has given.
pub(crate) fn ops_of(fingerprint: [u64; 2], given: Option<PayloadOps>) -> Option<PayloadOps> {
    // C has no operations to give; those of the built-in payloads are known here.
    if fingerprint == MessagePublish::shape().fingerprint {
        return Some(*MessagePublish::ops());
    }
    if fingerprint == MessageDropped::shape().fingerprint {
        return Some(*MessageDropped::ops());
    }
    given.filter(|ops| ops.decode.is_some())
}

/// Where a worker keeps the payload of a call.
#[derive(Default)]
pub(crate) struct Slot {
    scratch: Scratch,
    /// The last message, whose memory is used again.
    message: Message,
    /// A payload of another kind. It is dropped with its call, since its operations may be a plugin's.
    other: Option<Decoded>,
}

impl Slot {
    /// Decodes a payload.
    pub(crate) fn fill(&mut self, codec: &Codec, from: Area<'_>) -> Result<(), String> {
        if let Codec::Ops(ops) = codec {
            let mut bytes = Vec::new();
            from.append_to(&mut bytes);
            self.other = Some(Decoded::new(ops, &bytes).map_err(|why| format!("its worker cannot read it: {why}"))?);
        }
        // SAFETY: what is there is one of the codec, and nobody else uses it.
        let decoded = unsafe { codec.decode(from, self.payload(), &mut self.scratch) };
        decoded.map_err(|malformed| format!("its worker cannot read the payload: {malformed}"))
    }

    /// The payload that was decoded last.
    pub(crate) fn payload(&mut self) -> *mut c_void {
        match &self.other {
            None => from_mut(&mut self.message).cast(),
            Some(other) => other.payload(),
        }
    }

    /// What was changed since it was decoded from that request, if anything was.
    pub(crate) fn changes(&mut self, request: Area<'_>) -> Option<Changes> {
        let (codec, payload) = (self.codec(), self.payload());
        // SAFETY: the payload is one of the codec.
        unsafe { codec.changes(payload, request, &mut self.scratch) }
    }

    /// Writes those changes; returns how many bytes they need.
    pub(crate) fn write_changes(&mut self, changes: Changes, room: Area<'_>) -> Option<usize> {
        let (codec, payload) = (self.codec(), self.payload());
        // SAFETY: the payload is one of the codec.
        unsafe { codec.encode_changes(payload, changes, &self.scratch, room) }
    }

    /// Its call is over.
    pub(crate) fn clear(&mut self) {
        self.other = None;
    }

    fn codec(&self) -> Codec {
        self.other.as_ref().map_or(Codec::Message, |other| Codec::Ops(other.ops))
    }
}

/// A payload that was decoded by its operations.
///
/// # Invariants
/// `start` was allocated with `layout`, and a payload of `ops` is there.
pub(crate) struct Decoded {
    ops: PayloadOps,
    start: *mut c_void,
    layout: Layout,
}

impl Decoded {
    /// From MessagePack.
    pub(crate) fn new(ops: &PayloadOps, bytes: &[u8]) -> Result<Self, String> {
        let decode = ops.decode.ok_or("a payload that cannot be decoded")?;
        let layout = Layout::from_size_align(ops.payload_size.max(1), ops.align);
        let layout = layout.map_err(|_| "a payload without a layout")?;
        // SAFETY: the layout has a size.
        let start: *mut c_void = unsafe { alloc(layout) }.cast();
        if start.is_null() {
            handle_alloc_error(layout);
        }
        let mut error = Text::new();
        // SAFETY: the bytes are there for the call, and there is room for a payload.
        if unsafe { decode(bytes.as_ptr(), bytes.len(), Format::MessagePack as u32, start, &mut error) } != 0 {
            // SAFETY: it was allocated so, and no payload is there.
            unsafe { dealloc(start.cast(), layout) };
            return Err(format!("a malformed payload: {error}"));
        }
        // INVARIANT: `decode` succeeded.
        Ok(Decoded { ops: *ops, start, layout })
    }

    /// Where it is.
    pub(crate) fn payload(&self) -> *mut c_void {
        self.start
    }
}

/// A payload as MessagePack; `None` if it cannot be encoded.
///
/// # Safety
/// `payload` is one of these operations, which nobody writes meanwhile.
pub(crate) unsafe fn encoded(ops: &PayloadOps, payload: *const c_void) -> Option<Bytes> {
    let mut bytes = Bytes::new();
    // SAFETY: the caller passes a payload of these operations; the bytes are ours.
    let is_encoded = unsafe { ops.encode?(payload, Format::MessagePack as u32, &mut bytes) } == 0;
    is_encoded.then_some(bytes)
}

impl Drop for Decoded {
    fn drop(&mut self) {
        // SAFETY: by the type invariants a payload is there, which is not used again, in memory of that layout.
        unsafe {
            (self.ops.drop)(self.start);
            dealloc(self.start.cast(), self.layout);
        }
    }
}

/// A payload as people may read it, with secrets masked.
///
/// # Safety
/// `payload` is one of the codec, which nobody writes meanwhile.
pub(crate) unsafe fn shown(codec: &Codec, payload: *const c_void) -> Value {
    let ops = match codec {
        Codec::Message => MessagePublish::ops(),
        Codec::Ops(ops) => ops,
    };
    // SAFETY: the caller passes a payload of these operations.
    unsafe { hookrail_dispatch::shown(ops, payload) }
}

/// What makes two payloads the same input: of a message what a sender writes, and not when and by whom it was taken.
pub(crate) enum Substance<'a> {
    Message(&'a Message),
    Other(Bytes),
}

impl Hash for Substance<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Substance::Message(message) => {
                (message.topic.as_bytes(), message.body.as_slice()).hash(state);
                let texts = message.headers.iter().map(|header| (header.key.as_bytes(), header.value.as_bytes()));
                texts.for_each(|texts| texts.hash(state));
            }
            Substance::Other(bytes) => bytes.as_slice().hash(state),
        }
    }
}

/// What makes a payload the same input as another.
///
/// # Safety
/// `payload` is one of the codec, which stays for `'a`.
pub(crate) unsafe fn substance<'a>(codec: &Codec, payload: *const c_void) -> Substance<'a> {
    match codec {
        // SAFETY: the caller passes a message.
        Codec::Message => Substance::Message(unsafe { &*payload.cast() }),
        Codec::Ops(ops) => {
            // SAFETY: the caller passes a payload of these operations.
            Substance::Other(unsafe { encoded(ops, payload) }.unwrap_or_default())
        }
    }
}
