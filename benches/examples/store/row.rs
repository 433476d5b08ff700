//! A measured value and its bound.

/// A line of the table.
pub(crate) struct Row {
    pub(crate) case: String,
    pub(crate) must: &'static str,
    pub(crate) measured: String,
    pub(crate) is_met: bool,
}
