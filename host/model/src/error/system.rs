//! What people can do about a system error.

use std::io::ErrorKind;

/// The next step.
pub(super) fn fix(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::QuotaExceeded | ErrorKind::StorageFull => "free some space on that disk, and try again",
        ErrorKind::ReadOnlyFilesystem => "make that disk writable, or choose another directory with $HOOKRAIL_HOME",
        _ => "the system's message says what to fix",
    }
}
