//! Whether a file is still being written.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Sets the signal that notifies the holder of a lease; missing from the crate `libc` for this target.
const F_SETSIG: libc::c_int = 10;

/// The writers of a file.
pub(crate) enum Writers {
    /// The file is open for writing.
    Some,
    /// The file is not open for writing. Where the system supports it, a process that opens it for writing waits until
    /// this is dropped, or for as long as the system allows (`/proc/sys/fs/lease-break-time`).
    None(File),
}

/// Checks whether the file is open for writing. If that cannot be determined, reports no writers.
///
/// Linux grants a read lease only on a file that is not open for writing.
pub(crate) fn writers(path: &Path) -> io::Result<Writers> {
    // Opened without blocking: opening a pipe would otherwise wait for a writer.
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    let descriptor = file.as_raw_fd();
    // When another process opens the file for writing, the kernel sends us a signal. The default one would end this
    // process; SIGURG is ignored by default.
    // SAFETY: a descriptor of ours, and commands that take a number.
    let leased = unsafe {
        libc::fcntl(descriptor, F_SETSIG, libc::SIGURG) == 0
            && libc::fcntl(descriptor, libc::F_SETLEASE, libc::F_RDLCK) == 0
    };
    // Other errors mean that leases are not available: another owner, file system or kind of file.
    let is_refused = !leased && io::Error::last_os_error().kind() == io::ErrorKind::WouldBlock;
    Ok(if is_refused { Writers::Some } else { Writers::None(file) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_somebody_writes_is_told_from_one_that_is_complete() {
        let path = std::env::temp_dir().join(format!("hookrail-writing-{}", std::process::id()));
        let writer = File::create(&path).unwrap();
        assert!(matches!(writers(&path).unwrap(), Writers::Some));
        drop(writer);
        let lease = writers(&path).unwrap();
        assert!(matches!(lease, Writers::None(_)));
        // Another writer waits for the lease to end, and no signal ends this process.
        std::thread::scope(|scope| {
            let writing = scope.spawn(|| File::create(&path).unwrap());
            while !std::fs::read_to_string("/proc/locks").unwrap().contains("BREAKING") && !writing.is_finished() {
                std::thread::yield_now();
            }
            assert!(!writing.is_finished());
            drop(lease);
            writing.join().unwrap();
        });
        std::fs::remove_file(&path).unwrap();
    }
}
