//! The host as a plugin sees it.

use std::fmt::Display;
use std::path::PathBuf;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering};

use crate::Text;
use crate::boundary::{ConfigService, Context, DirsService, Growing, Handle, HostTable, LogService, Str};
use crate::context::CurrentContext;
use crate::error::{Error, Result};

/// The table of the host that loaded this library; null until it is attached.
static HOST: AtomicPtr<HostTable> = AtomicPtr::new(null_mut());

/// What a reported text is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
#[non_exhaustive]
pub enum Report {
    /// Why a callback denied.
    Denied = 1,
    /// How a callback failed.
    Fault = 2,
    /// Why another function failed.
    Error = 3,
}

/// The severity of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u32)]
pub enum Level {
    /// Something failed.
    Error = 1,
    /// Something is wrong, but the work goes on.
    Warn = 2,
    /// Something worth knowing happened.
    Info = 3,
    /// For debugging.
    Debug = 4,
    /// Every step.
    Trace = 5,
}

/// A kind of directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
#[non_exhaustive]
pub enum Dir {
    /// The files that came with the package; read-only.
    Data = 0,
    /// Files that must survive a restart.
    State = 1,
    /// Files that need not survive a restart.
    Ephemeral = 2,
}

/// An instance's handle to its host: log, configuration, directories. Cheap to copy.
#[derive(Clone, Copy, Debug)]
pub struct Instance {
    handle: *const Handle,
}

// SAFETY: the handle is only passed to the host's services, which are thread-safe, and the host
// keeps what it names for as long as this library is loaded: our threads may outlive the instance.
unsafe impl Send for Instance {}
// SAFETY: the host's services take the handle on any thread, several at once; nobody else follows it.
unsafe impl Sync for Instance {}

impl Instance {
    pub(crate) fn new(handle: *const Handle) -> Self {
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

    /// The current configuration, as JSON.
    ///
    /// # Errors
    /// If the host does not offer `config/1`, or cannot return the configuration.
    pub fn config(&self) -> Result<String> {
        let service = service::<ConfigService>("config/1").ok_or("the host has no service config/1")?;
        let mut json = Text::new();
        // SAFETY: the service takes the handle that the host gave us, and appends to a text of our own.
        match unsafe { (service.read)(self.handle, &mut json) } {
            0 => Ok(json.as_str().into()),
            _ => Err("the host could not read the configuration".into()),
        }
    }

    /// Asks the host never to close this library, for the given reason. For a plugin that has handed its code to
    /// something that cannot give it up. The plugin is still stopped, but the memory of its library is lost with every
    /// upgrade.
    pub fn keep_loaded(&self, reason: &str) {
        crate::unload::keep_loaded(reason);
    }

    /// A directory of this instance's own, created if needed.
    ///
    /// # Errors
    /// If the host does not offer `dirs/1`, or cannot create the directory; for an ephemeral one, also after the instance
    /// has ended.
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

/// Reports a text to the host from within one of its calls.
pub(crate) fn report(kind: Report, text: &str) {
    if let Some(host) = table() {
        // SAFETY: the host reads the text during the call.
        unsafe { (host.report)(kind as u32, Str::new(text)) }
    }
}

/// Calls `look` with the context of the current dispatch: deadline, trace, principal, node. Returns `None` outside a
/// dispatch, and where the dispatching program sets no context.
///
/// ```
/// use std::time::{Duration, Instant};
///
/// use hookrail_abi::host::with_context;
///
/// /// How long a callback may still take.
/// fn time_left() -> Option<Duration> {
///     let deadline = with_context(|context| context.deadline()).flatten()?;
///     Some(deadline.saturating_duration_since(Instant::now()))
/// }
/// # assert_eq!(time_left(), None);
/// ```
pub fn with_context<R>(look: impl FnOnce(CurrentContext<'_>) -> R) -> Option<R> {
    // SAFETY: the host returns null, or a context that stays for the dispatch that called us.
    let context = table().and_then(|host| unsafe { Context::find((host.current)()) })?;
    // SAFETY: the context's texts stay for that dispatch too, and so for `look`.
    Some(look(unsafe { CurrentContext::new(&context) }))
}

/// Sets the host of this library, or of the program that is itself a host.
///
/// # Safety
/// `host` points to a table of any version, which stays for as long as this library is loaded.
#[doc(hidden)]
pub unsafe fn attach(host: *const HostTable) {
    // Release: pairs with the Acquire in `table`.
    HOST.store(host.cast_mut(), Ordering::Release);
}

pub(crate) fn table() -> Option<HostTable> {
    // SAFETY: null, or what `attach` was given: a table that the host keeps for as long as this library is loaded.
    unsafe { HostTable::find(HOST.load(Ordering::Acquire)) }
}

/// A service's table. `T` and `id` belong together: all callers are in this file.
fn service<T: Growing>(id: &str) -> Option<T> {
    // SAFETY: the host returns null, or the table which that id names, kept while we are loaded.
    table().and_then(|host| unsafe { T::find((host.query)(Str::new(id)).cast()) })
}
