//! Where in a queue on disk something is.

/// A place between two messages of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// How many messages are before it, of those that there were when the queue was opened and since.
    pub(crate) number: u64,
    pub(crate) segment: u64,
    /// In the segment, in bytes.
    pub(crate) at: u64,
}
