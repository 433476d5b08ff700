//! What is encoded is decoded, what is unchanged is not sent, and what is no payload changes nothing.

use std::ffi::c_void;
use std::ptr::{from_mut, from_ref, null_mut};

use hookrail_abi::catalogue::MessagePublish;
use hookrail_abi::{Bytes, Message, Point, Text};
use hookrail_isolate::flat::{Codec, Scratch};
use hookrail_isolate::lane::{Area, Malformed};
use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect, munmap};

use crate::random::{Random, is_valid, message};

const PAGE: usize = 4096;
const ROOM: usize = 64 * PAGE;

/// Room for payloads, behind which every access ends the test.
struct Guarded(*mut u8);

impl Guarded {
    fn new() -> Self {
        // SAFETY: a fresh mapping, of which the last page is then forbidden.
        unsafe {
            let access = ProtFlags::READ | ProtFlags::WRITE;
            let start = mmap_anonymous(null_mut(), ROOM + PAGE, access, MapFlags::PRIVATE).unwrap();
            mprotect(start.byte_add(ROOM), PAGE, MprotectFlags::empty()).unwrap();
            Guarded(start.cast())
        }
    }

    /// The last bytes of the room.
    fn last(&self, len: usize) -> Area<'_> {
        assert!(len <= ROOM);
        // SAFETY: they lie in the mapping, and are used by areas alone.
        unsafe { Area::new(self.0.add(ROOM - len), len) }
    }

    /// Encodes a payload, so that its last byte is the last of the room if it can be: a large body is aligned.
    fn encoded(&self, codec: Codec, message: &Message) -> Area<'_> {
        let len = encode(codec, message, self.last(ROOM));
        if encode(codec, message, self.last(len)) == len {
            return self.last(len);
        }
        let room = self.last(ROOM);
        room.part(0, encode(codec, message, room)).unwrap()
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours.
        unsafe { munmap(self.0.cast(), ROOM + PAGE) }.unwrap();
    }
}

fn pointer(message: &Message) -> *const c_void {
    from_ref(message).cast()
}

fn encode(codec: Codec, message: &Message, room: Area<'_>) -> usize {
    // SAFETY: both codecs are those of messages.
    unsafe { codec.encode_into(pointer(message), room) }.unwrap()
}

fn decode(codec: Codec, from: Area<'_>, to: &mut Message, scratch: &mut Scratch) -> Result<(), Malformed> {
    // SAFETY: both codecs are those of messages.
    unsafe { codec.decode(from, from_mut(to).cast(), scratch) }
}

/// A round trip as host and worker do it. Returns how many bytes came back, if any did.
fn round_trip(
    codec: Codec,
    room: &Guarded,
    sent: &mut Message,
    (kept, scratch): &mut (Message, Scratch),
    edit: impl FnOnce(&mut Message),
) -> Option<usize> {
    let request = room.encoded(codec, sent);
    decode(codec, request, kept, scratch).unwrap();
    assert_eq!(kept, sent);
    assert_eq!(reserved(kept), reserved(sent));
    edit(kept);
    // SAFETY: both codecs are those of messages.
    let changes = unsafe { codec.changes(pointer(kept), request, scratch) };
    let Some(changes) = changes else {
        assert_eq!(kept, sent, "a change was missed");
        return None;
    };
    let back = room.last(ROOM);
    // SAFETY: as above.
    let len = unsafe { codec.encode_changes(pointer(kept), changes, scratch, back) }.unwrap();
    decode(codec, back.part(0, len).unwrap(), sent, &mut Scratch::default()).unwrap();
    assert_eq!(sent, kept);
    assert_eq!(reserved(sent), reserved(kept));
    Some(len)
}

/// The reserved words, where the boundary has them: at the end.
fn reserved(message: &Message) -> [u64; 4] {
    // SAFETY: a message ends with them.
    unsafe { from_ref(message).byte_add(size_of::<Message>() - 32).cast::<[u64; 4]>().read() }
}

fn set_reserved(message: &mut Message, words: [u64; 4]) {
    // SAFETY: a message ends with them.
    unsafe { from_mut(message).byte_add(size_of::<Message>() - 32).cast::<[u64; 4]>().write(words) };
}

fn ops() -> Codec {
    Codec::Ops(*MessagePublish::ops())
}

