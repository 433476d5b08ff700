//! The form of a request: in a lane's area for a call, in its ring for a note.
//!
//! A head of six words, the indices of the callbacks, the context if there is one, and the payload; each part begins at
//! a multiple of 8 bytes. The host writes it and does not read it back.

use super::area::{Area, Plain};
use super::lost::{Lost, Malformed};
use super::received::{Context, MOST_CALLBACKS, Received};

/// The longest text of a context, in bytes. It is refused rather than cut: whom a request is for decides what it may do.
const MOST_TEXT: usize = 4096;

/// What a host asks for, beside the payload.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// What the worker knows its callbacks by; 1 to 16 of them, which run one after the other up to the first whose
    /// verdict is not to continue.
    pub callbacks: &'a [u32],
    /// For the two ends to agree on.
    pub flags: u32,
    /// By which codec the payload is encoded; for the two ends to agree on.
    pub codec: u32,
    /// The context of the dispatch, if it has one.
    pub context: Option<Context<'a>>,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct Head {
    callbacks: u32,
    /// The length of the context with its texts; 0 if there is none.
    context: u32,
    flags: u32,
    codec: u32,
    payload: u32,
    reserved: u32,
}

// SAFETY: six integers of one size.
unsafe impl Plain for Head {}

#[repr(C)]
#[derive(Clone, Copy)]
struct ContextHead {
    deadline_ns: u64,
    trace: [u8; 16],
    principal: u32,
    node: u32,
}

// SAFETY: 8, 16, 4 and 4 bytes of integers, in a struct that is aligned to 8.
unsafe impl Plain for ContextHead {}

const HEAD: usize = size_of::<Head>();

/// A length, rounded up to where the next part begins.
pub(super) const fn padded(len: usize) -> usize {
    len.next_multiple_of(8)
}

/// The length of a frame, rounded up to where the next one begins: on a cache line of its own.
pub(super) const fn aligned(len: usize) -> usize {
    len.next_multiple_of(64)
}

/// Writes a request. `encode` writes the payload to the area that it gets and returns how many bytes it needs, be they
/// more than there are. Returns the length of the whole.
///
/// # Panics
/// If it has no callbacks, or too many.
#[inline(always)]
pub(super) fn put(
    room: Area<'_>,
    request: &Request<'_>,
    encode: impl FnOnce(Area<'_>) -> Option<usize>,
) -> Result<usize, Lost> {
    let count = request.callbacks.len();
    assert!((1..=MOST_CALLBACKS).contains(&count), "a request has 1 to 16 callbacks");
    let no_room = |needed| Lost::NoRoom { needed, room: room.len() };
    let context_at = HEAD + padded(4 * count);
    let context = match &request.context {
        None => 0,
        Some(context) => put_context(room, context_at, context)?,
    };
    let payload_at = context_at + padded(context);
    let space = room.from(payload_at).ok_or(no_room(payload_at))?;
    let payload = encode(space).ok_or(Lost::Unencodable)?;
    if payload > space.len() {
        return Err(no_room(payload_at.saturating_add(payload)));
    }
    // What is not the payload fits, since the payload begins behind it.
    let head = Head {
        callbacks: count as u32,
        context: context as u32,
        flags: request.flags,
        codec: request.codec,
        payload: payload as u32,
        reserved: 0,
    };
    room.put(0, &head);
    for (index, callback) in request.callbacks.iter().enumerate() {
        room.write(HEAD + 4 * index, &callback.to_ne_bytes());
    }
    Ok(payload_at + payload)
}

#[cold]
fn put_context(room: Area<'_>, at: usize, context: &Context<'_>) -> Result<usize, Lost> {
    let texts = [context.principal, context.node];
    let head = ContextHead {
        deadline_ns: context.deadline_ns,
        trace: context.trace,
        principal: texts[0].len() as u32,
        node: texts[1].len() as u32,
    };
    let len = size_of::<ContextHead>() + texts[0].len() + texts[1].len();
    let put = || {
        let mut to = at + size_of::<ContextHead>();
        room.put(at, &head)?;
        for text in texts.iter().filter(|text| text.len() <= MOST_TEXT) {
            room.write(to, text.as_bytes())?;
            to += text.len();
        }
        (to == at + len).then_some(len)
    };
    put().ok_or(Lost::NoRoom { needed: at + len, room: room.len().min(at + 2 * MOST_TEXT) })
}

/// Reads a request, but for its payload. Returns where that is, and where the request ends.
pub(super) fn take<'a>(frame: Area<'a>, to: &mut Received) -> Result<(Area<'a>, usize), Malformed> {
    let head: Head = frame.get(0).ok_or(Malformed("a request without a head"))?;
    let count = head.callbacks as usize;
    if !(1..=MOST_CALLBACKS).contains(&count) {
        return Err(Malformed("a request with too many callbacks or none"));
    }
    let context_at = HEAD + padded(4 * count);
    let callbacks = frame.part(HEAD, 4 * count).ok_or(Malformed("a request that is cut off"))?;
    // SAFETY: there is room for as many integers.
    unsafe { callbacks.copy_out(to.callbacks_mut(count).as_mut_ptr().cast()) };
    (to.flags, to.codec, to.has_context) = (head.flags, head.codec, head.context > 0);
    if to.has_context {
        let context = frame.part(context_at, head.context as usize);
        take_context(context.ok_or(Malformed("a context that is cut off"))?, to)?;
    }
    let payload_at = context_at + padded(head.context as usize);
    let payload = frame.part(payload_at, head.payload as usize);
    Ok((payload.ok_or(Malformed("a payload that is cut off"))?, payload_at + head.payload as usize))
}

#[cold]
fn take_context(context: Area<'_>, to: &mut Received) -> Result<(), Malformed> {
    let cut_off = Malformed("texts that are cut off");
    let head: ContextHead = context.get(0).ok_or(cut_off)?;
    let (principal, node) = (head.principal as usize, head.node as usize);
    if principal > MOST_TEXT || node > MOST_TEXT {
        return Err(cut_off);
    }
    let texts = context.part(size_of::<ContextHead>(), principal + node).ok_or(cut_off)?;
    (to.deadline_ns, to.trace) = (head.deadline_ns, head.trace);
    to.set_texts(principal, |to| texts.append_to(to))
}
