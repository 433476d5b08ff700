//! The fixed properties of a chain's point.

use hookrail_abi::RawKind;

/// The fixed properties of a chain's point that running the chain needs.
#[derive(Debug)]
pub struct Facts {
    /// Its name.
    pub point: &'static str,
    pub(crate) kind: RawKind,
    /// True for gates, false for notify points, and for folds as the point states.
    pub(crate) deniable: bool,
}
