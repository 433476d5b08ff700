//! Notes: requests that wait for no reply, in a ring of bytes.
//!
//! A record is its length and whether it is to be skipped, in 8 bytes, and then a request as `frame.rs` writes it; both
//! are padded to a multiple of 8, and no record wraps around: one that does not fit before the end is preceded by one
//! that is to be skipped. `ring.rs` has the words, and why no record is missed.

use std::cell::Cell;

use super::area::Area;
use super::frame::{self, Request};
use super::lost::{Lost, Malformed};
use super::received::Received;
use super::ring::RingWords;

/// The size of a ring, in bytes. Positions are numbers of 32 bits, of whose range it is a divisor.
pub(super) const SIZE: usize = 256 << 10;

/// What precedes a record.
const HEAD: usize = 8;

/// What became of a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "a note that was not queued is lost"]
pub enum Notified {
    /// It is in the queue.
    Queued,
    /// The queue has no room for it now.
    Full,
    /// It needs more than half of the queue, and may never have room.
    Oversized,
    /// The payload could not be encoded.
    Unencodable,
    /// The lane is abandoned.
    Abandoned,
}

/// The host's end. It has its position in private memory, and believes a position of the reader's only if that frees
/// what was written.
#[derive(Debug, Default)]
pub(super) struct Writer {
    written: Cell<u32>,
    read: Cell<u32>,
}

impl Writer {
    /// Continues where the writer before it was, if the reader says that it has caught up.
    pub(super) fn after(written: u32) -> Self {
        Writer { written: Cell::new(written), read: Cell::new(written.wrapping_sub(SIZE as u32)) }
    }

    pub(super) fn written(&self) -> u32 {
        self.written.get()
    }

    /// Queues a note. Returns whether the reader is to be woken, if it is queued.
    pub(super) fn push(
        &self,
        ring: Area<'_>,
        words: &RingWords,
        note: &Request<'_>,
        mut encode: impl FnMut(Area<'_>) -> Option<usize>,
    ) -> (Notified, bool) {
        let mut full = Notified::Full;
        for is_fresh in [false, true] {
            if is_fresh {
                self.refresh(words);
            }
            let free = SIZE - self.written.get().wrapping_sub(self.read.get()) as usize;
            let at = self.written.get() as usize % SIZE;
            let to_end = SIZE - at;
            let needed = match self.put(ring, at, free.min(to_end), note, &mut encode) {
                Ok(len) => return (Notified::Queued, self.publish(words, len)),
                Err(Lost::NoRoom { needed, .. }) => needed,
                Err(_) => return (Notified::Unencodable, false),
            };
            if needed > SIZE / 2 - HEAD {
                full = Notified::Oversized;
            } else if to_end < free
                && let Ok(len) = self.put(ring, 0, free - to_end, note, &mut encode)
            {
                ring.put(at, &[to_end as u32, 1]);
                return (Notified::Queued, self.publish(words, to_end + len));
            }
        }
        (full, false)
    }

    /// Writes a record. Returns its length, with which it is published.
    fn put(
        &self,
        ring: Area<'_>,
        at: usize,
        room: usize,
        note: &Request<'_>,
        encode: impl FnMut(Area<'_>) -> Option<usize>,
    ) -> Result<usize, Lost> {
        let no_room = Lost::NoRoom { needed: 0, room };
        let body = room.checked_sub(HEAD).and_then(|room| ring.part(at + HEAD, room)).ok_or(no_room)?;
        let len = HEAD + frame::padded(frame::put(body, note, encode)?);
        // All rooms are multiples of 8, so the padding fits.
        ring.put(at, &[len as u32, 0]);
        Ok(len)
    }

    fn publish(&self, words: &RingWords, len: usize) -> bool {
        self.written.set(self.written.get().wrapping_add(len as u32));
        words.publish(self.written.get())
    }

    /// How many bytes the reader has yet to read.
    pub(super) fn pending(&self, words: &RingWords) -> usize {
        self.refresh(words);
        self.written.get().wrapping_sub(self.read.get()) as usize
    }

    /// Looks how far the reader is. A position outside of what was written is not believed.
    #[cold]
    fn refresh(&self, words: &RingWords) {
        let read = words.read();
        if self.written.get().wrapping_sub(read) <= self.written.get().wrapping_sub(self.read.get()) {
            // Padded lengths keep every true position a multiple of 8; the others are not of our worker's.
            self.read.set(read & !7);
        }
    }
}

/// The worker's end. It looks how far the ring is written when it has read all that it knows of, and gives back what it
/// has read a part at a time: the words of the ring go to and fro between the two processors for each batch of notes,
/// not for each note.
#[derive(Debug)]
pub(super) struct Reader {
    read: Cell<u32>,
    known: Cell<u32>,
    released: Cell<u32>,
}

impl Reader {
    /// Goes on where the reader before it, in this worker or in none, has stopped.
    pub(super) fn of(words: &RingWords) -> Self {
        let read = words.read();
        Reader { read: Cell::new(read), known: Cell::new(read), released: Cell::new(read) }
    }

    #[inline(always)]
    pub(super) fn is_empty(&self, words: &RingWords) -> bool {
        if self.known.get() == self.read.get() {
            self.known.set(words.written());
        }
        self.known.get() == self.read.get()
    }

    /// Reads the next note and lets `run` have it with its payload, if there is one.
    pub(super) fn pop(
        &self,
        ring: Area<'_>,
        words: &RingWords,
        note: &mut Received,
        run: impl FnOnce(&Received, Area<'_>),
    ) -> Result<(), Malformed> {
        while !self.is_empty(words) {
            let filled = self.known.get().wrapping_sub(self.read.get()) as usize;
            let at = self.read.get() as usize % SIZE;
            let [len, is_skipped] = ring.get::<[u32; 2]>(at).ok_or(Malformed("a record outside of its ring"))?;
            let len = len as usize;
            let is_one = len.is_multiple_of(8) && len <= filled && filled <= SIZE;
            let body = ring.part(at, len).filter(|_| is_one).and_then(|record| record.from(HEAD));
            let body = body.ok_or(Malformed("a record outside of its ring"))?;
            if is_skipped != 0 {
                self.advance(words, len);
                continue;
            }
            let (payload, _) = frame::take(body, note)?;
            run(note, payload);
            self.advance(words, len);
            break;
        }
        Ok(())
    }

    fn advance(&self, words: &RingWords, len: usize) {
        let read = self.read.get().wrapping_add(len as u32);
        self.read.set(read);
        if read == self.known.get() || read.wrapping_sub(self.released.get()) as usize >= SIZE / 8 {
            self.released.set(read);
            words.release(read);
        }
    }
}
