//! Why text is not what it was taken for.

/// Why text cannot be read as a value of a type: what is wrong with it and, where that helps, how it is written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ParseError(String);

impl ParseError {
    /// The error with that text: a sentence without its capital and its full stop.
    pub fn new(why: impl Into<String>) -> Self {
        ParseError(why.into())
    }
}
