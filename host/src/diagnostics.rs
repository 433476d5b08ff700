//! What plugins tell of themselves by `tracing` and `log`, and how they panic: taken to the host's
//! subscriber, with the instance and the generation on it.
//!
//! A plugin has statics of its own for its receivers. Those that the SDK puts there hand everything to
//! the host ([`service`]). What the host's subscriber is given is the host's: callsites are copied and
//! never freed, one per distinct place ([`site`]), and spans are the host's spans ([`span`]). So
//! nothing of it points into a plugin, and all of it outlives an unloading.

mod level;
mod panic;
mod record;
mod service;
mod site;
mod span;
mod whose;

use std::cell::Cell;
use std::collections::HashMap;
use std::ffi::c_void;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use hookrail_abi::boundary::{PARENT_CURRENT, TraceTable};
use parking_lot::{ReentrantMutex, RwLock};

use crate::library::Symbols;
use crate::said;
pub use level::LogLevel;
pub(crate) use panic::Panic;
use record::Values;
pub(crate) use service::{TABLE, guarded};
use site::Site;
use span::Spans;
pub(crate) use span::attend;
pub(crate) use whose::during;

/// One loaded library, as a speaker of diagnostics.
#[derive(Debug)]
pub(crate) struct Speaker {
    plugin: Box<str>,
    /// 0 until it is known.
    generation: AtomicU64,
    /// A [`LogLevel`].
    level: AtomicU32,
    /// Tells the library its level; there while the library is.
    set_level: ReentrantMutex<Cell<Option<unsafe extern "C" fn(u32)>>>,
    /// Where the library's own callsites are told from.
    sites: RwLock<HashMap<usize, &'static Site>>,
    spans: Spans,
    /// Whose callbacks have that context.
    instances: RwLock<HashMap<usize, Arc<str>>>,
    symbols: OnceLock<Arc<Symbols>>,
}

impl Speaker {
    /// A speaker that tells nothing yet.
    pub(crate) fn new(plugin: &str) -> Arc<Self> {
        Arc::new(Speaker {
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

    /// The library is loaded, and may tell.
    ///
    /// # Safety
    /// The table is the library's, which stays until `close`, and the speaker as long as the library.
    pub(crate) unsafe fn bind(self: &Arc<Self>, table: &TraceTable, symbols: Option<Symbols>) {
        if let Some(symbols) = symbols {
            let _ = self.symbols.set(Arc::new(symbols));
        }
        // SAFETY: the service lives as long as the process, the speaker as the caller promises.
        unsafe { (table.bind)(Arc::as_ptr(self).cast(), &TABLE) };
        self.set_level.lock().set(Some(table.set_level));
    }

    /// What it tells from now on belongs to that generation.
    pub(crate) fn begin(&self, generation: u64, level: LogLevel) {
        // Relaxed, here and below: only shown.
        self.generation.store(generation, Ordering::Relaxed);
        self.set_level(level);
    }

    /// How much it tells from now on.
    pub(crate) fn set_level(&self, level: LogLevel) {
        // Held by a thread that may come here again: the plugin asks the host's subscriber, which may do anything.
        let set = self.set_level.lock();
        self.level.store(level as u32, Ordering::Relaxed);
        if let Some(set) = set.get() {
            // SAFETY: `close` takes the function back before the library goes, and waits for the lock.
            said::during(|| unsafe { set(level as u32) });
        }
    }

    /// How much it tells.
    pub(crate) fn level(&self) -> LogLevel {
        LogLevel::of_number(self.level.load(Ordering::Relaxed))
    }

    /// A line of an instance, by `log/1`.
    pub(crate) fn line(&self, instance: &str, level: u32, text: &str) {
        if LogLevel::of_number(level.max(1)) <= self.level() {
            self.tell(Site::of_lines(level), Some(instance), PARENT_CURRENT, &Values::message(text.into()));
        }
    }

    /// Its number, once it is known.
    pub(crate) fn generation(&self) -> Option<u64> {
        Some(self.generation.load(Ordering::Relaxed)).filter(|generation| *generation > 0)
    }

    /// Callbacks with that context are the instance's.
    pub(crate) fn add(&self, ctx: *mut c_void, instance: &Arc<str>) {
        if !ctx.is_null() {
            self.instances.write().insert(ctx.addr(), instance.clone());
        }
    }

    /// No callback of it runs any more.
    pub(crate) fn forget_instances(&self) {
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
}