#[test]
fn a_round_trip_is_the_identity_for_every_message() {
    let (mut random, room) = (Random::new(3), Guarded::new());
    let mut kept = (Message::empty(), Scratch::default());
    for round in 0..2000 {
        let mut sent = message(&mut random, [0, 3, 40, 3000][round % 4]);
        set_reserved(&mut sent, std::array::from_fn(|_| random.next()));
        assert_eq!(round_trip(Codec::Message, &room, &mut sent, &mut kept, |_| {}), None, "unchanged");
        let other = message(&mut random, 40);
        round_trip(Codec::Message, &room, &mut sent, &mut kept, |message| match round % 9 {
            0 => message.id = other.id,
            1 => message.timestamp = other.timestamp,
            2 => message.flags = other.flags,
            3 => message.source = other.source,
            4 => message.topic = other.topic,
            5 => message.headers = other.headers,
            6 => message.body = other.body,
            7 => set_reserved(message, [1, 2, 3, 4]),
            _ => *message = other,
        });
    }
}

#[test]
fn a_message_at_its_limits_crosses() {
    let (room, mut kept) = (Guarded::new(), (Message::empty(), Scratch::default()));
    round_trip(Codec::Message, &room, &mut Message::empty(), &mut kept, |_| {});
    let mut huge = Message::new("", vec![0xff; 200_000]);
    huge.add_header(&"k".repeat(9000), &"→".repeat(9000));
    (0..1000).for_each(|_| huge.add_header("", ""));
    round_trip(Codec::Message, &room, &mut huge, &mut kept, |_| {});
    for (len, fits) in [(200_000, true), (ROOM, false), (1 << 30, false)] {
        huge.body = Bytes::new();
        huge.body.extend_from_slice(&vec![1; len]);
        assert_eq!(encode(Codec::Message, &huge, room.last(ROOM)) <= ROOM, fits);
    }
}

#[test]
fn only_what_was_changed_is_sent_back() {
    let (room, mut kept) = (Guarded::new(), (Message::empty(), Scratch::default()));
    let mut sent = Message::new("a.topic", vec![7; 5000]);
    sent.add_header("key", &"v".repeat(1000));
    let mut back = |edit: fn(&mut Message)| round_trip(Codec::Message, &room, &mut sent, &mut kept, edit).unwrap();
    assert!(back(|message| message.timestamp += 1) < 200, "neither texts nor body");
    assert!((1000..1300).contains(&back(|message| message.set_header("key", &"w".repeat(1000)))), "no body");
    assert!((5000..5300).contains(&back(|message| message.body.as_mut_slice()[4999] = 8)), "no texts");
}

#[test]
fn other_payloads_cross_by_their_operations() {
    let (mut random, room) = (Random::new(4), Guarded::new());
    let mut kept = (Message::empty(), Scratch::default());
    for round in 0..200 {
        let mut sent = message(&mut random, 100);
        assert_eq!(round_trip(ops(), &room, &mut sent, &mut kept, |_| {}), None, "unchanged");
        let changed =
            round_trip(ops(), &room, &mut sent, &mut kept, |message| message.topic = Text::from(format!("t{round}")));
        assert!(changed.is_some());
    }
    let mut without = *MessagePublish::ops();
    without.encode_into = None;
    let mut sent = message(&mut random, 100);
    round_trip(Codec::Ops(without), &room, &mut sent, &mut kept, |message| message.flags ^= 1);
    without.encode = None;
    // SAFETY: it is a message.
    assert_eq!(unsafe { Codec::Ops(without).encode_into(pointer(&sent), room.last(ROOM)) }, None);
}

/// A guard page lies behind the bytes, so that reading one too many ends the test.
#[test]
fn mutated_bytes_are_a_valid_message_or_change_nothing() {
    let (mut random, room) = (Random::new(5), Guarded::new());
    for codec in [Codec::Message, ops()] {
        let (mut decoded, mut refused) = (0, 0);
        let mut scratch = Scratch::default();
        let mut to = message(&mut random, 100);
        for round in 0..10_000 {
            let bytes = room.encoded(codec, &message(&mut random, 40));
            for _ in 0..1 + random.below(3) {
                // The numbers and lengths come first.
                let most = if random.below(2) == 0 { bytes.len() } else { bytes.len().min(120) };
                let at = random.below(most as u64) as usize;
                let byte = [0, 1, 2, 0x7f, 0x80, 0xff, random.next() as u8][random.below(7) as usize];
                bytes.write(at, &[byte]).unwrap();
            }
            let bytes =
                if round % 4 == 0 { bytes.part(0, random.below(bytes.len() as u64) as usize).unwrap() } else { bytes };
            let before = to.clone();
            match decode(codec, bytes, &mut to, &mut scratch) {
                Ok(()) => {
                    assert!(is_valid(&to));
                    decoded += 1;
                }
                Err(_) => {
                    assert!(to == before && reserved(&to) == reserved(&before), "it was touched");
                    refused += 1;
                }
            }
        }
        assert!(decoded > 500 && refused > 500, "{decoded} {refused}");
    }
}
