//! What is fixed about the point of a chain.

use hookrail_abi::RawKind;

/// What is fixed about the point of a chain, as far as running it needs to know.
#[derive(Debug)]
pub struct Facts {
    /// Its name.
    pub point: &'static str,
    pub(crate) kind: RawKind,
    /// Gates always, notify points never, folds where the point says so.
    pub(crate) deniable: bool,
}
