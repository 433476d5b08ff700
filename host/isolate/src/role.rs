//! How a host tells its program that it is a worker.

use std::os::fd::RawFd;

/// How many threads of a host may call into one worker at once.
pub(crate) const LANES: usize = 256;
/// The argument by which a host starts its program as a worker.
pub(crate) const ARGUMENT: &str = "worker";
/// The variable that says so too, so that no other program's argument is taken for it.
pub(crate) const VARIABLE: &str = "HOOKRAIL_WORKER";
/// The descriptor of the socket to the host, in a worker.
pub(crate) const SOCKET: RawFd = 3;
/// The descriptor of the memory that it shares with the host, in a worker.
pub(crate) const MEMORY: RawFd = 4;
/// The descriptor of the memory for its last words, in a worker.
pub(crate) const LAST_WORDS: RawFd = 5;
