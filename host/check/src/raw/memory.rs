//! The memory of payloads: laid out so that an invalid access is detected, and checked afterwards.

use std::ffi::c_void;
use std::ptr::{addr_of_mut, copy_nonoverlapping, from_ref, null_mut};

use hookrail_abi::{Bytes, Dropped, Header, Message, Text};

/// The bytes after the capacity of redzoned bytes.
const ZONE: [u8; 16] = *b"\xa5hookrail-zone\x5a\xa5";

/// A pointer, a length and a capacity: the layout of `Bytes`, `Text` and `List` at the boundary.
type Words = [usize; 3];

/// Bytes with extra memory after their capacity, in which writes are detected.
pub(crate) fn redzoned(bytes: &[u8]) -> Bytes {
    if bytes.is_empty() {
        // An empty list's pointer may be anything.
        // SAFETY: three words; an empty list without memory.
        return unsafe { std::mem::transmute::<Words, Bytes>([1, 0, 0]) };
    }
    // SAFETY: room for both parts, which whoever gets the bytes may free or grow.
    unsafe {
        let memory = libc::malloc(bytes.len() + ZONE.len()).cast::<u8>();
        assert!(!memory.is_null(), "there is memory");
        copy_nonoverlapping(bytes.as_ptr(), memory, bytes.len());
        copy_nonoverlapping(ZONE.as_ptr(), memory.add(bytes.len()), ZONE.len());
        std::mem::transmute::<Words, Bytes>([memory.expose_provenance(), bytes.len(), bytes.len()])
    }
}

/// As [`redzoned`], for text.
pub(crate) fn redzoned_text(text: &str) -> Text {
    // SAFETY: a text is transparent over its bytes, and these are UTF-8.
    unsafe { std::mem::transmute::<Bytes, Text>(redzoned(text.as_bytes())) }
}

/// Whether nothing was written after the capacity of the message's redzoned bytes. `before` is what [`places`] returned
/// before the call: fields that got new memory are not checked.
pub(crate) fn redzones_hold(before: &[(usize, usize)], message: &Message) -> bool {
    fields(message).into_iter().map(words).filter(|words| words[2] > 0).all(|[at, _, capacity]| {
        !before.contains(&(at, capacity)) || {
            // SAFETY: it is the same memory as before, of `redzoned`, so the zone lies after its capacity.
            let zone = unsafe {
                std::slice::from_raw_parts(std::ptr::with_exposed_provenance::<u8>(at + capacity), ZONE.len())
            };
            zone == ZONE
        }
    })
}

/// The address and the capacity of each of the message's fields.
pub(crate) fn places(message: &Message) -> Vec<(usize, usize)> {
    fields(message).into_iter().map(words).map(|[at, _, capacity]| (at, capacity)).collect()
}

/// Whether what a plugin left is a message: texts are UTF-8, lengths are within capacities, pointers are set.
pub(crate) fn is_well_formed(message: &Message) -> Result<(), String> {
    let sound = |what: &str, [at, len, capacity]: Words| match () {
        () if len > capacity => Err(format!("{what} has a length of {len} and a capacity of {capacity}")),
        () if at == 0 && len > 0 => Err(format!("{what} has a length of {len} and a null pointer")),
        () => Ok(()),
    };
    // SAFETY: a list is three words, all of them initialised.
    sound("the list of headers", unsafe { from_ref(&message.headers).cast::<Words>().read() })?;
    for bytes in fields(message) {
        sound("a text or the body", words(bytes))?;
    }
    let texts = message
        .headers
        .iter()
        .flat_map(|header| [("a header's key", &header.key), ("a header's value", &header.value)]);
    for (what, text) in texts.chain([("the topic", &message.topic), ("the source", &message.source)]) {
        if std::str::from_utf8(text.as_bytes()).is_err() {
            return Err(format!("{what} is not UTF-8"));
        }
    }
    Ok(())
}

/// The fields of a message that are reserved for the host.
pub(crate) fn reserved(message: &Message) -> [u64; 5] {
    const AT: usize = size_of::<Message>() - size_of::<[u64; 4]>();
    // SAFETY: the last four words of a message are reserved ones: ABI 1.0.
    let [a, b, c, d] = unsafe { from_ref(message).byte_add(AT).cast::<[u64; 4]>().read() };
    [message.flags, a, b, c, d]
}

/// All bytes that a message holds, including texts.
fn fields(message: &Message) -> Vec<&Bytes> {
    // SAFETY: a text is transparent over its bytes.
    let bytes = |text: &Text| unsafe { &*from_ref(text).cast::<Bytes>() };
    let mut fields = vec![bytes(&message.source), bytes(&message.topic)];
    let headers = message.headers.iter().flat_map(|header| [bytes(&header.key), bytes(&header.value)]);
    fields.extend(headers);
    fields.push(&message.body);
    fields
}

fn words(bytes: &Bytes) -> Words {
    // SAFETY: bytes are a list, which is three words, all of them initialised.
    unsafe { from_ref(bytes).cast::<Words>().read() }
}

/// A payload in pages that cannot be written, each part of it directly before one that cannot be read.
///
/// # Invariants
/// `payload` is in `pages`, and so is everything it points to.
pub(crate) struct Guarded {
    payload: *mut c_void,
    pages: Vec<(*mut c_void, usize)>,
}

impl Guarded {
    pub(crate) fn message(message: &Message) -> Self {
        Self::new(|guarded| {
            let place = guarded.room(size_of::<Message>(), align_of::<Message>()).cast::<Message>();
            // SAFETY: there is aligned room for a message at `place`, which is filled here.
            unsafe { guarded.put(message, place) };
            place.cast()
        })
    }

