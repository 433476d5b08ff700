//! Copies of the loop over long chains, each for one chain: made some at a time, and used again when their chain is gone.
//!
//! A copy has no unwinding tables, so a backtrace that is taken in a callback of a long chain ends there. Nothing
//! unwinds through it: panics are caught in their plugin.

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::slice::from_raw_parts;

use parking_lot::Mutex;

use super::long::{LENGTH, RunLong, here};

/// Where copies lie.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    Libraries,
    Program,
}

/// What a program and what lies beside it have between them at most.
pub(super) const NEAR: usize = 2 << 30;

/// How many copies are made at a time.
const COPIES: usize = 32;

/// The copies that no chain uses, among libraries and beside the program.
static FREE: [Mutex<Vec<RunLong>>; 2] = [const { Mutex::new(Vec::new()) }; 2];

/// A copy for one chain, which gives it back.
#[derive(Debug)]
pub(super) struct Copied {
    run: RunLong,
    place: Place,
}

impl Copied {
    /// `None` where code may not be copied.
    pub(super) fn new(place: Place) -> Option<Self> {
        let mut free = FREE[place as usize].lock();
        if free.is_empty() {
            free.extend(copy(place)?);
        }
        Some(Copied { run: free.pop()?, place })
    }

    pub(super) fn run(&self) -> RunLong {
        self.run
    }
}

impl Drop for Copied {
    fn drop(&mut self) {
        FREE[self.place as usize].lock().push(self.run);
    }
}

/// Makes copies, which stay for as long as the process.
///
/// By a file in memory, as a library is loaded: a page is never writable and executable, which hardened systems refuse.
fn copy(place: Place) -> Option<impl Iterator<Item = RunLong>> {
    // Kernels before 6.3 do not know the flag, and need none.
    let file = open(libc::MFD_EXEC).or_else(|| open(0))?;
    // SAFETY: the loop is that many bytes, by its last directive, and code may be read.
    let copies = unsafe { from_raw_parts(here as *const u8, LENGTH) }.repeat(COPIES);
    // SAFETY: there are as many bytes.
    let written = unsafe { libc::write(file.as_raw_fd(), copies.as_ptr().cast(), copies.len()) };
    if written.cast_unsigned() != copies.len() {
        return None;
    }
    let program = here as *const () as usize & !0xfff;
    let hint = match place {
        // Where the system maps libraries too.
        Place::Libraries => 0,
        // Far enough for the program's data to grow.
        Place::Program if program > NEAR => program - NEAR / 2,
        Place::Program => program + NEAR / 2,
    };
    let hint = std::ptr::without_provenance_mut(hint);
    let protection = libc::PROT_READ | libc::PROT_EXEC;
    // SAFETY: a new mapping where nothing is, since the address is only a hint; the file is that long.
    let pages = unsafe { libc::mmap(hint, copies.len(), protection, libc::MAP_PRIVATE, file.as_raw_fd(), 0) };
    if pages == libc::MAP_FAILED {
        return None;
    }
    let pages: *mut u8 = pages.cast();
    // SAFETY: each is a copy of `here`, which refers to no address, in pages that are never unmapped.
    Some((0..COPIES).map(move |index| unsafe { std::mem::transmute::<*mut u8, RunLong>(pages.add(index * LENGTH)) }))
}

fn open(flags: libc::c_uint) -> Option<OwnedFd> {
    // SAFETY: the name ends with a zero.
    let file = unsafe { libc::memfd_create(c"hookrail-loop".as_ptr(), libc::MFD_CLOEXEC | flags) };
    // SAFETY: if there is a file, the call opened it, for us.
    (file >= 0).then(|| unsafe { OwnedFd::from_raw_fd(file) })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_chain_has_a_copy_of_its_own_and_gives_it_back() {
        for place in [Place::Libraries, Place::Program] {
            let [one, other] = [(); 2].map(|()| Copied::new(place).expect("this system lets code be copied"));
            assert_ne!(one.run as usize, other.run as usize);
            let distance = (one.run as usize).abs_diff(here as *const () as usize);
            assert_eq!(distance < NEAR, matches!(place, Place::Program), "{distance:#x}");
            // Other tests take and free some meanwhile.
            let used: HashSet<_> = (0..1_000).map(|_| Copied::new(place).unwrap().run as usize).collect();
            assert!(used.len() < 1_000 / 2, "{}", used.len());
        }
    }
}
