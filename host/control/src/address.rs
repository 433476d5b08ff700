//! The address of a socket. The system allows it few bytes, and people have long paths: a long one goes through its
//! directory, which is opened for that.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::net::SocketAddrUnix;

/// The longest path that the system allows, without the terminating NUL.
const LONGEST_PATH: usize = 107;

/// The longest name of a socket in a directory that is open.
pub(crate) const LONGEST_NAME: usize = LONGEST_PATH - "/proc/self/fd/2147483647/".len();

/// The address of a socket, for as long as it is used.
pub(crate) struct Address {
    pub(crate) socket: SocketAddrUnix,
    _directory: Option<OwnedFd>,
}

/// Whether a socket cannot have that path: its name is too long for the directory, and the whole for the system.
pub(crate) fn is_too_long(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    path.as_os_str().len() > LONGEST_PATH && name.len() > LONGEST_NAME
}

impl Address {
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        if path.as_os_str().len() <= LONGEST_PATH {
            return Ok(Address { socket: SocketAddrUnix::new(path)?, _directory: None });
        }
        let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(io::ErrorKind::InvalidFilename.into());
        };
        let flags = libc::O_PATH | libc::O_DIRECTORY;
        let directory = File::options().read(true).custom_flags(flags).open(directory)?;
        let open = Path::new("/proc/self/fd").join(directory.as_raw_fd().to_string());
        Ok(Address { socket: SocketAddrUnix::new(open.join(name))?, _directory: Some(directory.into()) })
    }
}
