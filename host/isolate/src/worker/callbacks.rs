//! The callbacks of a worker, by number.

use std::ffi::c_void;
use std::sync::Arc;

use hookrail_abi::boundary::{RawCallback, Registration};
use hookrail_loader::PluginDiagnostics;
use parking_lot::{RwLock, RwLockReadGuard};

use crate::flat::Codec;
use crate::payload;
use crate::wire::{PluginId, Sender, ToHost};

/// The callbacks that were registered in this process. A number is given once.
pub(super) struct Callbacks {
    all: RwLock<Vec<Option<Callback>>>,
    host: Arc<Sender>,
}

/// A callback.
///
/// # Invariants
/// `run` may be called with `ctx` and a payload of `codec` on any thread, and `drop` with `ctx` once.
pub(super) struct Callback {
    plugin: PluginId,
    pub(super) instance: Arc<str>,
    pub(super) diagnostics: Arc<PluginDiagnostics>,
    /// `None` if its payload cannot cross, which the host is told when it calls.
    pub(super) codec: Option<Codec>,
    run: RawCallback,
    ctx: *mut c_void,
    drop: Option<unsafe extern "C" fn(*mut c_void)>,
}

// SAFETY: by the type invariants its code and its context may be used on any thread.
unsafe impl Send for Callback {}
// SAFETY: as above, and on several at once.
unsafe impl Sync for Callback {}

impl Callback {
    /// The callback of a registration, if it has code.
    ///
    /// # Safety
    /// The record is one that a plugin registers: its texts are readable for the call, its code and its context are as
    /// the boundary demands, and stay until it is dropped.
    pub(super) unsafe fn of(
        record: &Registration,
        plugin: PluginId,
        instance: Arc<str>,
        diagnostics: Arc<PluginDiagnostics>,
    ) -> Option<Self> {
        // SAFETY: the operations are those of the callback's payload, or null, and stay as long as it does.
        let codec = unsafe { payload::codec_of(record) };
        // INVARIANT: the caller promises it.
        record.run.map(|run| Callback {
            plugin,
            instance,
            diagnostics,
            codec,
            run,
            ctx: record.ctx,
            drop: record.ctx_drop,
        })
    }

    /// Calls it.
    ///
    /// # Safety
    /// The payload is one of its codec, and nobody else uses it.
    pub(super) unsafe fn call(&self, payload: *mut c_void) -> u32 {
        // SAFETY: by the type invariants the code goes with its context, and the payload is what it expects.
        unsafe { (self.run)(self.ctx, payload) }
    }
}

impl Drop for Callback {
    fn drop(&mut self) {
        if let Some(drop) = self.drop {
            // SAFETY: by the type invariants, once.
            unsafe { drop(self.ctx) }
        }
    }
}

impl Callbacks {
    pub(super) fn new(host: Arc<Sender>) -> Self {
        Callbacks { all: RwLock::default(), host }
    }

    /// A callback for which nobody waited has failed: the host counts it. Whoever has that number is in `callback`.
    pub(super) fn faulted(&self, number: u32, callback: &Callback, (kind, text): (u32, String)) {
        // Without a host this process ends.
        let _ = self.host.send(&ToHost::Fault { plugin: callback.plugin, callback: number, kind, text }, &[]);
    }

    /// Adds one and returns its number.
    pub(super) fn add(&self, callback: Callback) -> u32 {
        let mut all = self.all.write();
        all.push(Some(callback));
        // No process registers four billion callbacks.
        (all.len() - 1) as u32
    }

    /// Drops those of a plugin; waits for the calls that run.
    pub(super) fn remove(&self, plugin: PluginId) {
        let mut all = self.all.write();
        let is_its = |callback: &&mut Option<Callback>| callback.as_ref().is_some_and(|it| it.plugin == plugin);
        let removed: Vec<_> = all.iter_mut().filter(is_its).map(Option::take).collect();
        drop(all);
        // Without the lock, since it runs code of the plugin.
        drop(removed);
    }

    /// All of them, which stay meanwhile.
    pub(super) fn read(&self) -> RwLockReadGuard<'_, Vec<Option<Callback>>> {
        // A call within a call must not wait for a writer who waits for the outer one.
        self.all.read_recursive()
    }
}