    pub(crate) fn dropped(dropped: &Dropped) -> Self {
        Self::new(|guarded| {
            let place = guarded.room(size_of::<Dropped>(), align_of::<Dropped>()).cast::<Dropped>();
            // SAFETY: there is aligned room for one, which is filled here: first as it is, then with texts of its own.
            unsafe {
                copy_nonoverlapping(dropped, place, 1);
                guarded.put(&dropped.message, addr_of_mut!((*place).message));
                guarded.text(&dropped.decided_by, addr_of_mut!((*place).decided_by));
                guarded.text(&dropped.reason, addr_of_mut!((*place).reason));
            }
            place.cast()
        })
    }

    /// To be passed to a callback of a notify point.
    pub(crate) fn payload(&self) -> *mut c_void {
        self.payload
    }

    fn new(fill: impl FnOnce(&mut Self) -> *mut c_void) -> Self {
        let mut guarded = Guarded { payload: null_mut(), pages: Vec::new() };
        guarded.payload = fill(&mut guarded);
        for (at, len) in &guarded.pages {
            // SAFETY: they are our own pages, not used yet; the last one stays as it is.
            let protected = unsafe { libc::mprotect(*at, len - page(), libc::PROT_READ) };
            assert_eq!(protected, 0, "our own pages can be protected");
        }
        guarded
    }

    /// Space that ends directly before a page that cannot be read.
    fn room(&mut self, size: usize, align: usize) -> *mut u8 {
        let len = size.next_multiple_of(page()).max(page()) + page();
        let (rw, private) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        // SAFETY: new pages; the room lies within them.
        unsafe {
            let at = libc::mmap(null_mut(), len, rw, private, -1, 0);
            assert_ne!(at, libc::MAP_FAILED, "there is memory");
            let guard = at.byte_add(len - page());
            assert_eq!(libc::mprotect(guard, page(), libc::PROT_NONE), 0, "our own page can be protected");
            self.pages.push((at, len));
            guard.cast::<u8>().sub(size.next_multiple_of(align))
        }
    }

    /// # Safety
    /// There is aligned room for a message at `place`.
    unsafe fn put(&mut self, message: &Message, place: *mut Message) {
        // SAFETY: there is aligned room for a message; what the copy points to is replaced below.
        unsafe {
            copy_nonoverlapping(message, place, 1);
            self.text(&message.source, addr_of_mut!((*place).source));
            self.text(&message.topic, addr_of_mut!((*place).topic));
            self.bytes(&message.body, addr_of_mut!((*place).body).cast());
        }
        let headers = self.room(size_of_val(&*message.headers), align_of::<Header>()).cast::<Header>();
        for (index, header) in message.headers.iter().enumerate() {
            // SAFETY: room for so many headers.
            unsafe {
                let place = headers.add(index);
                self.text(&header.key, addr_of_mut!((*place).key));
                self.text(&header.value, addr_of_mut!((*place).value));
            }
        }
        let words = [headers.expose_provenance(), message.headers.len(), message.headers.len()];
        // SAFETY: the message has room for a list, which is three words.
        unsafe { addr_of_mut!((*place).headers).cast::<Words>().write(words) };
    }

    /// # Safety
    /// There is aligned room for a text at `place`.
    unsafe fn text(&mut self, text: &Text, place: *mut Text) {
        // SAFETY: there is aligned room for a text, which is three words, as bytes are.
        unsafe { self.bytes(text.as_bytes(), place.cast()) };
    }

    /// # Safety
    /// There is aligned room for bytes, which are three words, at `place`.
    unsafe fn bytes(&mut self, bytes: &[u8], place: *mut Words) {
        let room = self.room(bytes.len(), 1);
        // SAFETY: there is room for the bytes in the new pages, and for three words at `place`.
        unsafe {
            copy_nonoverlapping(bytes.as_ptr(), room, bytes.len());
            place.write([room.expose_provenance(), bytes.len(), bytes.len()]);
        }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        for (at, len) in &self.pages {
            // SAFETY: our own pages, which nobody uses any more.
            unsafe { libc::munmap(*at, *len) };
        }
    }
}

fn page() -> usize {
    // SAFETY: the call takes a number and touches no memory.
    unsafe { libc::sysconf(libc::_SC_PAGESIZE) as usize }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_behind_the_capacity_are_found() {
        let mut message = Message::new("", redzoned(b"body"));
        message.topic = redzoned_text("a.b");
        let before = places(&message);
        assert!(redzones_hold(&before, &message));
        // SAFETY: the zone lies after the body.
        unsafe { message.body.as_mut_slice().as_mut_ptr().add(4).write(0) };
        assert!(!redzones_hold(&before, &message));
    }

    #[test]
    fn a_guarded_message_reads_like_the_one_it_was_made_of() {
        let mut message = Message::new("a.b", "body");
        message.add_header("key", "value");
        let guarded = Guarded::message(&message);
        // SAFETY: it is a message as long as it is not dropped.
        assert_eq!(unsafe { &*guarded.payload().cast::<Message>() }, &message);
        let dropped = Dropped::denied(message, "a/b", 7, "why");
        let guarded = Guarded::dropped(&dropped);
        // SAFETY: it is a `Dropped` as long as `guarded` is not dropped.
        assert_eq!(unsafe { &*guarded.payload().cast::<Dropped>() }, &dropped);
    }

    #[test]
    fn a_length_beyond_the_capacity_is_no_message() {
        let mut message = Message::new("a", "body");
        assert_eq!(is_well_formed(&message), Ok(()));
        // SAFETY: three words; nothing is read through them.
        unsafe { std::ptr::from_mut(&mut message.body).cast::<Words>().write([8, 9, 3]) };
        assert!(is_well_formed(&message).unwrap_err().contains("a length of 9"));
        std::mem::forget(message);
    }
}
