//! A worker that writes what it likes: every call comes to an end, with a reply or without.

use std::ffi::c_void;
use std::ptr::{from_mut, null_mut};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::thread::scope;
use std::time::{Duration, Instant};

use hookrail_isolate::flat::{Codec, Scratch};
use hookrail_isolate::lane::{Area, Change, HostLane, Lost, Notified, Patience, Region, Spin};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

use crate::pair::{Pair, bytes, calls, none, request, with};
use crate::random::{Random, is_valid, message};

const PAGE: usize = 4096;

/// How much is written over; `.ci/long` says more.
fn mutations() -> usize {
    std::env::var("HOOKRAIL_MUTATIONS").map_or(10_000, |mutations| mutations.parse().expect("a number"))
}

/// The memory as a worker of somebody else's has it, who knows where everything is: a page, then for each lane a page of
/// words and its data.
struct Foreign {
    start: *mut u8,
    len: usize,
}

// SAFETY: it is used by atomic accesses alone.
unsafe impl Sync for Foreign {}

impl Foreign {
    fn of(region: &Region) -> Self {
        let len = rustix::fs::fstat(region.file()).unwrap().st_size as usize;
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a fresh mapping.
        let start = unsafe { mmap(null_mut(), len, access, MapFlags::SHARED, region.file(), 0) };
        Foreign { start: start.unwrap().cast(), len }
    }

    fn word(&self, at: usize) -> &AtomicU64 {
        assert!(at + 8 <= self.len && at.is_multiple_of(8));
        // SAFETY: it lies in the mapping, and all accesses by it are atomic.
        unsafe { &*self.start.add(at).cast() }
    }

    fn turn(&self) -> &AtomicU32 {
        // SAFETY: as above.
        unsafe { &*self.start.add(PAGE).cast() }
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours.
        unsafe { munmap(self.start.cast(), self.len) }.unwrap();
    }
}

/// A lane whose worker is not ours.
struct World {
    foreign: Foreign,
    lane: HostLane,
}

impl World {
    fn new() -> Self {
        let region = Arc::new(Region::create(1, 4 * PAGE).unwrap());
        World { foreign: Foreign::of(&region), lane: HostLane::claim(&region, Spin::never()).unwrap() }
    }
}

/// Ends whoever looks at it, also when the test fails.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// A number that means something now and then.
fn number(random: &mut Random) -> u64 {
    match random.below(6) {
        0 => random.below(20),
        1 => random.below(1 << 17),
        2 => random.next() & 0xffff_ffff,
        3 => 1 << random.below(64),
        4 => u64::MAX - random.below(300),
        _ => random.next(),
    }
}

/// Somebody writes all over the memory while a well-behaved worker serves it, and the host goes on calling.
#[test]
fn every_call_ends_while_somebody_writes_all_over_the_memory() {
    let mut random = Random::new(1);
    let most = mutations();
    let (mut mutations, mut episodes, mut replies, mut lost) = (0, 0, 0, 0);
    while mutations < most {
        episodes += 1;
        let spin = if episodes % 2 == 0 { Spin::adaptive } else { Spin::never };
        let mut pair = Pair::new(1, 16 * PAGE);
        let lane = pair.served(
            spin,
            with(
                |lane, mut crossing| {
                    let mut answer = Vec::new();
                    let handler = calls(|_, crossing| crossing.unchanged());
                    let _ = lane.upcall(&handler, 1, b"please", &mut answer);
                    (0..crossing.request().callbacks().len()).for_each(|_| crossing.end(0, 1));
                    if answer.len() % 2 == 0 { crossing.unchanged() } else { crossing.changed(bytes(&answer)) }
                },
                |_, _, _| {},
            ),
        );
        let foreign = Foreign::of(&pair.host);
        let (is_over, called) = (AtomicBool::new(false), AtomicUsize::new(0));
        let mut scribbles = random.fork();
        scope(|scope| {
            let over = Over(&is_over);
            let scribbler = scope.spawn(|| {
                let mut mutations = 0;
                while !is_over.load(Ordering::Acquire) {
                    // Up to three for each call, early or late in it.
                    if mutations >= 3 * called.load(Ordering::Acquire) {
                        std::thread::yield_now();
                        continue;
                    }
                    (0..scribbles.below(2000)).for_each(|_| std::hint::spin_loop());
                    let at = match scribbles.below(100) {
                        // The turn, or what goes with it.
                        0 => PAGE,
                        1..5 => PAGE + 8 * scribbles.below(8) as usize,
                        // The words of the ring and the others, the frames, anything.
                        5..20 => PAGE + 64 + 8 * scribbles.below(80) as usize,
                        20..60 => 2 * PAGE + 8 * scribbles.below(64) as usize,
                        _ => PAGE + 64 + 8 * scribbles.below((foreign.len - PAGE - 64) as u64 / 8) as usize,
                    };
                    foreign.word(at).store(number(&mut scribbles), Ordering::Relaxed);
                    mutations += 1;
                }
                mutations
            });
            loop {
                let deadline = Some(Instant::now() + Duration::from_millis(20));
                let patience = Patience { deadline, each: Duration::ZERO, dead: &pair.dead };
                let served = |_, asked: &[u8], answer: &mut Vec<u8>| {
                    answer.extend(&asked[..asked.len().min(100)]);
                    0
                };
                called.fetch_add(1, Ordering::Release);
                let _: Notified = lane.notify(&request(&[1, 2]), bytes(b"a note"));
                match lane.call(&request(&[1, 2, 3]), bytes(b"a payload"), &patience, served) {
                    Ok(reply) => {
                        assert!((1..=3).contains(&reply.ran()) && reply.durations().len() == reply.ran());
                        replies += 1;
                    }
                    Err(Lost::Late | Lost::Malformed(_) | Lost::Dead) => break lost += 1,
                    Err(other) => panic!("{other:?}"),
                }
            }
            drop(over);
            mutations += scribbler.join().unwrap();
        });
        drop(lane);
        // The worker ends, however it ends: it was fed nonsense too.
        pair.end();
    }
    println!("{episodes} lanes, {replies} replies, {lost} lost");
    assert!(episodes > 5 && replies > 0, "it loses lanes, and not at once");
}

