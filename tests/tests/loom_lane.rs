//! Models of a lane's words, explored by loom: every interleaving, and every stale value that the memory model lets a
//! side see.
//!
//! The protocol is that of the production files, which take their atomics and the kernel's sleep from `super::sync`: here
//! that is loom's. Each model is run once as it is, and once for each [`Flaw`] that must break it: a model that passes
//! without its fences proves nothing.
//!
//! The sleep here has no end but being woken, so a lost waking is a deadlock, which loom reports. loom knows no
//! `membarrier(2)`, so both sides of the ring issue `fence(SeqCst)` here.

#[path = "../../host/isolate/src/lane/mail.rs"]
#[allow(dead_code, unreachable_pub)]
mod mail;
#[path = "../../host/isolate/src/lane/ring.rs"]
#[allow(dead_code, unreachable_pub)]
mod ring;
#[path = "fixtures/loom_lane_sync.rs"]
mod sync;
#[path = "../../host/isolate/src/lane/turn.rs"]
#[allow(dead_code, unreachable_pub)]
mod turn;

use std::cell::Cell;
use std::panic::catch_unwind;
use std::sync::Arc;

use loom::cell::UnsafeCell;
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread::spawn;

use crate::mail::Mail;
use crate::ring::RingWords;
use crate::turn::{Seen, Turn, next, opens};

#[test]
fn each_reply_is_that_to_its_request_and_nobody_sleeps_on() {
    holds(two_calls);
    breaks(Flaw::RelaxedTurn, two_calls);
    breaks(Flaw::NobodyParked, two_calls);
    breaks(Flaw::SleepUnseen, two_calls);
}

#[test]
fn a_reply_that_comes_late_is_not_that_to_another_request() {
    holds(late_reply);
    breaks(Flaw::FlagForCount, late_reply);
}

#[test]
fn upcalls_return_to_whoever_waits() {
    holds(upcall);
    breaks(Flaw::RelaxedTurn, upcall);
    breaks(Flaw::NobodyParked, upcall);
}

#[test]
fn the_death_of_a_worker_wakes_its_host() {
    holds(death);
    breaks(Flaw::PoisonUnseen, death);
    breaks(Flaw::RelaxedTurn, death);
}

#[test]
fn poison_that_is_passed_over_stays() {
    holds(poisoned_meanwhile);
    breaks(Flaw::PoisonOverwritten, poisoned_meanwhile);
}

#[test]
fn a_note_wakes_a_sleeping_reader() {
    holds(notes);
    breaks(Flaw::NoLightFence, notes);
    breaks(Flaw::NoHeavyFence, notes);
    breaks(Flaw::RelaxedRing, notes);
    breaks(Flaw::NotLookedAgain, notes);
}

/// Both sides wait without spinning; payloads lie in memory that loom watches.
fn two_calls() {
    let lane = Lane::new();
    let worker = {
        let lane = lane.clone();
        spawn(move || {
            let mut word = 0;
            for round in 1..=2 {
                word = lane.wait(word);
                assert!(opens(word));
                assert_eq!((lane.read(), lane.mail.take()[0]), (round, round), "a torn request");
                lane.reply(&mut word, 10 * round);
            }
        })
    };
    let mut word = 0;
    for round in 1..=2 {
        lane.request(&mut word, round);
        word = lane.wait(word);
        assert!(!opens(word));
        assert_eq!(
            (lane.read(), lane.mail.take()[0]),
            (10 * round, 10 * round),
            "a torn reply, or that to another request"
        );
    }
    worker.join().unwrap();
}

/// The host gives up its first call, and misuses the lane for a second one: the reply to the first is not taken for it.
fn late_reply() {
    let lane = Lane::new();
    let worker = {
        let lane = lane.clone();
        spawn(move || {
            loop {
                match lane.turn.look(0) {
                    Seen::Theirs => lane.turn.park(0, None, || false),
                    Seen::Ours(word) => {
                        let _ = lane.turn.pass(next(word, false));
                        break;
                    }
                    _ => break,
                }
            }
        })
    };
    let first = next(0, true);
    assert!(lane.turn.pass(first));
    let second = if FLAW.get() == Some(Flaw::FlagForCount) { first } else { next(next(first, false), true) };
    let _ = lane.turn.pass(second);
    for _ in 0..2 {
        assert!(!matches!(lane.turn.look(second), Seen::Ours(_)), "it was not replied to");
    }
    worker.join().unwrap();
}

/// The worker asks within a request, and the host calls before it answers.
fn upcall() {
    let lane = Lane::new();
    let worker = {
        let lane = lane.clone();
        spawn(move || {
            let mut word = lane.wait(0);
            assert_eq!((opens(word), lane.read()), (true, 1));
            lane.request(&mut word, 2);
            word = lane.wait(word);
            assert_eq!((opens(word), lane.read()), (false, 3));
            lane.reply(&mut word, 4);
        })
    };
    let mut word = 0;
    lane.request(&mut word, 1);
    word = lane.wait(word);
    assert_eq!((opens(word), lane.read()), (true, 2));
    lane.reply(&mut word, 3);
    word = lane.wait(word);
    assert_eq!((opens(word), lane.read()), (false, 4));
    worker.join().unwrap();
}

/// The worker never replies; a watcher says that it is dead, and poisons the lane.
fn death() {
    let lane = Lane::new();
    let watcher = {
        let lane = lane.clone();
        spawn(move || {
            lane.dead.store(true, Ordering::Relaxed);
            lane.turn.poison();
        })
    };
    let word = next(0, true);
    if lane.turn.pass(word) {
        loop {
            match lane.turn.look(word) {
                Seen::Theirs => lane.turn.park(word, None, || lane.dead.load(Ordering::Relaxed)),
                Seen::Poisoned => break assert!(lane.dead.load(Ordering::Relaxed), "whoever sees poison sees why"),
                seen => panic!("{seen:?}"),
            }
            if lane.dead.load(Ordering::Relaxed) {
                break;
            }
        }
    }
    watcher.join().unwrap();
}

