//! The driver: a library and its instances, whose functions it calls directly.

mod endpoint;

use std::ffi::c_void;
use std::fmt;
use std::path::Path;
use std::ptr::{from_ref, null_mut};
use std::sync::{Mutex, PoisonError};

use hookrail_abi::Text;
use hookrail_abi::boundary::{
    self, ENTRY_SYMBOL, Entry, Growing, HEALTH_DEGRADED, HostTable, LifecycleTable, READY_NOT_YET, Registrar,
    ReloadTable, SavedState, SchemaTable, StateTable, Str, TooSmall, UnloadTable,
};
use libloading::os::unix::{Library as Handle, RTLD_LOCAL, RTLD_NOW};

pub(crate) use self::endpoint::{Accepted, Running, Streams};
use super::callback::Callback;
use super::frame::within;
use super::{handle, host};

/// Lifecycle functions run on one thread at a time.
static LIFECYCLE: Mutex<()> = Mutex::new(());

/// An opened library.
///
/// # Invariants
/// The entry is in a library that is never closed, and is complete: its size and its functions have been checked.
#[derive(Clone, Copy)]
pub(crate) struct Library {
    entry: &'static Entry,
}

/// An instance.
///
/// # Invariants
/// `state` came from the library's `create`, and has not been destroyed.
pub(crate) struct Instance {
    library: Library,
    state: *mut boundary::Instance,
    handle: &'static handle::Handle,
    pub(crate) callbacks: Vec<Callback>,
}

// SAFETY: the boundary lets every function run on any thread; lifecycle functions take turns.
unsafe impl Send for Instance {}
// SAFETY: callbacks may run on several threads at once, and lifecycle functions take turns under `LIFECYCLE`.
unsafe impl Sync for Instance {}

/// A function that did not return 0.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    call: &'static str,
    answer: u32,
    said: Option<String>,
}

impl Refusal {
    /// What it said.
    pub(crate) fn said(&self) -> &str {
        self.said.as_deref().unwrap_or_default()
    }

    /// Whether it is a refusal as the boundary defines it: an error was reported, and nothing panicked.
    pub(crate) fn is_orderly(&self) -> bool {
        self.said.as_ref().is_some_and(|said| !said.is_empty() && !said.starts_with("panicked: "))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = self.said.as_deref().unwrap_or("it said nothing");
        write!(f, "`{}` answered {}: {said}", self.call, self.answer)
    }
}

