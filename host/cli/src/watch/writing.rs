//! Whether somebody is still writing a file.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Chooses the signal by which the holder of a lease is told; not in the crate `libc` for this target.
const F_SETSIG: libc::c_int = 10;

/// Who writes a file.
pub(crate) enum Writers {
    /// Somebody has it open for writing.
    Some,
    /// Nobody; and where the system can arrange it, whoever opens it for writing waits until this is
    /// dropped, or for as long as the system lets them (`/proc/sys/fs/lease-break-time`).
    None(File),
}

/// Looks who has the file open for writing. Who does not know is told nobody.
///
/// Linux grants a lease for reading only on a file that nobody has open for writing.
pub(crate) fn writers(path: &Path) -> io::Result<Writers> {
    // Without waiting: opening a pipe would, until somebody writes to it.
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    let descriptor = file.as_raw_fd();
    // Whoever comes to write has us sent a signal, by default one that ends the process. This one is
    // ignored unless somebody asked for it.
    // SAFETY: a descriptor of ours, and commands that take a number.
    let leased = unsafe {
        libc::fcntl(descriptor, F_SETSIG, libc::SIGURG) == 0
            && libc::fcntl(descriptor, libc::F_SETLEASE, libc::F_RDLCK) == 0
    };
    // Other errors mean that there are no leases for it: another owner, file system or kind of file.
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