/// Each reply differs from a true one in some words and bytes. What the host makes of it is a reply or none, and a valid
/// message or the one that it had.
#[test]
fn a_reply_of_nonsense_is_a_reply_or_none_and_its_message_valid_or_untouched() {
    let mut random = Random::new(2);
    let (mut taken, mut decoded, mut refused) = (0, 0, 0);
    let mut scratch = Scratch::default();
    let mut world = World::new();
    let most = mutations();
    for _ in 0..most {
        let World { foreign, lane, .. } = &world;
        let (sent, mut changed) = (message(&mut random, 300), message(&mut random, 300));
        changed.body.truncate(1000);
        let mut replied = vec![0_u8; 2 * PAGE];
        // SAFETY: the bytes are used by this pointer alone, and it is a message.
        let len = unsafe {
            let room = Area::new(replied.as_mut_ptr(), replied.len());
            Codec::Message.encode_into(from_mut(&mut changed).cast::<c_void>(), room).unwrap()
        };
        for _ in 0..random.below(4) {
            let at = random.below(len as u64) as usize;
            replied[at] = number(&mut random) as u8;
        }
        let mut mail = [2 | 1 << 8 | (len as u64) << 32, 0, 77, 78, 79, 80, 81];
        for _ in 0..random.below(3) {
            let at = random.below(7) as usize;
            mail[at] = if random.below(2) == 0 { number(&mut random) } else { mail[at] ^ 1 << random.below(64) };
        }
        let mut received = sent.clone();
        let dead = AtomicBool::new(false);
        let is_lost = scope(|scope| {
            scope.spawn(move || {
                // Once the turn is odd it was passed.
                while foreign.turn().load(Ordering::Acquire) >> 3 & 1 == 0 {
                    std::thread::yield_now();
                }
                for (at, word) in replied.chunks_exact(8).enumerate() {
                    let word = u64::from_ne_bytes(word.try_into().unwrap());
                    foreign.word(2 * PAGE + 8 * at).store(word, Ordering::Relaxed);
                }
                for (at, word) in mail.iter().enumerate() {
                    foreign.word(PAGE + 8 + 8 * at).store(*word, Ordering::Relaxed);
                }
                let passed = foreign.turn().load(Ordering::Relaxed) & !7;
                foreign.turn().store(passed + 8, Ordering::Release);
                let _ = rustix::thread::futex::wake(foreign.turn(), rustix::thread::futex::Flags::empty(), 1);
            });
            let encode = |room: Area<'_>| {
                // SAFETY: it is a message.
                unsafe { Codec::Message.encode_into(std::ptr::from_ref(&sent).cast(), room) }
            };
            let patience = Patience {
                deadline: Some(Instant::now() + Duration::from_secs(60)),
                each: Duration::ZERO,
                dead: &dead,
            };
            match lane.call(&request(&[1, 2]), encode, &patience, none) {
                Ok(reply) => {
                    taken += 1;
                    assert!(reply.report().is_none_or(|(_, text)| text.len() <= 3 * 16384));
                    if let Change::Changed(area) = reply.change() {
                        let to = from_mut(&mut received).cast();
                        // SAFETY: it is a message, and ours.
                        match unsafe { Codec::Message.decode(area, to, &mut scratch) } {
                            Ok(()) => decoded += 1,
                            Err(_) => assert_eq!(received, sent),
                        }
                    }
                    assert!(is_valid(&received));
                    false
                }
                Err(Lost::Malformed(_)) => true,
                Err(other) => panic!("{other:?}"),
            }
        });
        if is_lost {
            refused += 1;
            assert_eq!(received, sent);
            // Its lane is abandoned.
            world = World::new();
        }
    }
    println!("{taken} taken, {decoded} decoded, {refused} refused");
    assert!(taken > most / 4 && decoded > most / 20 && refused > most / 20);
}