impl Library {
    /// Opens the file itself, not a copy; its constructors run.
    pub(crate) fn open(file: &Path) -> Result<Self, String> {
        // SAFETY: whoever asks for the check trusts the library as this program.
        let handle = unsafe { Handle::open(Some(file), RTLD_NOW | RTLD_LOCAL) }.map_err(|error| {
            // The system's message is the source of the crate's error.
            std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string)
        })?;
        // SAFETY: by name the symbol is an entry, and no further than its size is read.
        let entry = unsafe { handle.get::<*const Entry>(ENTRY_SYMBOL) }.map_err(|error| error.to_string())?;
        let entry = *entry;
        let _ = handle.into_raw();
        // SAFETY: every entry begins with its size.
        let size = unsafe { entry.cast::<u32>().read() } as usize;
        if size < Entry::FIRST {
            return Err(format!("the entry has {}", TooSmall { size, needed: Entry::FIRST }));
        }
        const WORDS: usize = Entry::FIRST / size_of::<usize>();
        // SAFETY: the entry is complete, and made of words.
        let words = unsafe { entry.cast::<[usize; WORDS]>().read() };
        // An address that cannot be a function's must not even be read as one.
        let functions = ["attach", "create", "start", "stop", "destroy", "query"];
        if let Some(missing) = functions.iter().zip(&words[WORDS - functions.len()..]).find(|(_, at)| **at == 0) {
            return Err(format!("the entry has no `{}`", missing.0));
        }
        // INVARIANT: just checked, and the handle was given up without closing it.
        // SAFETY: the entry is complete, immutable, and stays.
        Ok(Library { entry: unsafe { &*entry } })
    }

    /// The entry, for inspection.
    pub(crate) fn entry(self) -> &'static Entry {
        self.entry
    }

    /// Attaches it to the table, and passes what it leaves with threads to the system. Call it once.
    pub(crate) fn attach(self, table: &'static HostTable) -> Result<(), Refusal> {
        // SAFETY: the table stays.
        call("attach", || unsafe { (self.entry.attach)(table) })?;
        if let Some(unload) = self.table::<UnloadTable>("unload/1") {
            let library = from_ref(self.entry).cast();
            // SAFETY: the service stays, and knows the library by an address in it.
            unsafe { (unload.bind)(library, &host::UNLOAD) };
        }
        Ok(())
    }

    /// What it returns for an id.
    pub(crate) fn query(self, id: &[u8]) -> *const c_void {
        // SAFETY: bytes for the call.
        unsafe { (self.entry.query)(Str { ptr: id.as_ptr(), len: id.len() }) }
    }

    /// A table. `T` and `id` belong together: all callers are in this file.
    fn table<T: Growing>(self, id: &str) -> Option<T> {
        // SAFETY: what a plugin returns to an id is the table of that id, or null: `docs/abi.md`.
        unsafe { T::find(self.query(id.as_bytes()).cast()) }
    }

    /// Whether it can accept a configuration while it runs.
    pub(crate) fn has_reload(self) -> bool {
        self.table::<ReloadTable>("reload/1").is_some()
    }

    /// Whether it can hand over a state.
    pub(crate) fn has_state(self) -> bool {
        self.table::<StateTable>("state/1").is_some()
    }

    /// Whether a host can learn from it what threads would still run.
    pub(crate) fn has_unload(self) -> bool {
        self.table::<UnloadTable>("unload/1").is_some()
    }

    /// The JSON Schema of its configuration.
    pub(crate) fn schema(self) -> Result<Option<String>, Refusal> {
        let Some(table) = self.table::<SchemaTable>("schema/1") else { return Ok(None) };
        let mut schema = Text::new();
        // SAFETY: the text is exclusive for the call.
        call("schema", || unsafe { (table.write)(&mut schema) })?;
        Ok(Some(String::from_utf8_lossy(schema.as_bytes()).into_owned()))
    }

    /// Creates an instance.
    pub(crate) fn create(self, name: &str, config: &str) -> Result<Instance, Refusal> {
        let handle = handle::handle(config);
        let mut state = null_mut();
        // SAFETY: text for the call, room for a pointer, a handle that stays.
        lifecycle("create", || unsafe {
            (self.entry.create)(from_ref(handle).cast(), Str::new(name), Str::new(config), &mut state)
        })?;
        // INVARIANT: `create` succeeded.
        Ok(Instance { library: self, state, handle, callbacks: Vec::new() })
    }
}

impl Instance {
    /// Starts it. Call it once, and not after `restore`.
    pub(crate) fn start(&mut self) -> Result<(), Refusal> {
        self.begin("start", false, |entry, state, registrar| {
            // SAFETY: the state is valid by the invariant, and the registrar is ours for the call.
            unsafe { (entry.start)(state, registrar) }
        })
    }

    /// As `start`, with a host that refuses every registration.
    pub(crate) fn start_refused(&mut self) -> Result<(), Refusal> {
        self.begin("start", true, |entry, state, registrar| {
            // SAFETY: the state is valid by the invariant, and the registrar is ours for the call.
            unsafe { (entry.start)(state, registrar) }
        })
    }

    /// Starts it with a state, in place of `start`.
    pub(crate) fn restore(&mut self, saved: &SavedState) -> Result<(), Refusal> {
        let Some(table) = self.library.table::<StateTable>("state/1") else { return self.start() };
        self.begin("restore", false, |_, state, registrar| {
            // SAFETY: the state is valid by the invariant, the registrar ours for the call, and the saved state only
            // read.
            unsafe { (table.restore)(state, registrar, saved) }
        })
    }

    fn begin(
        &mut self,
        name: &'static str,
        refuses: bool,
        function: impl FnOnce(&Entry, *mut boundary::Instance, *mut Registrar) -> u32,
    ) -> Result<(), Refusal> {
        let mut registrar = host::Startup::new(refuses);
        let answer =
            lifecycle(name, || registrar.during(|registrar| function(self.library.entry, self.state, registrar)));
        self.callbacks = registrar.into_callbacks();
        answer
    }

    /// Stops it. Call it once, when it was started and no callback runs.
    pub(crate) fn stop(&mut self) -> Result<(), Refusal> {
        self.callbacks.clear();
        self.handle.bus.close();
        // SAFETY: by the invariant the state is valid; `self` is exclusive, so no callback runs.
        lifecycle("stop", || unsafe { (self.library.entry.stop)(self.state) })
    }

