//! The private copy of a library's file: what was checked is what is opened, whatever happens to
//! the file.

use std::fs::{File, Metadata};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{MemfdFlags, Mode, OFlags, SealFlags, fcntl_add_seals, memfd_create, open, sendfile};

use crate::error::{Error, Incompatible};

/// What a library is read from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source<'a> {
    /// The file. Errors call it so, and copies bear its name.
    file: &'a Path,
    /// A copy of it, to be read in its place.
    copy: Option<BorrowedFd<'a>>,
}

impl<'a> Source<'a> {
    /// The file itself.
    pub(crate) fn file(file: &'a Path) -> Self {
        Source { file, copy: None }
    }

    /// A copy of a file, which may be another one or gone by now.
    pub(crate) fn copy(file: &'a Path, copy: BorrowedFd<'a>) -> Self {
        Source { file, copy: Some(copy) }
    }

    pub(super) fn path(self) -> &'a Path {
        self.file
    }
}

/// Copies a library into memory, which nobody else knows. [`seal`] it before anybody does.
pub(super) fn of(source: Source<'_>) -> Result<OwnedFd, Error> {
    let path = source.file;
    let failed = |source: io::Error| Error::System { what: format!("read {}", path.display()), source };
    // Without waiting: opening a pipe would, until somebody writes to it.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    // A copy too is opened: a duplicate of its descriptor would share the position in it.
    let opened = source.copy.map(|copy| PathBuf::from(format!("/proc/self/fd/{}", copy.as_raw_fd())));
    let opened = open(opened.as_deref().unwrap_or(path), flags, Mode::empty());
    let file = File::from(opened.map_err(|error| failed(error.into()))?);
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        let what = if metadata.is_dir() { "a directory" } else { "no regular file" };
        let why = Incompatible::NotALibrary(what.into());
        return Err(Error::PluginIncompatible { plugin: path.display().to_string(), why });
    }
    // The name is what a debugger and /proc/self/maps show.
    let name = path.file_name().unwrap_or_default();
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    // Kernels before 6.3 do not know EXEC, and need not be told.
    let copy = memfd_create(name, flags | MemfdFlags::EXEC).or_else(|_| memfd_create(name, flags));
    let copy =
        copy.map_err(|error| Error::System { what: "make an executable copy in memory".into(), source: error.into() })?;
    loop {
        match sendfile(&copy, &file, None, 1 << 30) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) => return Err(failed(error.into())),
        }
    }
    // Whoever writes into a file while it is read makes a copy of neither.
    let after = file.metadata().map_err(failed)?;
    let state = |metadata: &Metadata| (metadata.len(), metadata.mtime(), metadata.mtime_nsec());
    if state(&after) != state(&metadata) {
        let why = Incompatible::Damaged("it was written to while it was read".into());
        return Err(Error::PluginIncompatible { plugin: path.display().to_string(), why });
    }
    Ok(copy)
}

/// Seals a copy against any change.
///
/// The kernel answers EBUSY while it holds a page of it for reasons of its own, such as moving it
/// between its lists, and has waited for some time itself. Nobody else knows the copy, so that ends.
pub(super) fn seal(copy: &OwnedFd) -> Result<(), Error> {
    const ATTEMPTS: u32 = 20;
    let seals = SealFlags::WRITE | SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL;
    let mut result = fcntl_add_seals(copy, seals);
    for _ in 1..ATTEMPTS {
        if result != Err(rustix::io::Errno::BUSY) {
            break;
        }
        result = fcntl_add_seals(copy, seals);
    }
    result.map_err(|error| Error::System { what: "seal the copy in memory".into(), source: error.into() })
}

/// Overwrites eight bytes of a copy that is not sealed yet.
pub(super) fn write(copy: &OwnedFd, at: u64, value: u64) -> Result<(), Error> {
    let written = rustix::io::pwrite(copy, &value.to_le_bytes(), at);
    written.map_err(|error| Error::System { what: "amend the copy in memory".into(), source: error.into() })?;
    Ok(())
}

/// The bytes of a private copy, mapped for reading.
///
/// # Invariants
/// `start` is a mapping of `len` bytes of a copy that nobody writes or shrinks while this exists: it is
/// sealed, or known here only.
pub(super) struct Bytes {
    start: *mut std::ffi::c_void,
    len: usize,
}

impl Bytes {
    pub(super) fn of(copy: &OwnedFd, path: &Path) -> Result<Self, Error> {
        use rustix::mm::{MapFlags, ProtFlags, mmap};
        let failed =
            |error: rustix::io::Errno| Error::System { what: format!("map {}", path.display()), source: error.into() };
        let len = rustix::fs::fstat(copy).map_err(failed)?.st_size as usize;
        if len == 0 {
            return Ok(Bytes { start: std::ptr::dangling_mut::<u8>().cast(), len });
        }
        // SAFETY: a fresh mapping, at an address of the kernel's choice.
        let start = unsafe { mmap(std::ptr::null_mut(), len, ProtFlags::READ, MapFlags::PRIVATE, copy, 0) };
        // INVARIANT: only `write` changes a copy, and it is sealed before others learn of it.
        start.map(|start| Bytes { start, len }).map_err(failed)
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
