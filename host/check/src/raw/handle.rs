//! What the services of the host that the driver plays know of an instance, and who may use them.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::ptr::{from_ref, null_mut};
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{LazyLock, Mutex};

use hookrail_abi::boundary::{self, Entry, Str};

use super::bus::Bus;
use super::config::Config;
use super::offences::{lock, offence};

/// The entry whose `query` is called from within the host's functions.
static ASKED: AtomicPtr<Entry> = AtomicPtr::new(null_mut());
/// The addresses of the handles of living instances.
static LIVE: Mutex<BTreeSet<usize>> = Mutex::new(BTreeSet::new());

/// The target of an instance's handle. Never freed, since threads of the plugin may use it. The handle of an ended
/// instance is reused for another one with the same configuration, so that the heap does not grow.
pub(super) struct Handle {
    /// The configuration that it was made for.
    given: String,
    pub(super) config: Config,
    pub(super) home: PathBuf,
    pub(super) bus: Bus,
}

/// In the check's own directory. The first instance is created before the plugin may change the working directory.
static HOME: LazyLock<PathBuf> = LazyLock::new(|| std::env::current_dir().unwrap_or_default().join("instance"));

static IDLE: Mutex<Vec<&'static Handle>> = Mutex::new(Vec::new());

pub(super) fn handle(config: &str) -> &'static Handle {
    let mut idle = lock(&IDLE);
    let again = idle.iter().position(|handle| handle.given == config).map(|at| idle.swap_remove(at));
    let new = || Handle { given: config.into(), config: Config::default(), home: HOME.clone(), bus: Bus::default() };
    let handle = again.unwrap_or_else(|| Box::leak(Box::new(new())));
    handle.config.begin(config);
    handle.bus.begin();
    lock(&LIVE).insert(from_ref(handle).addr());
    handle
}

/// The instance of this handle has ended.
pub(super) fn bury(handle: &'static Handle) {
    lock(&LIVE).remove(&from_ref(handle).addr());
    lock(&IDLE).push(handle);
}

/// From now on, every host function that the plugin calls queries the plugin for a table before it returns.
pub(super) fn ask(entry: &'static Entry) {
    ASKED.store(from_ref(entry).cast_mut(), Ordering::SeqCst);
}

/// A plugin's `query` must work at any time, on any thread.
pub(super) fn ask_back() {
    // SAFETY: null, or the entry of a library, which is never closed.
    if let Some(entry) = unsafe { ASKED.load(Ordering::SeqCst).as_ref() } {
        for id in ["schema/1", "state/1", "no-such-table/1"] {
            // SAFETY: text for the call.
            unsafe { (entry.query)(Str::new(id)) };
        }
    }
}

/// It has called a function of that service with that handle; returns whether it may.
pub(super) fn called(handle: *const boundary::Handle, service: &str) -> bool {
    ask_back();
    let is_live = lock(&LIVE).contains(&handle.addr());
    if !is_live {
        offence(format!("it used {service} with the handle of no living instance"));
    }
    is_live
}
