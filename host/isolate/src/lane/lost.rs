//! How a call ends without a reply.

use std::fmt;

/// How many calls may be pending on one lane, each within an upcall of the one before.
pub const DEPTHS: usize = 8;

/// What the other side wrote that it may not write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the other side wrote {}", self.0)
    }
}

impl std::error::Error for Malformed {}

/// Why a call has no reply.
///
/// After the first four the lane is abandoned: all its later calls are lost for the same reason, and the worker is to
/// be killed. After the others nothing has crossed, and the lane goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lost {
    /// The worker is dead.
    Dead,
    /// The deadline has passed.
    Late,
    /// The worker wrote what no worker of ours writes.
    Malformed(&'static str),
    /// The host's own function that serves upcalls panicked, so that the worker has no answer.
    Unanswered,
    /// The request needs more room than there is; nothing has crossed.
    #[non_exhaustive]
    NoRoom {
        /// How many bytes it needs.
        needed: usize,
        /// How many there are.
        room: usize,
    },
    /// There are [`DEPTHS`] calls on the lane already; nothing has crossed.
    TooDeep,
    /// The payload could not be encoded; nothing has crossed.
    Unencodable,
}

impl Lost {
    /// Whether the lane can be used on: nothing has crossed.
    pub fn spares_the_lane(self) -> bool {
        matches!(self, Lost::NoRoom { .. } | Lost::TooDeep | Lost::Unencodable)
    }
}

impl From<Malformed> for Lost {
    fn from(malformed: Malformed) -> Self {
        Lost::Malformed(malformed.0)
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Lost::Dead => f.write_str("the worker is dead"),
            Lost::Late => f.write_str("the worker did not reply in time"),
            Lost::Malformed(what) => write!(f, "the worker wrote {what}"),
            Lost::Unanswered => f.write_str("the host panicked while the worker waited for it"),
            Lost::NoRoom { needed, room } => write!(f, "the request needs {needed} bytes, and there are {room}"),
            Lost::TooDeep => write!(f, "more than {} calls into the worker within each other", DEPTHS),
            Lost::Unencodable => f.write_str("the payload cannot be encoded"),
        }
    }
}

impl std::error::Error for Lost {}
