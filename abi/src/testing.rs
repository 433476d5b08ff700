//! Runs a plugin in a plain unit test, without a host.
//!
//! The plugin is driven through the same functions that a host calls.
//!
//! ```
//! use hookrail_abi::prelude::*;
//! use hookrail_abi::testing;
//!
//! struct NoSpam;
//!
//! impl NoSpam {
//!     fn check(&self, message: &mut Message) -> Verdict {
//!         if message.body.starts_with(b"spam") { Verdict::deny(7, "spam") } else { Verdict::Continue }
//!     }
//! }
//!
//! impl Plugin for NoSpam {
//!     type Config = NoConfig;
//!     const HOOKS: Hooks<Self> = hooks![MessagePublish, "check" => Self::check, priority = 500, effects = pure];
//!     fn start(_: &Startup, _: NoConfig) -> Result<Self> {
//!         Ok(NoSpam)
//!     }
//! }
//!
//! let plugin = testing::start::<NoSpam>("{}").unwrap();
//! let answer = plugin.call(MessagePublish, "check", &mut Message::new("a", "spam, eggs"));
//! assert_eq!(answer.verdict, Verdict::Deny(7));
//! assert_eq!(answer.reports, ["spam"]);
//! ```

mod answered;
mod bus;
mod config;
mod conversation;
mod dispatch;
mod handle;
mod lifecycle;
mod metrics;
mod stream;

use std::cell::RefCell;
use std::ffi::c_void;
use std::path::PathBuf;
use std::ptr::{from_mut, null, null_mut};
use std::sync::Arc;

pub use self::answered::Answered;
use self::handle::{Handle, query};
pub use self::stream::{Sent, TestSink, TestSource};
use crate::boundary::{
    self, ABI_VERSION, Context, HostTable, RawCallback, Registrar, Registration, ReloadTable, SavedState, StateTable,
    Str,
};
use crate::error::{Error, Result};
use crate::host::{Dir, StoredConfig};
use crate::{Kind, Plugin, Point, State, entry, host};

thread_local! {
    /// What the plugin reported on this thread since the last query.
    static SAID: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

static TABLE: HostTable = HostTable {
    size: size_of::<HostTable>() as u32,
    abi: ABI_VERSION,
    report,
    register_callback: register,
    current,
    query,
};

/// Creates and starts an instance of `P` named `test`, with a configuration in JSON.
///
/// # Errors
/// If the configuration does not parse or the plugin does not start: the text that an operator would read.
pub fn start<P: Plugin>(config: &str) -> Result<Running<P>> {
    // SAFETY: `begin` passes an instance that `create` made and nobody else uses, and a registrar for `register`.
    begin(config, |instance, registrar| unsafe { entry::start::<P>(instance, registrar) })
}

/// Starts an instance as [`start`] does, but with a state of the previous generation, as in an upgrade.
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// use hookrail_abi::prelude::*;
/// use hookrail_abi::testing;
///
/// #[derive(Default)]
/// struct Count(AtomicU64);
///
/// impl Plugin for Count {
///     type Config = NoConfig;
///     const HOOKS: Hooks<Self> = hooks![MessageDelivered, "count" => |count: &Count, _| {
///         count.0.fetch_add(1, Ordering::Relaxed);
///     }, priority = 10];
///     fn start(_: &Startup, _: NoConfig) -> Result<Self> {
///         Ok(Count::default())
///     }
///     fn save(&self) -> Result<Option<State>> {
///         State::json("count", 1, &self.0.load(Ordering::Relaxed)).map(Some)
///     }
///     fn restore(_: &Startup, _: NoConfig, state: State) -> Result<Self> {
///         Ok(Count(AtomicU64::new(state.parse("count", 1..=1)?)))
///     }
/// }
///
/// let old = testing::start::<Count>("{}").unwrap();
/// old.call(MessageDelivered, "count", &mut Message::new("a", ""));
/// let state = old.save().unwrap().unwrap();
/// let new = testing::restore::<Count>("{}", state).unwrap();
/// assert_eq!(new.save().unwrap().unwrap().parse::<u64>("count", ..).unwrap(), 1);
/// let other = State::new("other", 1, "");
/// let error = testing::restore::<Count>("{}", other).unwrap_err();
/// assert_eq!(error.to_string(), "the state is `other` version 1; this build takes `count` version 1..=1");
/// ```
///
/// # Errors
/// As for [`start`], and if the plugin refuses the state.
pub fn restore<P: Plugin>(config: &str, state: State) -> Result<Running<P>> {
    let state = saved(state)?;
    // SAFETY: `begin` passes an instance that `create` made and nobody else uses, and a registrar that `register`
    // takes; the state holds for the call.
    begin(config, |instance, registrar| unsafe { (table::<P>().restore)(instance, registrar, &state) })
}

fn saved(state: State) -> Result<SavedState> {
    let mut saved = SavedState::none();
    // SAFETY: it is ours.
    unsafe { state.save(&mut saved)? };
    Ok(saved)
}

/// The plugin's `state/1` table.
fn table<P: Plugin>() -> &'static StateTable {
    // SAFETY: the SDK's `query` returns a static `StateTable` to this id, and the id is readable for the call.
    unsafe { &*entry::query::<P>(Str::new("state/1")).cast::<StateTable>() }
}

