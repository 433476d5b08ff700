//! What callbacks and whoever registered them are known by.

use std::num::NonZeroU32;

/// A callback's name, interned: an (instance, callback) pair has one id for the life of its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CallbackId(pub(crate) NonZeroU32);

/// Who registered a callback; what that is, the chain need not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Owner(pub u64);

impl Owner {
    /// That of what stands in for the callbacks of a plugin that does not run.
    pub(crate) const DEFAULT_VERDICT: Owner = Owner(u64::MAX);
}
