//! The host as a plugin sees it.

use std::fmt::Display;
use std::path::PathBuf;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering};

use crate::Text;
use crate::boundary::{
    CONFIG_ANY_REVISION, CONFIG_BUSY, CONFIG_CHANGED, ConfigService, Context, DirsService, Growing, Handle, HostTable,
    LogService, Str, WritableConfigService,
};
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

const NO_WRITING: &str = "the host has no service config/2";

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

/// The configuration that is kept for an instance: [`Instance::stored_config`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredConfig {
    /// The configuration, as JSON.
    pub json: String,
    /// Its revision: each change has a greater one.
    pub revision: u64,
}

/// Why a configuration was not written: nothing has changed. The text is what the operator would read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotWritten {
    /// Not now: somebody is changing something, or the instance writes too often. The same may be taken in a moment.
    Busy(String),
    /// The current revision is another one by now.
    Changed(String),
    /// The same would be refused again: it does not fit the schema, is too large, or is not the plugin's to change.
    Refused(String),
}

impl std::fmt::Display for NotWritten {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (NotWritten::Busy(why) | NotWritten::Changed(why) | NotWritten::Refused(why)) = self;
        f.write_str(why)
    }
}

impl std::error::Error for NotWritten {}

impl NotWritten {
    fn new(answer: u32, why: &Text) -> Self {
        let kind = match answer {
            CONFIG_BUSY => NotWritten::Busy,
            CONFIG_CHANGED => NotWritten::Changed,
            _ => NotWritten::Refused,
        };
        kind(why.to_string())
    }
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

    /// What the host's services take.
    pub(crate) fn handle(&self) -> *const Handle {
        self.handle
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

    /// The configuration that is kept for this instance, and its revision: what [`write_config`](Self::write_config)
    /// builds on. The operator may have set it while this instance still has the one before.
    ///
    /// # Errors
    /// If the host does not offer `config/2`, or cannot read it.
    pub fn stored_config(&self) -> Result<StoredConfig> {
        let service = service::<WritableConfigService>("config/2").ok_or(NO_WRITING)?;
        let (mut json, mut revision) = (Text::new(), 0);
        // SAFETY: the service takes the handle that the host gave us, and writes to variables of our own.
        match unsafe { (service.stored)(self.handle, &mut json, &mut revision) } {
            0 => Ok(StoredConfig { json: json.as_str().into(), revision }),
            answer => Err(NotWritten::new(answer, &json).into()),
        }
    }

    /// Replaces the configuration of this instance, as the operator does with `hookrail config set`: the host checks it
    /// against the plugin's schema, keeps it with the earlier ones, and gives it to the instance when it is created
    /// again. [`reload`](crate::Plugin::reload) is not called for it. With `if_revision`, only if that is still the
    /// current revision. Returns the new revision.
    ///
    /// May be called from anywhere, also from a callback and from `start`; it waits for the disk and for nobody else.
    ///
    /// ```
    /// use hookrail_abi::host::NotWritten;
    /// use hookrail_abi::prelude::*;
    /// # use hookrail_abi::testing;
    ///
    /// /// Has its name made up once, and keeps it.
    /// fn keep_name(instance: &Instance, name: &str) -> Result<()> {
    ///     let stored = instance.stored_config()?;
    ///     match instance.write_config(&format!(r#"{{ "name": "{name}" }}"#), Some(stored.revision)) {
    ///         // The operator was faster: that is the name now.
    ///         Ok(_) | Err(NotWritten::Changed(_)) => Ok(()),
    ///         Err(why) => Err(why.into()),
    ///     }
    /// }
    /// # struct Named;
    /// # #[config]
    /// # struct Name { #[serde(default)] name: String }
    /// # impl Plugin for Named {
    /// #     type Config = Name;
    /// #     const HOOKS: Hooks<Self> = &[];
    /// #     fn start(host: &Startup, before: Name) -> Result<Self> {
    /// #         assert_eq!(before.name, "");
    /// #         keep_name(&host.instance(), "ada").map(|()| Named)
    /// #     }
    /// # }
    /// # let named = testing::start::<Named>("{}").unwrap();
    /// # assert_eq!(named.stored_config().json, r#"{ "name": "ada" }"#);
    /// ```
    ///
    /// # Errors
    /// If the host does not offer `config/2`, refuses the configuration, or the revision is another one.
    pub fn write_config(&self, json: &str, if_revision: Option<u64>) -> Result<u64, NotWritten> {
        let service = service::<WritableConfigService>("config/2").ok_or(NotWritten::Refused(NO_WRITING.into()))?;
        let (mut revision, mut why) = (0, Text::new());
        let if_revision = if_revision.unwrap_or(CONFIG_ANY_REVISION);
        // SAFETY: the service takes the handle that the host gave us, and text for the call; it writes to variables of
        // our own.
        match unsafe { (service.write)(self.handle, Str::new(json), if_revision, &mut revision, &mut why) } {
            0 => Ok(revision),
            answer => Err(NotWritten::new(answer, &why)),
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

/// A service's table. `T` and `id` belong together: each caller names both.
pub(crate) fn service<T: Growing>(id: &str) -> Option<T> {
    // SAFETY: the host returns null, or the table which that id names, kept while we are loaded.
    table().and_then(|host| unsafe { T::find((host.query)(Str::new(id)).cast()) })
}
