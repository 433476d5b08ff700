//! The last words of a worker: where it was when a signal ended it, in a piece of memory that outlives its process.
//!
//! The worker writes there in the signal's handler, and the host reads when the process has ended: from the file, so that
//! it maps nothing, bounded, and without believing any of it.

use std::io;
use std::mem::offset_of;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU32, AtomicU64};

use rustix::io::{pread, pwrite};

use crate::sealed::sealed;

/// How many bytes there are.
pub(crate) const SIZE: usize = 128 << 10;
/// How many frames are noted: the innermost ones.
pub(crate) const FRAMES: usize = 128;

/// What is there, but for the list of what the process has mapped, which follows as text.
#[repr(C)]
pub(crate) struct Words {
    /// Written by the host: the number of the lane, plus one, whose thread is to speak; 0 for the one that is asked.
    pub(crate) asked: AtomicU32,
    /// Whether something was said.
    pub(crate) said: AtomicU32,
    /// The instruction that was interrupted.
    pub(crate) at: AtomicU64,
    /// How many frames there are.
    pub(crate) count: AtomicU32,
    /// How many bytes the list has.
    pub(crate) mapped: AtomicU32,
    /// Instruction pointers, innermost first, from the handler on.
    pub(crate) frames: [AtomicU64; FRAMES],
}

const _: () = assert!(size_of::<Words>() < SIZE / 2);

/// What was said.
#[derive(Debug)]
pub(crate) struct Said {
    /// The addresses of the functions that the thread was in, innermost first. All but the first are return addresses.
    pub(crate) frames: Vec<u64>,
    /// What the process had mapped, as in `/proc/PID/maps`.
    pub(crate) mapped: String,
}

/// The host's end.
#[derive(Debug)]
pub(crate) struct LastWords(OwnedFd);

impl LastWords {
    pub(crate) fn create() -> io::Result<Self> {
        sealed("hookrail-last-words", SIZE).map(LastWords)
    }

    /// What the worker maps.
    pub(crate) fn file(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    /// When it is told to end, the thread that serves this lane is to speak.
    pub(crate) fn ask(&self, lane: usize) {
        let asked = u32::try_from(lane).map_or(0, |lane| lane + 1);
        // At worst another thread speaks.
        let _ = pwrite(&self.0, &asked.to_ne_bytes(), offset_of!(Words, asked) as u64);
    }

    /// What the process said that has ended.
    pub(crate) fn hear(&self) -> Option<Said> {
        let mut bytes = vec![0; SIZE];
        let read = pread(&self.0, &mut bytes, 0).ok()?;
        bytes.truncate(read);
        let long = |at: usize| Some(u64::from_ne_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
        let short = |at: usize| Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?) as usize);
        if short(offset_of!(Words, said))? == 0 {
            return None;
        }
        let (at, count) = (long(offset_of!(Words, at))?, short(offset_of!(Words, count))?.min(FRAMES));
        let frames: Option<Vec<_>> = (0..count).map(|frame| long(offset_of!(Words, frames) + 8 * frame)).collect();
        // Those of the handler come first.
        let mut frames = frames?;
        match frames.iter().position(|frame| *frame == at) {
            Some(own) => drop(frames.drain(..own)),
            None => frames = vec![at],
        }
        let list = bytes.get(size_of::<Words>()..)?;
        let list = &list[..short(offset_of!(Words, mapped))?.min(list.len())];
        Some(Said { frames, mapped: String::from_utf8_lossy(list).into_owned() })
    }
}

#[cfg(test)]
mod tests {
    use rustix::fs::ftruncate;

    use super::*;

    #[test]
    fn nothing_that_a_worker_writes_there_is_believed() {
        let words = LastWords::create().unwrap();
        assert!(words.hear().is_none());
        for byte in [1, 0x7f, 0xff] {
            assert_eq!(pwrite(&words.0, &[byte; SIZE], 0), Ok(SIZE));
            let said = words.hear().unwrap();
            assert!(said.frames.len() <= FRAMES && said.mapped.len() <= 3 * SIZE, "{byte}");
        }
        // Its size is sealed.
        ftruncate(&words.0, 1).unwrap_err();
        ftruncate(&words.0, 2 * SIZE as u64).unwrap_err();
    }
}
