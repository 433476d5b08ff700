//! The memory that a host and one worker share.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::ptr::{NonNull, null_mut};

use parking_lot::Mutex;
use rustix::fs::{fcntl_get_seals, fstat};
use rustix::io::Errno;
use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap, munmap};

use super::memory::{Memory, PAGE};
use super::pool::{Idle, Pool};
use super::queue;
use super::received::MOST_CALLBACKS;
use super::tally::Tally;
use crate::sealed::{SEALS, sealed};

/// What the first page holds, for the worker: the host never reads it.
type Header = [u64; 3];
/// The form of everything else; raised when it changes.
const FORM: u64 = u64::from_le_bytes(*b"hooklan2");
const MOST_LANES: usize = 4096;
/// Lengths are numbers of 32 bits, and some are summed.
const MOST_DATA: usize = 1 << 30;

/// The memory that a host and one worker share, and on the host's side, which lanes of it are claimed.
///
/// It is sparse: pages that nobody has touched take no memory.
///
/// # Invariants
/// There is a mapping of the whole file at `start`, a page and `lanes` lanes with `data` bytes for payloads each. The
/// file is sealed: it keeps its size. Nothing but lanes leads there once the region is made.
#[derive(Debug)]
pub struct Region {
    file: OwnedFd,
    start: NonNull<u8>,
    lanes: usize,
    data: usize,
    pool: Mutex<Pool>,
    /// By lane, on the host's side.
    tallies: Box<[Tally]>,
}

// SAFETY: the mapping belongs to the process, and what leads there are atomics and pointers.
unsafe impl Send for Region {}
// SAFETY: as above.
unsafe impl Sync for Region {}

impl Region {
    /// Makes the memory for a worker, on the host's side: so many lanes, with so many bytes for payloads each, rounded
    /// up to pages. Children that the host forks do not have the mapping.
    ///
    /// # Errors
    /// If the numbers are out of range (4096 lanes, 1 GiB each), or the system refuses.
    pub fn create(lanes: usize, data: usize) -> io::Result<Self> {
        if lanes == 0 || lanes > MOST_LANES || data == 0 || data > MOST_DATA {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a region has 1 to 4096 lanes of 1 B to 1 GiB"));
        }
        let data = data.next_multiple_of(PAGE);
        let file = sealed("hookrail-lanes", PAGE + lanes * Memory::size(data))?;
        let mut region = Self::map(file, lanes, data)?;
        region.tallies = (0..lanes).map(|_| Tally::default()).collect();
        // SAFETY: by the type invariants the mapping has these bytes, and it is not yet shared.
        unsafe {
            region.start.cast::<Header>().write([FORM, lanes as u64, data as u64]);
            madvise(region.start.as_ptr().cast(), region.size(), Advice::LinuxDontFork)?;
        }
        Ok(region)
    }