fn begin<P: Plugin>(
    config: &str,
    start: impl FnOnce(*mut boundary::Instance, *mut Registrar) -> u32,
) -> Result<Running<P>> {
    // SAFETY: the table lives as long as the process.
    unsafe { host::attach(&TABLE) };
    SAID.take();
    let handle = Arc::new(Handle::new::<P>(config));
    let mut callbacks: Vec<(String, String, RawCallback, *mut c_void)> = Vec::new();
    let mut instance = null_mut();
    // SAFETY: as a host does: text for the call, room for a pointer, a handle that outlives the
    // instance (`Running` drops it last).
    let created =
        unsafe { entry::create::<P>(Arc::as_ptr(&handle).cast(), Str::new("test"), Str::new(config), &mut instance) };
    if created != 0 {
        return Err(Error::from(SAID.take().join("; ")));
    }
    let started = start(instance, from_mut(&mut callbacks).cast());
    let running = Running { instance, callbacks, handle, plugin: std::marker::PhantomData };
    if started != 0 { Err(Error::from(SAID.take().join("; "))) } else { Ok(running) }
}

/// A started instance. Dropping it stops and drops the instance.
pub struct Running<P: Plugin> {
    instance: *mut boundary::Instance,
    callbacks: Vec<(String, String, RawCallback, *mut c_void)>,
    handle: Arc<Handle>,
    plugin: std::marker::PhantomData<fn(&P)>,
}

// SAFETY: a plugin is `Send`, and everything else is only read.
unsafe impl<P: Plugin> Send for Running<P> {}
// SAFETY: callbacks take `&P`, and a plugin is `Sync`; the rest is behind `&mut` or thread-local.
unsafe impl<P: Plugin> Sync for Running<P> {}

/// What a callback returned, at a point of the kind whose verdict is `V`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Returned<V> {
    /// The verdict. A fault is not a verdict: [`Running::call`] panics with what was reported.
    pub verdict: V,
    /// What was reported during the call, for example why it denied.
    pub reports: Vec<String>,
}

impl<P: Plugin> Running<P> {
    /// Calls the callback of that name at point `T`.
    ///
    /// # Panics
    /// If there is no such callback, or if it faults.
    pub fn call<T: Point>(
        &self,
        _point: T,
        callback: &str,
        payload: &mut T::Payload,
    ) -> Returned<<T::Kind as Kind>::Verdict> {
        let (.., run, ctx) = self
            .callbacks
            .iter()
            .find(|(point, name, ..)| point == T::NAME && name == callback)
            .unwrap_or_else(|| panic!("no callback `{callback}` is registered on {}", T::NAME));
        SAID.take();
        // SAFETY: `ctx` is the running plugin; the payload is the point's, exclusive.
        let answer = unsafe { run(*ctx, from_mut(payload).cast()) };
        let reports = SAID.take();
        let verdict = T::Kind::verdict(answer).unwrap_or_else(|| panic!("{callback} faulted: {}", reports.join("; ")));
        Returned { verdict, reports }
    }

