//! One loaded library, as a speaker of diagnostics.

use std::cell::Cell;
use std::collections::HashMap;
use std::ffi::c_void;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use hookrail_dispatch::frame::{self, Place};
use hookrail_model::log_level::LogLevel;
use parking_lot::{ReentrantMutex, RwLock};

use super::site::Site;
use super::span::Spans;
use crate::symbols::Symbols;

/// One loaded library, as a speaker of diagnostics.
#[derive(Debug)]
pub struct PluginDiagnostics {
    pub(super) plugin: Box<str>,
    /// 0 until it is known.
    generation: AtomicU64,
    /// A [`LogLevel`].
    level: AtomicU32,
    /// Tells the library its level; there while the library is.
    pub(super) set_level: ReentrantMutex<Cell<Option<unsafe extern "C" fn(u32)>>>,
    /// Where the library's own callsites are told from.
    pub(super) sites: RwLock<HashMap<usize, &'static Site>>,
    pub(super) spans: Spans,
    /// Whose callbacks have that context.
    instances: RwLock<HashMap<usize, Arc<str>>>,
    pub(super) symbols: OnceLock<Arc<Symbols>>,
}

impl PluginDiagnostics {
    /// A speaker that tells nothing yet.
    pub(crate) fn new(plugin: &str) -> Arc<Self> {
        Arc::new(PluginDiagnostics {
            plugin: plugin.into(),
            generation: AtomicU64::new(0),
            level: AtomicU32::new(0),
            set_level: ReentrantMutex::default(),
            sites: RwLock::default(),
            spans: Spans::default(),
            instances: RwLock::default(),
            symbols: OnceLock::new(),
        })
    }

    /// What it tells from now on belongs to that generation.
    pub fn begin(&self, generation: u64, level: LogLevel) {
        // Relaxed, here and below: only shown.
        self.generation.store(generation, Ordering::Relaxed);
        self.set_level(level);
    }

    /// How much it tells from now on.
    pub fn set_level(&self, level: LogLevel) {
        // Held by a thread that may come here again: the plugin asks the host's subscriber, which may do anything.
        let set = self.set_level.lock();
        self.level.store(level as u32, Ordering::Relaxed);
        if let Some(set) = set.get() {
            // SAFETY: `close` takes the function back before the library goes, and waits for the lock.
            frame::call(self.identity(), None, || unsafe { set(level as u32) });
        }
    }

    /// How much it tells.
    pub fn level(&self) -> LogLevel {
        LogLevel::of_number(self.level.load(Ordering::Relaxed))
    }

    /// Its number, once it is known.
    pub fn generation(&self) -> Option<u64> {
        Some(self.generation.load(Ordering::Relaxed)).filter(|generation| *generation > 0)
    }

    /// Callbacks with that context are the instance's.
    pub fn add(&self, ctx: *mut c_void, instance: &Arc<str>) {
        if !ctx.is_null() {
            self.instances.write().insert(ctx.addr(), instance.clone());
        }
    }

    /// No callback of it runs any more.
    pub fn forget_instances(&self) {
        self.instances.write().clear();
    }

    /// From now on each thread leaves the spans of it that it is in, where it is in no callback.
    pub(crate) fn leave(&self) {
        self.spans.leave();
    }

    /// The library is about to be closed.
    pub(crate) fn close(&self) {
        self.set_level.lock().set(None);
    }

    /// The library is gone: what it left open is closed.
    pub(crate) fn gone(&self) {
        self.spans.close();
    }

    /// What calls into the library are known by.
    pub fn identity(&self) -> *const () {
        std::ptr::from_ref(self).cast()
    }

    /// The instance that this thread is in, if it is in one of this library's.
    pub(super) fn instance(&self) -> Option<Arc<str>> {
        match frame::place()? {
            Place::Call { library, instance } => instance.filter(|_| library == self.identity()),
            Place::Callback(ctx) => self.instances.read().get(&ctx.addr()).cloned(),
        }
    }
}
