//! What people can do about a system error.

use std::io::ErrorKind;

/// The next step.
pub(super) fn fix(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidFilename => "choose a shorter name",
        ErrorKind::IsADirectory => "name a file, not a directory",
        ErrorKind::NotADirectory | ErrorKind::NotFound => "check the path",
        ErrorKind::PermissionDenied => "check who may do that, and as which user this program runs",
        ErrorKind::QuotaExceeded | ErrorKind::StorageFull => "free some space on that disk, and try again",
        ErrorKind::ReadOnlyFilesystem => "make that disk writable, or choose another directory with $HOOKRAIL_HOME",
        _ => "the page on HR0501 says what to do about the system's messages",
    }
}