    /// Hands a new configuration to the running plugin.
    ///
    /// # Errors
    /// If the plugin refuses it.
    pub fn reload(&self, config: &str) -> Result<()> {
        // SAFETY: the SDK's `query` returns a static `ReloadTable` to this id, and the id is readable for the call.
        let table = unsafe { &*entry::query::<P>(Str::new("reload/1")).cast::<ReloadTable>() };
        // SAFETY: the instance is started; text for the call.
        match unsafe { (table.reload)(self.instance, Str::new(config)) } {
            0 => {
                self.handle.config.set(config);
                Ok(())
            }
            _ => Err(Error::from(SAID.take().join("; "))),
        }
    }

    /// The configuration that is kept for the instance: what it was started with or given by [`reload`](Self::reload),
    /// or has written itself since.
    pub fn stored_config(&self) -> StoredConfig {
        self.handle.config.now().clone()
    }

    /// Returns the state that the instance hands to the next generation, as before it is replaced.
    ///
    /// # Errors
    /// If the plugin cannot save its state.
    pub fn save(&self) -> Result<Option<State>> {
        self.hand_over(table::<P>().save)
    }

    /// Returns what changed since [`save`](Running::save), as after the last callback has run.
    ///
    /// # Errors
    /// If the plugin cannot save its changes.
    pub fn save_changes(&self) -> Result<Option<State>> {
        self.hand_over(table::<P>().save_changes)
    }

    fn hand_over(
        &self,
        save: unsafe extern "C" fn(*mut boundary::Instance, *mut SavedState) -> u32,
    ) -> Result<Option<State>> {
        let mut saved = SavedState::none();
        // SAFETY: the instance is started; the state is exclusive for the call.
        match unsafe { save(self.instance, &mut saved) } {
            // SAFETY: the state is ours.
            0 => Ok(unsafe { State::of_saved(&saved) }),
            _ => Err(Error::from(SAID.take().join("; "))),
        }
    }

    /// Applies the previous generation's last changes.
    ///
    /// # Errors
    /// If the plugin refuses them.
    pub fn apply_changes(&self, changes: State) -> Result<()> {
        let changes = saved(changes)?;
        // SAFETY: the instance is started; the changes are readable for the call.
        match unsafe { (table::<P>().apply_changes)(self.instance, &changes) } {
            0 => Ok(()),
            _ => Err(Error::from(SAID.take().join("; "))),
        }
    }

    /// A directory of the instance, as the plugin sees it; removed together with the instance.
    pub fn dir(&self, dir: Dir) -> PathBuf {
        self.handle.dir(dir as u32)
    }

    /// The lines logged so far.
    pub fn log(&self) -> Vec<String> {
        self.handle.log.lock().expect("nobody panics with it").clone()
    }
}

/// Not derived, so that `start(...).unwrap_err()` does not require the plugin to be `Debug`.
impl<P: Plugin> std::fmt::Debug for Running<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running").field("callbacks", &self.callbacks).finish_non_exhaustive()
    }
}

impl<P: Plugin> Drop for Running<P> {
    fn drop(&mut self) {
        self.handle.bus.close();
        // SAFETY: the instance was created, and nobody can call it any more.
        unsafe {
            entry::stop::<P>(self.instance);
            entry::destroy::<P>(self.instance);
        }
    }
}

/// # Safety
/// `text` is readable for the call.
unsafe extern "C" fn report(_kind: u32, text: Str) {
    // SAFETY: the plugin passes text that is readable for the call.
    let text = unsafe { text.to_text().into_owned() };
    SAID.with_borrow_mut(|said| said.push(text));
}

/// # Safety
/// `registrar` is what `begin` passed on, which nobody else uses during the call; `record` is readable for the call,
/// with all that it points to.
unsafe extern "C" fn register(registrar: *mut Registrar, record: *const Registration) -> u32 {
    // SAFETY: `begin` passed this vector as the registrar; the record holds for the call, with its texts.
    unsafe {
        let callbacks = &mut *registrar.cast::<Vec<(String, String, RawCallback, *mut c_void)>>();
        let record = &*record;
        let run = record.run.expect("the SDK fills it in");
        callbacks.push((record.point.to_text().into(), record.callback.to_text().into(), run, record.ctx));
    }
    0
}

/// # Safety
/// None is needed.
unsafe extern "C" fn current() -> *const Context {
    null()
}
