//! Identifiers of callbacks and of their owners.

use std::num::NonZeroU32;

/// A callback's name, interned: an (instance, callback) pair has one id for the lifetime of its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CallbackId(pub(crate) NonZeroU32);

/// The owner of a callback. The chain need not know what that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Owner(pub u64);

impl Owner {
    /// The owner of the stand-ins for callbacks of a plugin that is not running.
    pub(crate) const DEFAULT_VERDICT: Owner = Owner(u64::MAX);
}
