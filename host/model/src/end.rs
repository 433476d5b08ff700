//! How an unload ended.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How an unload ended. It never claims more than was proved.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "Fields", into = "Fields")]
#[non_exhaustive]
pub enum End {
    /// Not over yet: this many threads are in its callbacks, or may be. The unload continues in the background.
    Busy(usize),
    /// Its code is unmapped, but this many mappings of its file remain, which its code made. 0 if the system could not
    /// be asked.
    FileMappings(usize),
    /// The library was linked so as never to be unmapped (`-z nodelete`), or has symbols for which the system keeps a
    /// library (`STB_GNU_UNIQUE`, from C++). The plugin's `force_unload` overrides the first.
    NoDelete,
    /// Handlers of these signals are in the library.
    PinnedByHandlers(Vec<i32>),
    /// It is open once more: it opened its own file, and has not closed it.
    PinnedByHandles,
    /// Destructors of its thread-locals are running on this many threads, or wait for threads to exit where the host
    /// cannot call them; in that case the number is a lower bound.
    PinnedByThreadLocals(usize),
    /// This many threads that it started are still running. When they have ended, the unload continues in the
    /// background.
    PinnedByThreads(usize),
    /// The library has code run through this symbol or library, which the host cannot observe.
    Unhooked(String),
    /// What a newer host says; this one never does.
    Unknown,
    /// The system really removed it: no mapping of its file is left in this process.
    Unmapped,
    /// The plugin asked for its library to be kept, for the given reason.
    Vetoed(String),
}

impl End {
    /// Whether the library is unmapped, which was verified.
    pub fn is_unmapped(&self) -> bool {
        *self == End::Unmapped
    }

    /// Whether its code is unmapped, whatever else it left behind.
    pub fn is_gone(&self) -> bool {
        matches!(self, End::FileMappings(_) | End::Unmapped)
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            End::Busy(threads) => write!(f, "busy: {threads} thread(s) still inside; it continues in the background"),
            End::FileMappings(0) => f.write_str("closed, but the mappings of its file could not be checked"),
            End::FileMappings(count) => write!(f, "closed, but its code left {count} mapping(s) of its file behind"),
            End::NoDelete => f.write_str("kept: the library asks never to be removed (-z nodelete, unique symbols)"),
            End::PinnedByHandlers(signals) => {
                let signals: Vec<_> = signals.iter().map(ToString::to_string).collect();
                write!(f, "kept: it left handlers of its own for signal(s) {}", signals.join(", "))
            }
            End::PinnedByHandles => f.write_str("kept: it opened itself, and has not closed that"),
            End::PinnedByThreadLocals(count) => {
                write!(f, "kept: at least {count} of its thread-locals wait for their threads to end")
            }
            End::PinnedByThreads(count) => {
                write!(f, "kept: {count} thread(s) that it started are still running")
            }
            End::Unhooked(name) => {
                write!(f, "kept: it uses `{name}`, which could run its code after the library is closed")
            }
            End::Unknown => f.write_str("ended in a way that this version does not know"),
            End::Unmapped => f.write_str("unmapped"),
            End::Vetoed(reason) => write!(f, "kept: the plugin asks for it: {reason}"),
        }
    }
}

/// An end as JSON has it, with a name for what it holds.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "end", rename_all = "kebab-case")]
enum Fields {
    Busy {
        threads: usize,
    },
    FileMappings {
        mappings: usize,
    },
    NoDelete,
    PinnedByHandlers {
        signals: Vec<i32>,
    },
    PinnedByHandles,
    PinnedByThreadLocals {
        thread_locals: usize,
    },
    PinnedByThreads {
        threads: usize,
    },
    Unhooked {
        symbol: String,
    },
    Unmapped,
    Vetoed {
        reason: String,
    },
    #[serde(other)]
    Unknown,
}

impl From<Fields> for End {
    fn from(fields: Fields) -> Self {
        match fields {
            Fields::Busy { threads } => End::Busy(threads),
            Fields::FileMappings { mappings } => End::FileMappings(mappings),
            Fields::NoDelete => End::NoDelete,
            Fields::PinnedByHandlers { signals } => End::PinnedByHandlers(signals),
            Fields::PinnedByHandles => End::PinnedByHandles,
            Fields::PinnedByThreadLocals { thread_locals } => End::PinnedByThreadLocals(thread_locals),
            Fields::PinnedByThreads { threads } => End::PinnedByThreads(threads),
            Fields::Unhooked { symbol } => End::Unhooked(symbol),
            Fields::Unknown => End::Unknown,
            Fields::Unmapped => End::Unmapped,
            Fields::Vetoed { reason } => End::Vetoed(reason),
        }
    }
}

impl From<End> for Fields {
    fn from(end: End) -> Self {
        match end {
            End::Busy(threads) => Fields::Busy { threads },
            End::FileMappings(mappings) => Fields::FileMappings { mappings },
            End::NoDelete => Fields::NoDelete,
            End::PinnedByHandlers(signals) => Fields::PinnedByHandlers { signals },
            End::PinnedByHandles => Fields::PinnedByHandles,
            End::PinnedByThreadLocals(thread_locals) => Fields::PinnedByThreadLocals { thread_locals },
            End::PinnedByThreads(threads) => Fields::PinnedByThreads { threads },
            End::Unhooked(symbol) => Fields::Unhooked { symbol },
            End::Unknown => Fields::Unknown,
            End::Unmapped => Fields::Unmapped,
            End::Vetoed(reason) => Fields::Vetoed { reason },
        }
    }
}
