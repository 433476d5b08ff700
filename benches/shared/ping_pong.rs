//! The least that two processes need to exchange payloads over shared memory: one word that each sets in turn, and the
//! bytes. It is what a lane is compared with. No deadline, no death, no bounds, and both sides trust each other.

use std::cell::RefCell;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::Child;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use hookrail_isolate::lane::Area;
use rustix::fs::{MemfdFlags, ftruncate, memfd_create};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};
use rustix::thread::futex;

use super::other_side::start;

/// How a side waits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wait {
    Spin,
    Sleep,
}

/// What each of the two sides does with the bytes, besides handing them over.
pub(crate) trait Work {
    /// The first side writes; returns how many bytes.
    fn write(&mut self, room: Area<'_>) -> usize;
    /// The first side reads what came back; no bytes if nothing did.
    fn read_back(&mut self, bytes: Area<'_>);
    /// The second side reads, and writes to the same place; returns how many bytes go back.
    fn serve(&mut self, bytes: Area<'_>, room: Area<'_>) -> usize;
}

/// The first side, with the process that is the second one.
pub(crate) struct PingPong<W> {
    shared: Shared,
    work: RefCell<W>,
    other: RefCell<Child>,
    wait: Wait,
}

impl<W: Work> PingPong<W> {
    /// `args` say for [`serve`]'s caller what the other side is to do.
    pub(crate) fn new(room: usize, wait: Wait, work: W, args: &[&str]) -> Self {
        let file = memfd_create("ping-pong", MemfdFlags::CLOEXEC).expect("memory");
        ftruncate(&file, (HEAD + room) as u64).expect("room");
        let other = start(&file, args).into();
        PingPong { shared: Shared::map(&file, HEAD + room), work: work.into(), other, wait }
    }

    /// So many exchanges, of which each ends before the next one begins.
    pub(crate) fn run(&self, rounds: u64) -> Duration {
        let (mut work, mut other) = (self.work.borrow_mut(), self.other.borrow_mut());
        other.stdin.as_mut().expect("a pipe").write_all(&rounds.to_ne_bytes()).expect("it listens");
        other.stdout.as_mut().expect("a pipe").read_exact(&mut [0]).expect("it is ready");
        let mut turn = self.shared.words().turn.load(Ordering::Relaxed);
        let start = Instant::now();
        for _ in 0..rounds {
            let len = work.write(self.shared.area());
            self.shared.pass(turn.wrapping_add(1), len, self.wait);
            turn = turn.wrapping_add(2);
            work.read_back(self.shared.wait(turn, self.wait));
        }
        start.elapsed()
    }
}

impl<W> Drop for PingPong<W> {
    fn drop(&mut self) {
        drop(self.other.get_mut().stdin.take());
        self.other.get_mut().wait().expect("it ends with its input");
    }
}

/// The other side.
pub(crate) fn serve(file: &OwnedFd, room: usize, wait: Wait, mut work: impl Work) {
    let shared = Shared::map(file, HEAD + room);
    let (mut rounds, mut turn) = ([0; 8], 0_u32);
    while std::io::stdin().read_exact(&mut rounds).is_ok() {
        std::io::stdout().write_all(&[1]).and_then(|()| std::io::stdout().flush()).expect("it listens");
        for _ in 0..u64::from_ne_bytes(rounds) {
            let bytes = shared.wait(turn.wrapping_add(1), wait);
            let back = work.serve(bytes, shared.area());
            turn = turn.wrapping_add(2);
            shared.pass(turn, back, wait);
        }
    }
}

const HEAD: usize = 4096;

#[repr(C, align(64))]
struct Words {
    turn: AtomicU32,
    len: AtomicU32,
}

/// A mapping of the whole file.
struct Shared {
    start: *mut u8,
    len: usize,
}

impl Shared {
    fn map(file: &OwnedFd, len: usize) -> Self {
        // SAFETY: a fresh mapping.
        let start = unsafe { mmap(null_mut(), len, ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED, file, 0) };
        Shared { start: start.expect("room").cast(), len }
    }

    fn words(&self) -> &Words {
        // SAFETY: the mapping begins with the words, which are atomics.
        unsafe { &*self.start.cast() }
    }

    fn area(&self) -> Area<'_> {
        // SAFETY: the rest of the mapping, behind the words.
        unsafe { Area::new(self.start.add(HEAD), self.len - HEAD) }
    }

    fn pass(&self, turn: u32, len: usize, wait: Wait) {
        self.words().len.store(len as u32, Ordering::Relaxed);
        self.words().turn.store(turn, Ordering::Release);
        if wait == Wait::Sleep {
            futex::wake(&self.words().turn, futex::Flags::empty(), 1).expect("it is a word");
        }
    }

    fn wait(&self, turn: u32, wait: Wait) -> Area<'_> {
        loop {
            let now = self.words().turn.load(Ordering::Acquire);
            if now == turn {
                break;
            }
            match wait {
                Wait::Spin => std::hint::spin_loop(),
                Wait::Sleep => _ = futex::wait(&self.words().turn, futex::Flags::empty(), now, None),
            }
        }
        self.area().part(0, self.words().len.load(Ordering::Relaxed) as usize).expect("it was written")
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours.
        unsafe { munmap(self.start.cast(), self.len) }.expect("it is mapped");
    }
}
