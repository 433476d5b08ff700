//! The configuration of an instance, which it may also write itself.

use super::{Handle, Str};

/// Service `config/1`: the instance's configuration.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ConfigService {
    /// Size of this structure in bytes.
    pub size: u32,
    /// Appends the current configuration, as JSON, to `out`. Returns 0 on success.
    pub read: unsafe extern "C" fn(handle: *const Handle, out: *mut crate::Text) -> u32,
}

/// Service `config/2`: as `config/1`, and the instance may write its configuration itself.
///
/// Any thread, several at once, also within the host's calls of the plugin. None of the functions waits for another
/// call of the plugin, or for the operator.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct WritableConfigService {
    /// Size of this structure in bytes.
    pub size: u32,
    /// As in `config/1`: what the instance was given last, or has written itself since.
    pub read: unsafe extern "C" fn(handle: *const Handle, out: *mut crate::Text) -> u32,
    /// Appends the configuration that is kept for the instance, as JSON, to `out`, and writes its revision to
    /// `revision`. The operator may have set it while the instance still has the one before. Returns 0 on success; else
    /// [`CONFIG_BUSY`] or [`CONFIG_REFUSED`], and has appended the reason to `out`.
    pub stored: unsafe extern "C" fn(handle: *const Handle, out: *mut crate::Text, revision: *mut u64) -> u32,
    /// Replaces the configuration, as the operator does: it is checked against the plugin's schema, kept, and handed to
    /// the instance when it is created again. The instance is not asked to reload it. `if_revision` is the revision
    /// that must still be the current one, or [`CONFIG_ANY_REVISION`]. Returns 0 and writes the new revision to
    /// `revision`; else returns [`CONFIG_BUSY`], [`CONFIG_CHANGED`] or [`CONFIG_REFUSED`] and appends the reason to
    /// `why`, in one line.
    pub write: unsafe extern "C" fn(
        handle: *const Handle,
        json: Str,
        if_revision: u64,
        revision: *mut u64,
        why: *mut crate::Text,
    ) -> u32,
}

/// What [`WritableConfigService::write`] takes for any revision.
pub const CONFIG_ANY_REVISION: u64 = u64::MAX;
/// The configuration is refused: the same would be refused again.
pub const CONFIG_REFUSED: u32 = 1;
/// The current revision is another one by now.
pub const CONFIG_CHANGED: u32 = 2;
/// Not now: somebody is changing something, or the instance writes too often. The same may be taken in a moment.
pub const CONFIG_BUSY: u32 = 3;
