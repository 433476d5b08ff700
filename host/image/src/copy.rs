//! The private copy of a library's file: what was checked is what is opened, whatever happens to the file.

use std::fs::{File, Metadata};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{
    MemfdFlags, Mode, OFlags, SealFlags, fcntl_add_seals, fcntl_get_seals, fstat, memfd_create, open, sendfile,
};
use rustix::io::Errno;
use rustix::mm::{MapFlags, ProtFlags, mmap};

use hookrail_model::error::{Error, Incompatible};

/// A sealed copy of a library's file in memory.
///
/// # Invariants
/// The bytes cannot be changed, and it is the only copy on its inode: the loader, and the proof that a library is
/// unmapped, identify a library by its inode, so each copy becomes at most one library.
#[derive(Debug)]
pub struct SealedCopy {
    /// The original file. Errors name it, and the copy is named after it.
    file: PathBuf,
    bytes: File,
    took: Duration,
}

impl SealedCopy {
    /// Copies a file.
    ///
    /// # Errors
    /// If the file cannot be read, is not a regular file, or changes while it is copied.
    pub fn of(file: &Path) -> Result<Self, Error> {
        Self::read(file, file)
    }

    /// Makes another copy from a copy; `file` may be another file by now, or may be gone.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn again(file: &Path, copy: BorrowedFd<'_>) -> Result<Self, Error> {
        Self::read(file, Path::new(&path_of(copy)))
    }

    fn read(file: &Path, from: &Path) -> Result<Self, Error> {
        // Opened without blocking: opening a pipe would otherwise wait for a writer.
        let opened = open(from, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty());
        let opened = File::from(opened.map_err(|error| failed("read", file)(error.into()))?);
        Self::filled(file, |copy| copy_all(file, &opened, copy))
    }

    /// Makes another copy with the eight bytes at `at` replaced.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn amended(&self, at: u64, value: u64) -> Result<Self, Error> {
        let bytes = self.bytes()?;
        let amend =
            |copy: &File| copy.write_all_at(&bytes, 0).and_then(|()| copy.write_all_at(&value.to_le_bytes(), at));
        Self::filled(&self.file, |copy| amend(copy).map_err(failed("amend a copy in memory of", &self.file)))
    }

    fn filled(file: &Path, fill: impl FnOnce(&File) -> Result<(), Error>) -> Result<Self, Error> {
        let began = Instant::now();
        // Debuggers and /proc/self/maps show this name.
        let name = file.file_name().unwrap_or_default();
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        // Kernels before 6.3 do not know EXEC, and do not need it.
        let fd = memfd_create(name, flags | MemfdFlags::EXEC).or_else(|_| memfd_create(name, flags));
        let fd = fd.map_err(|error| failed("make an executable copy in memory of", file)(error.into()))?;
        let copy = File::from(fd);
        fill(&copy)?;
        seal(&copy).map_err(|error| failed("seal the copy in memory of", file)(error.into()))?;
        // INVARIANT: it was created here, and is sealed.
        Ok(SealedCopy { file: file.into(), bytes: copy, took: began.elapsed() })
    }

    /// The file that was copied.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// How long copying took.
    pub fn took(&self) -> Duration {
        self.took
    }

    /// A reader of its bytes, from the beginning. Mapping them instead would slow down a thread that loads other
    /// libraries meanwhile: 100 small plugins took 18.5 ms instead of 14.8.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn reader(&self) -> Result<impl io::Read, Error> {
        // The position is at the end, where writing left it.
        io::Seek::rewind(&mut &self.bytes).map_err(failed("read the copy in memory of", &self.file))?;
        Ok(&self.bytes)
    }

    /// Its bytes, mapped.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn bytes(&self) -> Result<Bytes, Error> {
        Bytes::of(&self.bytes).map_err(|error| failed("map the copy in memory of", &self.file)(error.into()))
    }

    /// The descriptor of the copy, for the code that opens it.
    pub fn into_fd(self) -> OwnedFd {
        self.bytes.into()
    }
}

/// The path at which a copy can be opened again. A duplicate of its descriptor would share its position.
pub fn path_of(copy: impl AsFd) -> String {
    format!("/proc/thread-self/fd/{}", copy.as_fd().as_raw_fd())
}

