//! How an unloading ended.

use std::fmt;

use serde::Serialize;

/// How an unloading ended: a closed list. Never more is claimed than was proved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "end", content = "detail", rename_all = "kebab-case")]
pub enum End {
    /// Readers are still inside; the unloading goes on in the background. The number of threads.
    Busy(usize),
    /// The library asked never to be removed (`-z nodelete`).
    NoDelete,
    /// Thread-locals of the library wait for their threads to end, and would run its code then. The
    /// number is a lower bound.
    PinnedByThreadLocals(usize),
    /// The library imports something by which its code could run after it was closed, and the host
    /// cannot see whether it did. The name of that symbol or library.
    Unhooked(String),
    /// The system really removed it: no mapping of its file is left in this process.
    Unmapped,
}

impl End {
    /// Whether the library is gone, with proof.
    pub fn is_unmapped(&self) -> bool {
        *self == End::Unmapped
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            End::Busy(readers) => write!(f, "busy: {readers} thread(s) still inside; it goes on in the background"),
            End::NoDelete => f.write_str("kept: the library asks never to be removed (-z nodelete)"),
            End::PinnedByThreadLocals(count) => {
                write!(f, "kept: at least {count} thread-local(s) of it wait for their thread to end")
            }
            End::Unhooked(name) => {
                write!(f, "kept: it uses `{name}`, by which its code could run after it was closed")
            }
            End::Unmapped => f.write_str("unmapped"),
        }
    }
}
