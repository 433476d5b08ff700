//! The last words of a worker: where it was when a signal ended it, in a piece of memory that outlives its process.
//!
//! The worker writes there in the signal's handler, and the host reads when the process has ended: from the file, so that
//! it maps nothing, bounded, and without believing any of it.

use std::io;
use std::mem::offset_of;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU32, AtomicU64};

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};
use rustix::io::{pread, pwrite};

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
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let file = memfd_create("hookrail-last-words", flags | MemfdFlags::NOEXEC_SEAL)
            .or_else(|_| memfd_create("hookrail-last-words", flags))?;
        ftruncate(&file, SIZE as u64)?;
        fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW)?;
        Ok(LastWords(file))
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
        let number = |at: usize| {
            let mut bytes = [0; 4];
            pread(&self.0, &mut bytes, at as u64).ok().map(|_| u32::from_ne_bytes(bytes) as usize)
        };
        let long = |at: usize| {
            let mut bytes = [0; 8];
            pread(&self.0, &mut bytes, at as u64).ok().map(|_| u64::from_ne_bytes(bytes))
        };
        if number(offset_of!(Words, said))? == 0 {
            return None;
        }
        let at = long(offset_of!(Words, at))?;
        let count = number(offset_of!(Words, count))?.min(FRAMES);
        let frames: Option<Vec<_>> = (0..count).map(|frame| long(offset_of!(Words, frames) + 8 * frame)).collect();
        // Those of the handler come first.
        let mut frames = frames?;
        match frames.iter().position(|frame| *frame == at) {
            Some(own) => drop(frames.drain(..own)),
            None => frames = vec![at],
        }
        let len = number(offset_of!(Words, mapped))?.min(SIZE - size_of::<Words>());
        let mut mapped = vec![0; len];
        let read = pread(&self.0, &mut mapped, size_of::<Words>() as u64).ok()?;
        mapped.truncate(read);
        Some(Said { frames, mapped: String::from_utf8_lossy(&mapped).into_owned() })
    }
}