fn failed(what: &'static str, file: &Path) -> impl Fn(io::Error) -> Error {
    move |source| Error::system(format!("{what} {}", file.display()), source)
}

/// The largest library, in bytes: it is copied into memory. Debug builds with everything in them stay far below.
const MAX_LIBRARY: u64 = 1 << 30;

/// Copies an open file, unless it is too large, is not a regular file, or is written to meanwhile.
fn copy_all(path: &Path, file: &File, copy: &File) -> Result<(), Error> {
    let failed = failed("read", path);
    let incompatible = |why| Error::incompatible(path.display().to_string(), why);
    let before = file.metadata().map_err(&failed)?;
    if !before.is_file() {
        let what = if before.is_dir() { "a directory" } else { "a special file" };
        return Err(incompatible(Incompatible::NotALibrary(what.into())));
    }
    if before.len() > MAX_LIBRARY {
        let why = format!("a file of {} bytes, of which {MAX_LIBRARY} are allowed", before.len());
        return Err(incompatible(Incompatible::NotALibrary(why)));
    }
    // A file that grows meanwhile is not copied beyond that.
    let mut left = before.len() as usize + 1;
    while left > 0 {
        let copied = sendfile(copy, file, None, left).map_err(|error| failed(error.into()))?;
        if copied == 0 {
            break;
        }
        left -= copied;
    }
    // A file that is written to while it is read yields neither its old nor its new content.
    let after = file.metadata().map_err(&failed)?;
    let state = |metadata: &Metadata| (metadata.len(), metadata.mtime(), metadata.mtime_nsec());
    if state(&after) != state(&before) {
        return Err(incompatible(Incompatible::Damaged("it was written to while it was read".into())));
    }
    Ok(())
}

const SEALS: SealFlags = SealFlags::WRITE.union(SealFlags::SHRINK).union(SealFlags::GROW).union(SealFlags::SEAL);

/// Seals a copy against any change.
///
/// The kernel returns EBUSY while it holds a page of the file for its own purposes, such as moving it between its
/// lists, and has waited for some time itself. No other code has access to the copy, so that condition ends.
fn seal(copy: &File) -> rustix::io::Result<()> {
    const ATTEMPTS: u32 = 20;
    let mut result = fcntl_add_seals(copy, SEALS);
    for _ in 1..ATTEMPTS {
        if result != Err(Errno::BUSY) {
            break;
        }
        result = fcntl_add_seals(copy, SEALS);
    }
    result
}

/// The bytes of a sealed copy, mapped for reading.
///
/// # Invariants
/// `start` is a mapping of `len` bytes of a file that is sealed against writing and shrinking; dangling if `len` is 0.
pub struct Bytes {
    start: *mut std::ffi::c_void,
    len: usize,
}

impl Bytes {
    /// Maps a copy.
    ///
    /// # Errors
    /// If the copy is not sealed, or cannot be mapped.
    pub fn of(copy: impl AsFd) -> rustix::io::Result<Self> {
        if !fcntl_get_seals(&copy)?.contains(SEALS) {
            return Err(Errno::PERM);
        }
        let len = fstat(&copy)?.st_size as usize;
        if len == 0 {
            return Ok(Bytes { start: std::ptr::dangling_mut::<u8>().cast(), len });
        }
        // SAFETY: a fresh mapping, at an address of the kernel's choice.
        let start = unsafe { mmap(std::ptr::null_mut(), len, ProtFlags::READ, MapFlags::PRIVATE, copy, 0)? };
        // INVARIANT: it is sealed, and seals cannot be removed.
        Ok(Bytes { start, len })
    }
}

impl std::ops::Deref for Bytes {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        // SAFETY: by the type invariant the bytes are there and do not change.
        unsafe { std::slice::from_raw_parts(self.start.cast(), self.len) }
    }
}

impl Drop for Bytes {
    fn drop(&mut self) {
        if self.len > 0 {
            // SAFETY: by the type invariant the mapping is ours, and nothing borrows it any more.
            let _ = unsafe { rustix::mm::munmap(self.start, self.len) };
        }
    }
}