/// The turn is passed just when it is poisoned: whoever waits for the next one finds that.
fn poisoned_meanwhile() {
    let lane = Lane::new();
    let watcher = {
        let lane = lane.clone();
        spawn(move || lane.turn.poison())
    };
    let worker = {
        let lane = lane.clone();
        spawn(move || {
            if let Some(word) = lane.wait_or_end(0) {
                let _ = lane.turn.pass(next(word, false));
                // No other request comes.
                assert_eq!(lane.wait_or_end(next(word, false)), None);
            }
        })
    };
    let _ = lane.turn.pass(next(0, true));
    watcher.join().unwrap();
    worker.join().unwrap();
}

/// The reader sleeps until it has read both notes, of which the second one finds it anywhere on its way to sleep.
fn notes() {
    let lane = Lane::new();
    let reader = {
        let lane = lane.clone();
        spawn(move || {
            let mut read = 0;
            loop {
                lane.ring.watch();
                while lane.ring.written() != read {
                    // SAFETY: loom fails the model if another thread writes.
                    let note = lane.notes[read as usize].with(|note| unsafe { *note });
                    read += 1;
                    assert_eq!(note, read, "a torn note");
                    lane.ring.release(read);
                }
                if read == 2 {
                    break;
                }
                assert!(lane.ring.stop_watching());
                let is_needless = || lane.ring.written() != read && FLAW.get() != Some(Flaw::NotLookedAgain);
                if lane.ring.written() == read {
                    lane.turn.park(0, None, is_needless);
                }
            }
        })
    };
    for written in 1..=2 {
        // SAFETY: loom fails the model if another thread has access.
        lane.notes[written as usize - 1].with_mut(|note| unsafe { *note = written });
        if lane.ring.publish(written) {
            lane.turn.unpark();
        }
    }
    reader.join().unwrap();
    assert_eq!(lane.ring.read(), 2);
}

/// The words of a lane, and a payload.
#[derive(Debug)]
struct Lane {
    turn: Turn,
    mail: Mail,
    ring: RingWords,
    dead: AtomicBool,
    payload: UnsafeCell<u64>,
    notes: [UnsafeCell<u32>; 2],
}

// SAFETY: loom watches each access, and fails the model at a race.
unsafe impl Send for Lane {}
// SAFETY: loom watches each access, and fails the model at a race.
unsafe impl Sync for Lane {}

impl Lane {
    fn new() -> Arc<Self> {
        Arc::new(Lane {
            turn: Turn::default(),
            mail: Mail::default(),
            ring: RingWords::default(),
            dead: AtomicBool::new(false),
            payload: UnsafeCell::new(0),
            notes: [UnsafeCell::new(0), UnsafeCell::new(0)],
        })
    }

    fn request(&self, word: &mut u32, value: u64) {
        self.pass(word, value, true);
    }

    fn reply(&self, word: &mut u32, value: u64) {
        self.pass(word, value, false);
    }

    fn pass(&self, word: &mut u32, value: u64, opens: bool) {
        // SAFETY: loom fails the model if another thread has access.
        self.payload.with_mut(|payload| unsafe { *payload = value });
        self.mail.put(&[value]);
        *word = next(*word, opens);
        assert!(self.turn.pass(*word));
    }

    fn read(&self) -> u64 {
        // SAFETY: loom fails the model if another thread writes.
        self.payload.with(|payload| unsafe { *payload })
    }

    fn wait(&self, passed: u32) -> u32 {
        self.wait_or_end(passed).expect("nobody poisons it")
    }

    fn wait_or_end(&self, passed: u32) -> Option<u32> {
        loop {
            match self.turn.look(passed) {
                Seen::Theirs => self.turn.park(passed, None, || false),
                Seen::Ours(word) => return Some(word),
                Seen::Poisoned => return None,
                Seen::Nonsense => panic!("nobody breaks the rules"),
            }
        }
    }
}

/// What a deliberately broken variant lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    /// The turn is a flag, whose it is, and not a count.
    FlagForCount,
    /// The writer of the ring looks for its reader before its record can be seen.
    NoLightFence,
    /// The reader looks at the ring before it can be seen that it sleeps.
    NoHeavyFence,
    /// Whoever passes the turn does not see that the other side sleeps.
    NobodyParked,
    /// The reader does not look at the ring again when it has parked.
    NotLookedAgain,
    /// Poison is overwritten by whoever passes the turn.
    PoisonOverwritten,
    /// Whoever sleeps does not see poison.
    PoisonUnseen,
    /// The positions of the ring are accessed relaxed.
    RelaxedRing,
    /// The turn is accessed relaxed.
    RelaxedTurn,
    /// The kernel does not compare the word before a thread falls asleep.
    SleepUnseen,
}

thread_local! {
    // loom runs all threads of a model on one thread.
    static FLAW: Cell<Option<Flaw>> = const { Cell::new(None) };
}

fn holds(model: fn()) {
    FLAW.set(None);
    explore(model);
}

fn breaks(flaw: Flaw, model: fn()) {
    FLAW.set(Some(flaw));
    assert!(catch_unwind(|| explore(model)).is_err(), "loom finds nothing wrong with {flaw:?}");
}

fn explore(model: fn()) {
    let mut builder = loom::model::Builder::new();
    // Enough for every flaw above, in seconds. LOOM_MAX_PREEMPTIONS=100 explores everything, in minutes.
    builder.preemption_bound = builder.preemption_bound.or(Some(3));
    builder.check(model);
}
