//! The flat form of a message.
//!
//! Numbers and lengths in 96 bytes; the *rest*: two lengths for each header, then source, topic, and key and value of
//! each header, one after the other; the body. Changes leave out the rest or the body, or both, where they are as they
//! were.
//!
//! Large bodies begin on a cache line of their own, and whoever receives a request takes over their lines: between two
//! processors, 64 KiB then cross in 4 us and otherwise in 9 us. For bodies that do not fit a processor's own cache twice,
//! comparing them with what they were takes as long as sending them back: that is what happens to them, changed or not.
//! (`cargo bench -p hookrail-benches --bench isolated_lane -- body`)

use hookrail_abi::{Bytes, Header, Message, MessageId};

use super::fill::fill;
use crate::lane::{Area, CACHE_LINE, Malformed, Plain};

/// What a form holds beside the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parts(u32);

impl Parts {
    const NONE: Parts = Parts(0);
    const REST: Parts = Parts(1);
    const BODY: Parts = Parts(2);
    pub(super) const ALL: Parts = Parts(3);
    /// It is all of a message, and no changes of one.
    pub(super) const REQUEST: Parts = Parts(7);

    fn has(self, part: Parts) -> bool {
        self.0 & part.0 == part.0
    }

    fn and_if(self, is_so: bool, part: Parts) -> Parts {
        if is_so { Parts(self.0 | part.0) } else { self }
    }
}

#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Fixed {
    parts: u32,
    rest: u32,
    body: u32,
    /// Where the body begins.
    body_at: u32,
    headers: u32,
    source: u32,
    topic: u32,
    reserved: u32,
    numbers: Numbers,
}

#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Numbers {
    id: [u8; 16],
    timestamp: u64,
    flags: u64,
    reserved: [u64; 4],
}

// SAFETY: 32 bytes of integers of 4, then 64 bytes of bytes and of integers of 8; aligned to 8.
unsafe impl Plain for Fixed {}

const FIXED: usize = size_of::<Fixed>();
/// The two lengths of a header.
const LENGTHS: usize = 8;
/// A body of so many bytes is large.
const LARGE: usize = 1024;
/// Up to so many bytes of a body are taken over, and compared.
const COMPARED: usize = 256 << 10;

/// What a message was when it was decoded, but for its body.
#[derive(Debug, Default)]
pub(super) struct Before {
    fixed: Fixed,
    pub(super) bytes: Vec<u8>,
}

/// Writes a message. Returns how many bytes it takes; if those are more than there are, nothing was written.
pub(super) fn encode(message: &Message, parts: Parts, room: Area<'_>) -> usize {
    let texts: usize = message.headers.iter().map(|header| header.key.len() + header.value.len()).sum();
    let rest = LENGTHS * message.headers.len() + message.source.len() + message.topic.len() + texts;
    let rest = if parts.has(Parts::REST) { rest } else { 0 };
    let body = if parts.has(Parts::BODY) { message.body.len() } else { 0 };
    let skipped =
        if body < LARGE { 0 } else { (room.as_mut_ptr() as usize + FIXED + rest).wrapping_neg() % CACHE_LINE };
    let body_at = FIXED + rest + skipped;
    let needed = body_at + body;
    if needed > room.len() || needed > u32::MAX as usize {
        return needed;
    }
    // Every length below is at most `needed`, or its part is left out and the length means nothing.
    let fixed = Fixed {
        parts: parts.0,
        rest: rest as u32,
        body: body as u32,
        body_at: body_at as u32,
        headers: message.headers.len() as u32,
        source: message.source.len() as u32,
        topic: message.topic.len() as u32,
        reserved: 0,
        numbers: numbers(message),
    };
    room.put(0, &fixed);
    if parts.has(Parts::REST) {
        let mut at = FIXED;
        for header in &message.headers {
            room.write(at, &lengths_of(header));
            at += LENGTHS;
        }
        for text in texts_of(message) {
            room.write(at, text.as_bytes());
            at += text.len();
        }
    }
    if parts.has(Parts::BODY) {
        room.write(body_at, &message.body);
    }
    needed
}

/// Reads a message, or the changes of one, into another one; `before` gets what it was, but for the body.
pub(super) fn decode(from: Area<'_>, to: &mut Message, before: &mut Before) -> Result<(), Malformed> {
    let cut_off = Malformed("a message that is cut off");
    let fixed: Fixed = from.get(0).ok_or(cut_off)?;
    let parts = Parts(fixed.parts);
    if !Parts::REQUEST.has(parts) {
        return Err(Malformed("a message with unknown parts"));
    }
    let rest = if parts.has(Parts::REST) { fixed.rest as usize } else { 0 };
    let body = if parts.has(Parts::BODY) { fixed.body as usize } else { 0 };
    let body_at = fixed.body_at as usize;
    if body_at < FIXED + rest || body_at + body != from.len() {
        return Err(Malformed("a message of another length than its parts have"));
    }
    if parts.has(Parts::REST) {
        before.bytes.clear();
        from.part(FIXED, rest).ok_or(cut_off)?.append_to(&mut before.bytes);
        // From here on everything is private memory.
        let rest = Rest::of(&fixed, &before.bytes)?;
        rest.set(to);
    }
    before.fixed = fixed;
    set_numbers(to, &fixed.numbers);
    if parts.has(Parts::BODY) {
        let from = from.part(body_at, body).ok_or(cut_off)?;
        if parts == Parts::REQUEST && (LARGE..=COMPARED).contains(&body) {
            from.take_over();
        }
        fill(&mut to.body, from);
    }
    Ok(())
}

