//! The socket's file: created for this user alone, taken over from a dead process, removed at the end.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, Mode, fchmod, flock};
use rustix::io::Errno;
use rustix::net::{self, AddressFamily, Shutdown, SocketFlags, SocketType};
use rustix::net::{bind, listen, shutdown, socket_with};

use crate::address::{self, Address, LONGEST_NAME};
use crate::error::{ControlError, Error};
use crate::peer::Peer;

/// How many connections may wait to be accepted.
const BACKLOG: i32 = 128;

/// How long to wait for another process that opens or removes sockets in the same directory.
const LOCK_PATIENCE: Duration = Duration::from_secs(2);

/// A listening socket and its file.
#[derive(Debug)]
pub(super) struct Socket {
    listener: UnixListener,
    path: PathBuf,
    /// Device and inode of the file: another file at that path is not ours to remove.
    identity: (u64, u64),
}

/// What is at the path of a socket.
#[derive(Clone, Copy, Debug)]
pub(super) enum Occupant {
    /// A socket whose process has ended.
    Dead,
    /// A socket with a live listener, which is this process, if it is known.
    Live(Option<Peer>),
    /// Nothing.
    Nothing,
    /// Something else, or something that we may not examine.
    Unknown,
}

impl Socket {
    /// Creates a socket that only this user and root can open.
    ///
    /// The umask belongs to the whole process, so it is left alone. Instead the mode is set on the descriptor before
    /// `bind` creates the file, since Linux derives the file's mode from it, less the umask; and again on the file, in
    /// case the umask removed a bit. Whatever the mode, no peer can connect in between: the socket does not listen
    /// until then.
    pub(super) fn bind(path: &Path) -> Result<Self, Error> {
        let failed = |source| Error::system(format!("open the control socket {}", path.display()), source);
        // The process may have changed its directory by the time it is removed.
        let path = std::path::absolute(path).map_err(failed)?;
        let failed = |source| Error::system(format!("open the control socket {}", path.display()), source);
        if address::is_too_long(&path) {
            return Err(ControlError::PathTooLong { path, limit: LONGEST_NAME }.into());
        }
        let directory = path.parent().ok_or_else(|| failed(io::ErrorKind::IsADirectory.into()))?;
        DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(|error| match error.kind() {
            // A file is in the place of one of the directories.
            io::ErrorKind::AlreadyExists => failed(io::ErrorKind::NotADirectory.into()),
            _ => failed(error),
        })?;
        let _lock = lock(directory).map_err(failed)?;
        match occupant(&path) {
            Occupant::Live(_) => return Err(ControlError::InUse(path).into()),
            Occupant::Dead => fs::remove_file(&path).map_err(failed)?,
            Occupant::Unknown if path.is_dir() => return Err(failed(io::ErrorKind::IsADirectory.into())),
            Occupant::Nothing | Occupant::Unknown => {}
        }
        let listen = || {
            let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
            fchmod(&socket, Mode::RUSR | Mode::WUSR)?;
            bind(&socket, &Address::of(&path)?.socket)?;
            fs::set_permissions(&path, Permissions::from_mode(0o600))?;
            let metadata = fs::symlink_metadata(&path)?;
            listen(&socket, BACKLOG)?;
            Ok::<_, io::Error>((UnixListener::from(socket), (metadata.dev(), metadata.ino())))
        };
        let (listener, identity) = listen().map_err(failed)?;
        Ok(Socket { listener, path, identity })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The listening end, for the accepting thread.
    pub(super) fn listener(&self) -> Result<UnixListener, Error> {
        self.listener.try_clone().map_err(|source| Error::system("open a descriptor".into(), source))
    }

    /// Wakes the accepting thread, so that it ends.
    pub(super) fn wake(&self) {
        // It listens, so the system has no reason to refuse.
        let _ = shutdown(&self.listener, Shutdown::Both);
    }

    /// Removes the file if it is still ours.
    pub(super) fn remove(&self) {
        let is_ours = |metadata: fs::Metadata| (metadata.dev(), metadata.ino()) == self.identity;
        if fs::symlink_metadata(&self.path).is_ok_and(is_ours) {
            // If another process was faster, the file is already removed.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// What is at a path. Does not wait.
pub(super) fn occupant(path: &Path) -> Occupant {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.file_type().is_socket() => {}
        Ok(_) => return Occupant::Unknown,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Occupant::Nothing,
        Err(_) => return Occupant::Unknown,
    }
    match connect(path) {
        Ok(stream) => Occupant::Live(Peer::of(&stream).ok()),
        // A listener is there, and is slow to accept.
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Occupant::Live(None),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Occupant::Dead,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Occupant::Nothing,
        Err(_) => Occupant::Unknown,
    }
}

/// Connects to a socket without waiting; `WouldBlock` if too many others wait to be accepted.
fn connect(path: &Path) -> io::Result<UnixStream> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    net::connect(&socket, &Address::of(path)?.socket)?;
    Ok(socket.into())
}

/// Connects to a socket; `TimedOut` if it accepts no connection for so long.
pub(super) fn connect_within(path: &Path, patience: Duration) -> io::Result<UnixStream> {
    let deadline = Instant::now() + patience;
    loop {
        match connect(path) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let why = format!("it has accepted no connection for {} s", patience.as_secs());
                return Err(io::Error::new(io::ErrorKind::TimedOut, why));
            }
            connected => {
                let stream = connected?;
                stream.set_nonblocking(false)?;
                return Ok(stream);
            }
        }
    }
}

/// Removes the socket of a dead process.
pub(super) fn clear(path: &Path) -> io::Result<()> {
    let _lock = lock(path.parent().unwrap_or(Path::new(".")))?;
    // Checked again: another process may have taken it over, or be about to listen.
    if matches!(occupant(path), Occupant::Dead) { fs::remove_file(path) } else { Ok(()) }
}

/// Keeps other processes from opening or removing sockets in that directory while the returned file lives: a socket
/// that is bound but does not listen yet looks dead.
fn lock(directory: &Path) -> io::Result<File> {
    let file = File::open(directory)?;
    let deadline = Instant::now() + LOCK_PATIENCE;
    loop {
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(file),
            Err(Errno::WOULDBLOCK) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(5)),
            Err(error) => return Err(error.into()),
        }
    }
}
