//! What became of messages that a plugin was given.

/// What became of the messages that a sink was given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answered {
    /// How many it has delivered.
    pub delivered: usize,
    /// Why it could never deliver some: a reason for each.
    pub rejected: Vec<String>,
    /// Each time that it wanted those that it had not answered for again: why.
    pub retried: Vec<String>,
    /// How many it has not answered for.
    pub unanswered: usize,
}
