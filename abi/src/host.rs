//! The host as a plugin sees it.

use std::fmt::Display;
use std::path::PathBuf;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering};

use crate::Text;
use crate::boundary::{ConfigService, Context, DirsService, HostTable, LogService, Str};
use crate::error::{Error, Result};

/// The table of the host this library was loaded by; null before it attached.
static HOST: AtomicPtr<HostTable> = AtomicPtr::new(null_mut());

/// What a text that is said to the host is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Report {
    /// Why a callback denied.
    Denied = 1,
    /// How a callback failed.
    Fault = 2,
    /// Why another function failed.
    Error = 3,
}

/// How much a line of the log matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub enum Level {
    /// Something failed.
    Error = 1,
    /// Something is off.
    Warn = 2,
    /// Something worth knowing happened.
    Info = 3,
    /// For whoever looks for a mistake.
    Debug = 4,
    /// Every step.
    Trace = 5,
}

/// Which directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Dir {
    /// What the package brought along; read only.
    Data = 0,
    /// What must outlive a restart.
    State = 1,
    /// What need not.
    Ephemeral = 2,
}

/// One instance's line to its host: log, configuration, directories. Cheap to copy.
#[derive(Clone, Copy, Debug)]
pub struct Instance {
    handle: *const std::ffi::c_void,
}

// SAFETY: the handle is only passed to the host's services, which are thread-safe, and the host
// keeps what it names for as long as this library is loaded: our threads may outlive the instance.
unsafe impl Send for Instance {}
// SAFETY: the host's services take the handle on any thread, several at once; nobody else follows it.
unsafe impl Sync for Instance {}

impl Instance {
    pub(crate) fn new(handle: *const std::ffi::c_void) -> Self {
        Instance { handle }
    }

    /// Writes one line to the host's log, under this instance's name.
    pub fn log(&self, level: Level, line: impl Display) {
        if let Some(service) = service::<LogService>("log/1") {
            let line = line.to_string();
            // SAFETY: the service takes our handle, and the text for the call.
            unsafe { (service.write)(self.handle, level as u32, Str::new(&line)) }
        }
    }

    /// The configuration in force, as JSON.
    pub fn config(&self) -> Result<String> {
        let service = service::<ConfigService>("config/1").ok_or("the host has no service config/1")?;
        let mut json = Text::new();
        // SAFETY: the service takes the handle that the host gave us, and appends to a text of our own.
        match unsafe { (service.read)(self.handle, &mut json) } {
            0 => Ok(json.as_str().into()),
            _ => Err("the host could not read the configuration".into()),
        }
    }

    /// Asks the host never to close this library, for that reason: for a plugin that hands code of
    /// its own to something that nobody can take it back from. It is still stopped, and its
    /// memory is lost with every upgrade.
    pub fn keep_loaded(&self, reason: &str) {
        crate::unload::keep_loaded(reason);
    }

    /// A directory of this instance's own, which exists when this returns.
    pub fn dir(&self, dir: Dir) -> Result<PathBuf> {
        let service = service::<DirsService>("dirs/1").ok_or("the host has no service dirs/1")?;
        let mut path = Text::new();
        // SAFETY: the service takes the handle that the host gave us, and appends to a text of our own.
        match unsafe { (service.path)(self.handle, dir as u32, &mut path) } {
            0 => Ok(PathBuf::from(path.as_str())),
            _ => Err(Error::from(path.as_str())),
        }
    }
}

/// Says a text to the host from within one of its calls.
pub(crate) fn report(kind: Report, text: &str) {
    if let Some(host) = table() {
        // SAFETY: the host reads the text during the call.
        unsafe { (host.report)(kind as u32, Str::new(text)) }
    }
}

/// Shows `look` what the current dispatch is about: deadline, trace, principal, node. `None` outside of a dispatch, and
/// where the program says nothing of it.
pub fn with_context<R>(look: impl FnOnce(&Context) -> R) -> Option<R> {
    // SAFETY: the host returns null, or a context that stays for the dispatch that called us, and so for `look`.
    table().and_then(|host| unsafe { (host.current)().as_ref() }).map(look)
}

/// From now on that is the host of this library, or of the program that is one.
#[doc(hidden)]
pub fn attach(host: &'static HostTable) {
    // Release: pairs with the Acquire in `table`.
    HOST.store(std::ptr::from_ref(host).cast_mut(), Ordering::Release);
}

pub(crate) fn table() -> Option<&'static HostTable> {
    // SAFETY: `attach` stored a table that the host keeps for as long as this library is loaded.
    unsafe { HOST.load(Ordering::Acquire).as_ref() }
}

/// A service's table. `T` and `id` belong together: all callers are in this file.
fn service<T>(id: &str) -> Option<&'static T> {
    // SAFETY: the host returns null, or the table which that id names, kept while we are loaded.
    table().and_then(|host| unsafe { (host.query)(Str::new(id)).cast::<T>().as_ref() })
}