/// What of a message is not as it was when it was decoded from `request`, or may not be; `None` if all of it is.
pub(super) fn changes(message: &Message, request: Area<'_>, before: &Before) -> Option<Parts> {
    let fixed = &before.fixed;
    let body = request.part(fixed.body_at as usize, fixed.body as usize).filter(|body| body.len() <= COMPARED);
    let parts = Parts::NONE
        .and_if(!is_rest(message, fixed, &before.bytes), Parts::REST)
        .and_if(!body.is_some_and(|body| body.equals(&message.body)), Parts::BODY);
    (parts != Parts::NONE || numbers(message) != fixed.numbers).then_some(parts)
}

/// Whether the message has just this rest.
fn is_rest(message: &Message, fixed: &Fixed, mut rest: &[u8]) -> bool {
    if [message.headers.len(), message.source.len(), message.topic.len()]
        != [fixed.headers, fixed.source, fixed.topic].map(|len| len as usize)
    {
        return false;
    }
    let mut begins_with = |bytes: &[u8]| match rest.split_at_checked(bytes.len()) {
        Some((first, others)) if first == bytes => {
            rest = others;
            true
        }
        _ => false,
    };
    message.headers.iter().all(|header| begins_with(&lengths_of(header)))
        && texts_of(message).all(|text| begins_with(text.as_bytes()))
        && rest.is_empty()
}

/// The texts of a message, in the order in which they are written.
fn texts_of(message: &Message) -> impl Iterator<Item = &str> {
    let headers = message.headers.iter().flat_map(|header| [header.key.as_str(), header.value.as_str()]);
    [message.source.as_str(), message.topic.as_str()].into_iter().chain(headers)
}

/// The rest of a message, in private memory.
///
/// # Invariants
/// `texts` has characters' boundaries wherever one of the texts ends, and ends with the last one.
struct Rest<'a> {
    lengths: &'a [[u8; LENGTHS]],
    source: usize,
    topic: usize,
    texts: &'a str,
}

impl<'a> Rest<'a> {
    fn of(fixed: &Fixed, bytes: &'a [u8]) -> Result<Self, Malformed> {
        let table = LENGTHS.checked_mul(fixed.headers as usize).filter(|table| *table <= bytes.len());
        let (lengths, texts) = bytes.split_at(table.ok_or(Malformed("more headers than bytes"))?);
        let texts = std::str::from_utf8(texts).map_err(|_| Malformed("a text that is not UTF-8"))?;
        let rest =
            Rest { lengths: lengths.as_chunks().0, source: fixed.source as usize, topic: fixed.topic as usize, texts };
        let mut at = 0_usize;
        for len in [rest.source, rest.topic].into_iter().chain(rest.lengths.iter().flat_map(|of| pair(*of))) {
            at =
                at.checked_add(len).filter(|at| texts.is_char_boundary(*at)).ok_or(Malformed("a text of no length"))?;
        }
        // INVARIANT: each end is a boundary, and the last one is the end.
        if at == texts.len() { Ok(rest) } else { Err(Malformed("texts that nobody has")) }
    }

    fn set(&self, to: &mut Message) {
        let mut texts = self.texts;
        let mut next = |len: usize| {
            let (text, others) = texts.split_at(len);
            texts = others;
            text
        };
        to.source.set(next(self.source));
        to.topic.set(next(self.topic));
        to.headers.truncate(self.lengths.len());
        let kept = to.headers.len();
        for (header, lengths) in to.headers.as_mut_slice().iter_mut().zip(self.lengths) {
            let [key, value] = pair(*lengths);
            header.key.set(next(key));
            header.value.set(next(value));
        }
        for lengths in &self.lengths[kept..] {
            let [key, value] = pair(*lengths);
            to.headers.push(Header { key: next(key).into(), value: next(value).into() });
        }
    }
}

/// The lengths of a header, which fit 32 bits where they are written.
fn lengths_of(header: &Header) -> [u8; LENGTHS] {
    (header.key.len() as u64 | (header.value.len() as u64) << 32).to_le_bytes()
}

/// The two lengths of a header.
fn pair(lengths: [u8; LENGTHS]) -> [usize; 2] {
    let both = u64::from_le_bytes(lengths);
    [both as u32 as usize, (both >> 32) as usize]
}

fn numbers(message: &Message) -> Numbers {
    // SAFETY: the words are there, initialised, and shared like the message.
    let reserved = unsafe { *reserved_of(message) };
    Numbers { id: message.id.to_bytes(), timestamp: message.timestamp, flags: message.flags, reserved }
}

fn set_numbers(message: &mut Message, numbers: &Numbers) {
    message.id = MessageId::from_bytes(numbers.id);
    message.timestamp = numbers.timestamp;
    message.flags = numbers.flags;
    // SAFETY: the words are there, and borrowed exclusively with the message.
    unsafe { *reserved_of(message).cast_mut() = numbers.reserved };
}

/// Where the reserved words are: the last field, behind the body. The boundary has fixed the layout.
fn reserved_of(message: *const Message) -> *const [u64; 4] {
    const AT: usize = std::mem::offset_of!(Message, body) + size_of::<Bytes>();
    const { assert!(AT + size_of::<[u64; 4]>() == size_of::<Message>(), "nothing else follows the body") };
    message.wrapping_byte_add(AT).cast()
}
