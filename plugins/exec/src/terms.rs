//! What a process has said of itself when it was ready.

use hookrail_abi::Message;

use crate::wanted::Filter;

/// What holds between a process and the sink that feeds it.
pub(crate) struct Terms {
    /// What it has subscribed to.
    pub(crate) filters: Vec<Filter>,
    pub(crate) max_line: usize,
}

impl Terms {
    pub(crate) fn wants(&self, message: &Message) -> bool {
        self.filters.iter().any(|filter| filter.wants(message))
    }
}