    /// Destroys it. If it was started, it must have been stopped.
    pub(crate) fn destroy(self) -> Result<(), Refusal> {
        // SAFETY: by the invariant the state is valid, and it is not used again.
        let answer = lifecycle("destroy", || unsafe { (self.library.entry.destroy)(self.state) });
        handle::bury(self.handle);
        answer
    }

    /// Passes a configuration to it while it runs; `None` if it has no table for that.
    pub(crate) fn reload(&self, config: &str) -> Option<Result<(), Refusal>> {
        let table = self.library.table::<ReloadTable>("reload/1")?;
        // SAFETY: by the invariant the state is valid; text for the call.
        Some(lifecycle("reload", || unsafe { (table.reload)(self.state, Str::new(config)) }))
    }

    /// Whether it is ready, or says that it is not yet; `None` if it has no table for that.
    pub(crate) fn ready(&self) -> Option<Result<(), Refusal>> {
        self.ask("ready", READY_NOT_YET, |table| table.ready)
    }

    /// How it is; degraded is an answer like any other.
    pub(crate) fn health(&self) -> Option<Result<(), Refusal>> {
        self.ask("health", HEALTH_DEGRADED, |table| table.health)
    }

    /// Has it pause its own work.
    pub(crate) fn halt(&self) -> Option<Result<(), Refusal>> {
        self.ask("halt", 0, |table| table.halt)
    }

    /// Has it continue.
    pub(crate) fn resume(&self) -> Option<Result<(), Refusal>> {
        self.ask("resume", 0, |table| table.resume)
    }

    /// Has it finish what it holds; no callback runs any more.
    pub(crate) fn drain(&self, deadline_ns: u64) -> Option<Result<(), Refusal>> {
        let table = self.library.table::<LifecycleTable>("lifecycle/1")?;
        // SAFETY: by the invariant the state is valid.
        Some(lifecycle("drain", || unsafe { (table.drain)(self.state, deadline_ns) }))
    }

    /// Asks for something; `partly` is an answer too.
    fn ask(
        &self,
        name: &'static str,
        partly: u32,
        function: impl FnOnce(&LifecycleTable) -> unsafe extern "C" fn(*mut boundary::Instance) -> u32,
    ) -> Option<Result<(), Refusal>> {
        let table = self.library.table::<LifecycleTable>("lifecycle/1")?;
        // SAFETY: by the invariant the state is valid.
        let answer = lifecycle(name, || unsafe { function(&table)(self.state) });
        Some(answer.or_else(|refusal| if refusal.answer == partly { Ok(()) } else { Err(refusal) }))
    }

    /// What it hands to the next generation; `None` if it has no table for that.
    pub(crate) fn save(&self) -> Option<Result<SavedState, Refusal>> {
        let table = self.library.table::<StateTable>("state/1")?;
        let mut out = SavedState::none();
        // SAFETY: by the invariant the state is valid; what is saved goes where it is exclusive for the call.
        Some(lifecycle("save", || unsafe { (table.save)(self.state, &mut out) }).map(|()| out))
    }

    /// What has changed since; no callback runs any more.
    pub(crate) fn save_changes(&self) -> Option<Result<SavedState, Refusal>> {
        let table = self.library.table::<StateTable>("state/1")?;
        let mut out = SavedState::none();
        // SAFETY: by the invariant the state is valid; what is saved goes where it is exclusive for the call.
        Some(lifecycle("save_changes", || unsafe { (table.save_changes)(self.state, &mut out) }).map(|()| out))
    }

    /// Passes another generation's last changes to it, while it runs.
    pub(crate) fn apply_changes(&self, rest: &SavedState) -> Option<Result<(), Refusal>> {
        let table = self.library.table::<StateTable>("state/1")?;
        // SAFETY: by the invariant the state is valid; the rest is only read.
        Some(lifecycle("apply_changes", || unsafe { (table.apply_changes)(self.state, rest) }))
    }
}

/// Calls a lifecycle function, on one thread at a time.
fn lifecycle(name: &'static str, function: impl FnOnce() -> u32) -> Result<(), Refusal> {
    let _one = LIFECYCLE.lock().unwrap_or_else(PoisonError::into_inner);
    call(name, function)
}

fn call(name: &'static str, function: impl FnOnce() -> u32) -> Result<(), Refusal> {
    match within(false, function) {
        (0, _) => Ok(()),
        (answer, said) => Err(Refusal { call: name, answer, said }),
    }
}
