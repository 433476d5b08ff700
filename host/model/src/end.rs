//! How an unloading ended.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How an unloading ended: a closed list. Never more is claimed than was proved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Fields", into = "Fields")]
pub enum End {
    /// Not over yet: so many threads are in its callbacks, or may be. It goes on in the background.
    Busy(usize),
    /// Its code is gone, but so many mappings of its file are left, which its code made. 0 when the
    /// system could not be asked.
    FileMappings(usize),
    /// The library asked never to be removed (`-z nodelete`), or has symbols that the system keeps a
    /// library for (`STB_GNU_UNIQUE`, from C++). `unload.force` overrules the first.
    NoDelete,
    /// Handlers of these signals lie in the library.
    PinnedByHandlers(Vec<i32>),
    /// Destructors of its thread-locals are running on so many threads, or wait for threads to end
    /// where the host cannot call them; then the number is a lower bound.
    PinnedByThreadLocals(usize),
    /// So many threads that it started have not ended. When they have, it goes on in the background.
    PinnedByThreads(usize),
    /// The library has code run by this symbol or library, out of the host's sight.
    Unhooked(String),
    /// What a newer host says; this one never does.
    Unknown,
    /// The system really removed it: no mapping of its file is left in this process.
    Unmapped,
    /// The plugin asked for its library to be kept, for this reason.
    Vetoed(String),
}

impl End {
    /// Whether the library is gone, with proof.
    pub fn is_unmapped(&self) -> bool {
        *self == End::Unmapped
    }

    /// Whether its code is gone, whatever it left behind.
    pub fn is_gone(&self) -> bool {
        matches!(self, End::FileMappings(_) | End::Unmapped)
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            End::Busy(threads) => write!(f, "busy: {threads} thread(s) still inside; it goes on in the background"),
            End::FileMappings(0) => f.write_str("closed, but the system could not be asked for mappings of its file"),
            End::FileMappings(count) => write!(f, "closed, but its code left {count} mapping(s) of its file behind"),
            End::NoDelete => f.write_str("kept: the library asks never to be removed (-z nodelete, unique symbols)"),
            End::PinnedByHandlers(signals) => {
                let signals: Vec<_> = signals.iter().map(ToString::to_string).collect();
                write!(f, "kept: it left handlers of its own for signal(s) {}", signals.join(", "))
            }
            End::PinnedByThreadLocals(count) => {
                write!(f, "kept: at least {count} thread-local(s) of it wait for their thread to end")
            }
            End::PinnedByThreads(count) => {
                write!(f, "kept: {count} thread(s) that it started go on")
            }
            End::Unhooked(name) => {
                write!(f, "kept: it uses `{name}`, by which its code could run after it was closed")
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
            End::PinnedByThreadLocals(thread_locals) => Fields::PinnedByThreadLocals { thread_locals },
            End::PinnedByThreads(threads) => Fields::PinnedByThreads { threads },
            End::Unhooked(symbol) => Fields::Unhooked { symbol },
            End::Unknown => Fields::Unknown,
            End::Unmapped => Fields::Unmapped,
            End::Vetoed(reason) => Fields::Vetoed { reason },
        }
    }
}