    /// Opens the memory in the worker.
    ///
    /// # Errors
    /// If it is not such a memory, or the system refuses.
    pub fn open(file: OwnedFd) -> io::Result<Self> {
        if !fcntl_get_seals(&file)?.contains(SEALS) {
            return Err(Errno::PERM.into());
        }
        let size = u64::try_from(fstat(&file)?.st_size).unwrap_or(0);
        let mut header = [0; size_of::<Header>()];
        rustix::io::pread(&file, &mut header[..], 0)?;
        let [form, lanes, data] = std::array::from_fn(|at| {
            u64::from_ne_bytes(header[8 * at..][..8].try_into().expect("there are three times eight"))
        });
        let fits = form == FORM && lanes <= MOST_LANES as u64 && data <= MOST_DATA as u64 && data % PAGE as u64 == 0;
        let (lanes, data) = (lanes as usize, data as usize);
        if !fits || size != (PAGE + lanes * Memory::size(data)) as u64 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "not the memory of a worker's lanes"));
        }
        Self::map(file, lanes, data)
    }

    /// Maps a sealed file of just that size.
    fn map(file: OwnedFd, lanes: usize, data: usize) -> io::Result<Self> {
        let size = PAGE + lanes * Memory::size(data);
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a fresh mapping, at an address of the kernel's choice.
        let start = unsafe { mmap(null_mut(), size, access, MapFlags::SHARED, &file, 0)? };
        let start = NonNull::new(start.cast()).expect("nothing is mapped at null");
        // INVARIANT: the mapping has the size of the file, which is sealed.
        Ok(Region { file, start, lanes, data, pool: Mutex::default(), tallies: Box::default() })
    }

    fn size(&self) -> usize {
        PAGE + self.lanes * Memory::size(self.data)
    }

    /// The file, to be handed to the worker.
    pub fn file(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    /// How many lanes there are.
    pub fn lanes(&self) -> usize {
        self.lanes
    }

    /// Makes everybody give up who waits on a lane of this process's, on either side, and whoever would wait later:
    /// calls are lost with [`Lost::Dead`](super::Lost::Dead), serving ends, and no lane can be claimed any more. Call it
    /// once the worker is dead and its `dead` is set, or to end a worker that nobody calls into.
    pub fn poison(&self) {
        let mut pool = self.pool.lock();
        pool.close();
        // A lane that is claimed later finds the pool closed.
        (0..pool.reached()).for_each(|index| self.memory(index).control().turn.poison());
    }

    /// How many notifications were queued that the worker has not come to, as far as that has told. They are told once.
    /// Call it on the host's side, when the worker is dead: nothing is queued any more.
    pub fn notes_lost(&self) -> u64 {
        // All callbacks of as many notes as the ring has room for.
        const MOST: u64 = (MOST_CALLBACKS * queue::SIZE / 8) as u64;
        let lost = self.tallies.iter().enumerate().map(|(lane, tally)| match tally.close() {
            0 => 0,
            queued => queued.saturating_sub(self.memory(lane).control().taken.count()).min(MOST),
        });
        lost.sum()
    }

    pub(super) fn tally(&self, lane: usize) -> &Tally {
        &self.tallies[lane]
    }

    /// How far notes are queued on a lane now, which [`notes_taken`](Self::notes_taken) is told.
    ///
    /// # Panics
    /// If there is none with that number.
    pub fn notes_queued(&self, lane: usize) -> u32 {
        self.memory(lane).control().ring.written()
    }

    /// Whether the worker has taken all notes up to there.
    ///
    /// # Panics
    /// If there is no lane with that number.
    pub fn notes_taken(&self, lane: usize, queued: u32) -> bool {
        // Positions are far less than half of all numbers apart.
        self.memory(lane).control().ring.read().wrapping_sub(queued).cast_signed() >= 0
    }

    /// Takes a free lane.
    pub(super) fn take(&self) -> Option<Idle> {
        self.pool.lock().take(self.lanes)
    }

    /// Takes that lane, in the worker; false if there is none with that number, or it was taken before.
    pub(super) fn take_at(&self, index: usize) -> bool {
        index < self.lanes && self.pool.lock().take_at(index)
    }

    /// Gives back a lane that no call is pending on.
    pub(super) fn give_back(&self, lane: Idle) {
        self.pool.lock().give_back(lane);
    }

    /// The memory of a lane.
    ///
    /// # Panics
    /// If there is none with that number.
    #[inline(always)]
    pub(super) fn memory(&self, index: usize) -> Memory<'_> {
        assert!(index < self.lanes);
        // SAFETY: by the type invariants the lane lies there, as long as the region does.
        unsafe { Memory::new(self.start.as_ptr().add(PAGE + index * Memory::size(self.data)), self.data) }
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        // SAFETY: by the type invariants it is our mapping, and lanes borrow the region.
        let _ = unsafe { munmap(self.start.as_ptr().cast(), self.size()) };
    }
}
