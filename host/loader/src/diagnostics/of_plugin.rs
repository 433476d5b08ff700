//! The diagnostics of one loaded library.

use std::cell::Cell;
use std::collections::HashMap;
use std::ffi::c_void;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use hookrail_dispatch::frame::{self, Place};
use hookrail_model::log_level::LogLevel;
use parking_lot::{ReentrantMutex, RwLock};

use super::secrets::Secrets;
use super::site::Site;
use super::span::Spans;
use crate::symbols::Symbols;

/// The diagnostics of one loaded library.
#[derive(Debug)]
pub struct PluginDiagnostics {
    pub(super) plugin: Box<str>,
    /// 0 until it is known.
    generation: AtomicU64,
    /// A [`LogLevel`].
    level: AtomicU32,
    /// Sets the level in the library; present while the library is loaded.
    pub(super) set_level: ReentrantMutex<Cell<Option<unsafe extern "C" fn(u32)>>>,
    /// The library's own callsites, by address.
    pub(super) sites: RwLock<HashMap<usize, &'static Site>>,
    pub(super) spans: Spans,
    /// The instance whose callbacks have that context.
    instances: RwLock<HashMap<usize, Arc<str>>>,
    pub(super) symbols: OnceLock<Arc<Symbols>>,
    /// What its failures and panics are shown without.
    secrets: Secrets,
    /// Where the library is, if that is another process.
    elsewhere: Option<Elsewhere>,
}

/// Passes on what holds in another process; must not wait for it.
struct Elsewhere {
    set_level: Box<dyn Fn(LogLevel) + Send + Sync>,
    hide: Box<Hide>,
}

type Hide = dyn Fn(&[String]) + Send + Sync;

impl std::fmt::Debug for Elsewhere {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Elsewhere")
    }
}

impl PluginDiagnostics {
    /// Diagnostics that report nothing yet.
    pub(crate) fn new(plugin: &str) -> Arc<Self> {
        Self::with(plugin, None)
    }

    /// Diagnostics of a library in another process, which reports by other ways; `set_level` passes the level on, and
    /// `hide` all that is to be hidden. Neither may wait.
    pub fn elsewhere(
        plugin: &str,
        set_level: impl Fn(LogLevel) + Send + Sync + 'static,
        hide: impl Fn(&[String]) + Send + Sync + 'static,
    ) -> Arc<Self> {
        Self::with(plugin, Some(Elsewhere { set_level: Box::new(set_level), hide: Box::new(hide) }))
    }

    fn with(plugin: &str, elsewhere: Option<Elsewhere>) -> Arc<Self> {
        Arc::new(PluginDiagnostics {
            elsewhere,
            plugin: plugin.into(),
            generation: AtomicU64::new(0),
            level: AtomicU32::new(0),
            set_level: ReentrantMutex::default(),
            sites: RwLock::default(),
            spans: Spans::default(),
            instances: RwLock::default(),
            symbols: OnceLock::new(),
            secrets: Secrets::default(),
        })
    }

    /// The plugin.
    pub fn plugin(&self) -> &str {
        &self.plugin
    }

    /// What it reports from now on belongs to that generation.
    pub fn begin(&self, generation: u64, level: LogLevel) {
        // Relaxed, here and below: only displayed.
        self.generation.store(generation, Ordering::Relaxed);
        self.set_level(level);
    }

    /// Sets how much it reports from now on.
    pub fn set_level(&self, level: LogLevel) {
        // Reentrant, since the holder may come here again: the plugin asks the host's subscriber, which may do
        // anything.
        let set = self.set_level.lock();
        self.level.store(level as u32, Ordering::Relaxed);
        if let Some(set) = set.get() {
            // SAFETY: `close` takes the function back before the library goes, and waits for the lock.
            frame::call(self.identity(), None, || unsafe { set(level as u32) });
        }
        if let Some(Elsewhere { set_level, .. }) = &self.elsewhere {
            set_level(level);
        }
    }

    /// From now on its failures and panics are shown without these, too.
    pub fn hide(&self, secrets: &[String]) {
        if secrets.is_empty() {
            return;
        }
        let all = self.secrets.add(secrets);
        if let Some(Elsewhere { hide, .. }) = &self.elsewhere {
            hide(&all);
        }
    }

    /// What its failures and panics are shown without.
    pub fn secrets(&self) -> Vec<String> {
        self.secrets.all()
    }

    /// A text of it without them.
    pub fn hidden(&self, text: String) -> String {
        self.secrets.hidden(text)
    }

    /// How much it reports.
    pub fn level(&self) -> LogLevel {
        LogLevel::of_number(self.level.load(Ordering::Relaxed))
    }

    /// Its generation, once it is known.
    pub fn generation(&self) -> Option<u64> {
        Some(self.generation.load(Ordering::Relaxed)).filter(|generation| *generation > 0)
    }

    /// Callbacks with that context belong to the instance.
    pub fn add(&self, ctx: *mut c_void, instance: &Arc<str>) {
        if !ctx.is_null() {
            self.instances.write().insert(ctx.addr(), instance.clone());
        }
    }

    /// Forgets the contexts of all instances; no callback of the library runs any more.
    pub fn forget_instances(&self) {
        self.instances.write().clear();
    }

    /// From now on each thread leaves the library's spans that it is in, at its next quiescent point.
    pub(crate) fn leave(&self) {
        self.spans.leave();
    }

    /// The library is about to be closed.
    pub(crate) fn close(&self) {
        self.set_level.lock().set(None);
    }

    /// The library is unmapped: closes the spans that it left open.
    pub(crate) fn gone(&self) {
        self.spans.close();
    }

    /// Identifies calls into the library.
    pub fn identity(&self) -> *const () {
        std::ptr::from_ref(self).cast()
    }

    /// The instance that this thread is in, if it is one of this library's.
    pub(super) fn instance(&self) -> Option<Arc<str>> {
        match frame::place()? {
            Place::Call { library, instance } => instance.filter(|_| library == self.identity()),
            Place::Callback(ctx) => self.instances.read().get(&ctx.addr()).cloned(),
        }
    }
}
