//! The functions of a plugin's [`Entry`]: from the C boundary to the trait [`Plugin`].

use std::ffi::c_void;
use std::ptr::{from_ref, null};

use crate::boundary::{
    self, ABI_OLDEST, ABI_VERSION, Entry, HEALTH_DEGRADED, Heap, HostTable, KeysTable, LifecycleTable, READY_NOT_YET,
    Registrar, Registration, ReloadTable, SavedState, SchemaTable, StateTable, Str, TraceTable, UnloadTable, flags,
    registration,
};
use crate::error::{Error, Result, with_causes};
use crate::host::{self, Instance, Report};
use crate::plugin::Startup;
use crate::shim::guarded;
use crate::{
    Configuration, FaultPolicy, Health, Hook, Plugin, Readiness, State, Text, context, diagnostics, stream, unload,
};

const OK: u32 = 0;
const FAILED: u32 = 1;
pub(crate) const PANICKED: u32 = 2;

/// The entry of plugin `P`, for [`export!`](crate::export).
pub const fn entry<P: Plugin>() -> Entry {
    Entry {
        size: size_of::<Entry>() as u32,
        abi_min: ABI_OLDEST,
        abi_max: ABI_VERSION,
        flags: if cfg!(panic = "unwind") { 0 } else { flags::PANIC_ABORTS },
        heap: Heap::seen_here(),
        attach,
        create: create::<P>,
        start: start::<P>,
        stop: stop::<P>,
        destroy: destroy::<P>,
        query: query::<P>,
    }
}

/// What an instance pointer points to.
struct Created<P: Plugin> {
    name: String,
    instance: Instance,
    config: Option<P::Config>,
    started: Option<Box<P>>,
}

/// The entry's `attach`.
///
/// # Safety
/// `host` points to a table that the host keeps for as long as this library is loaded.
unsafe extern "C" fn attach(host: *const HostTable) -> u32 {
    guarded(PANICKED, || {
        // SAFETY: the host keeps its table for as long as this library is loaded.
        unsafe { host::attach(host) };
        diagnostics::install_hook();
        // If it is no complete table, not even `report` can be trusted to be there.
        if host::table().is_some() { OK } else { FAILED }
    })
}

/// The entry's `create`.
///
/// # Safety
/// `name` and `config` are readable for the call, `instance` is room for a pointer, and the host keeps what `handle`
/// names for as long as this library is loaded.
pub(crate) unsafe extern "C" fn create<P: Plugin>(
    handle: *const boundary::Handle,
    name: Str,
    config: Str,
    instance: *mut *mut boundary::Instance,
) -> u32 {
    guarded(PANICKED, || {
        // SAFETY: the host passes text that is readable for the call.
        let (name, config) = unsafe { (name.to_text().into_owned(), config.to_text()) };
        said(parse::<P>(&config).map(|config| {
            let created = Created::<P> { name, instance: Instance::new(handle), config: Some(config), started: None };
            // SAFETY: the host passes room for a pointer.
            unsafe { instance.write(Box::into_raw(Box::new(created)).cast()) };
        }))
    })
}

/// The entry's `start`.
///
/// # Safety
/// `instance` came from `create`, was not destroyed, and is used by nobody else during the call; `registrar` is the
/// host's, for this call.
pub(crate) unsafe extern "C" fn start<P: Plugin>(instance: *mut boundary::Instance, registrar: *mut Registrar) -> u32 {
    guarded(PANICKED, || {
        // SAFETY: `create` made the instance, and the host uses it on one thread at a time.
        let created = unsafe { &mut *instance.cast::<Created<P>>() };
        said(created.start(registrar, P::start))
    })
}

/// The entry's `stop`.
///
/// # Safety
/// `instance` came from `create`, was not destroyed, and is used by nobody else during the call.
pub(crate) unsafe extern "C" fn stop<P: Plugin>(instance: *mut boundary::Instance) -> u32 {
    guarded(PANICKED, || {
        // SAFETY: `create` made the instance, and the host uses it on one thread at a time.
        let created = unsafe { &mut *instance.cast::<Created<P>>() };
        if let Some(plugin) = &created.started {
            plugin.stop();
        }
        OK
    })
}

/// The entry's `destroy`.
///
/// # Safety
/// `instance` came from `create`. Nobody uses it, or calls a callback that it registered, from now on.
pub(crate) unsafe extern "C" fn destroy<P: Plugin>(instance: *mut boundary::Instance) -> u32 {
    guarded(PANICKED, || {
        // SAFETY: `create` made the instance from a box, and the host does not use it again.
        drop(unsafe { Box::from_raw(instance.cast::<Created<P>>()) });
        OK
    })
}

/// The entry's `query`.
///
/// # Safety
/// `id` is readable for the call.
pub(crate) unsafe extern "C" fn query<P: Plugin>(id: Str) -> *const c_void {
    // SAFETY: the host passes text that is readable for the call.
    match &*unsafe { id.to_text() } {
        "keys/1" => {
            static TABLE: KeysTable = KeysTable { size: size_of::<KeysTable>() as u32, count: unload::count };
            from_ref(&TABLE).cast()
        }
        "lifecycle/1" => {
            let table: &'static LifecycleTable = const {
                &LifecycleTable {
                    size: size_of::<LifecycleTable>() as u32,
                    ready: ready::<P>,
                    health: health::<P>,
                    halt: halt::<P>,
                    resume: resume::<P>,
                    drain: drain::<P>,
                }
            };
            from_ref(table).cast()
        }
        "metrics/1" => crate::metrics::table::table::<P>(),
        "reload/1" => {
            let table: &'static ReloadTable =
                const { &ReloadTable { size: size_of::<ReloadTable>() as u32, reload: reload::<P> } };
            from_ref(table).cast()
        }
        "schema/1" => {
            let table: &'static SchemaTable =
                const { &SchemaTable { size: size_of::<SchemaTable>() as u32, write: schema::<P> } };
            from_ref(table).cast()
        }
        "state/1" => {
            let table: &'static StateTable = const {
                &StateTable {
                    size: size_of::<StateTable>() as u32,
                    save: save::<P>,
                    save_changes: save_changes::<P>,
                    restore: restore::<P>,
                    apply_changes: apply_changes::<P>,
                }
            };
            from_ref(table).cast()
        }
        "stream/1" => stream::table::<P>().map_or(null(), |table| from_ref(table).cast()),
        "trace/1" => {
            static TABLE: TraceTable = TraceTable {
                size: size_of::<TraceTable>() as u32,
                bind: diagnostics::bind,
                set_level: diagnostics::set_level,
            };
            from_ref(&TABLE).cast()
        }
        "unload/1" => {
            static TABLE: UnloadTable =
                UnloadTable { size: size_of::<UnloadTable>() as u32, bind: unload::bind, probe: unload::probe };
            from_ref(&TABLE).cast()
        }
        _ => null(),
    }
}

/// The `ready` of `lifecycle/1`.
///
/// # Safety
/// `instance` came from `create`, was not destroyed, and is only shared during the call, with its callbacks.
unsafe extern "C" fn ready<P: Plugin>(instance: *mut boundary::Instance) -> u32 {
    // SAFETY: the host passes an instance that `create` made and is only shared.
    unsafe {
        asked::<P, _>(instance, P::ready, |readiness| match readiness {
            Readiness::NotYet(why) => Some((READY_NOT_YET, why)),
            Readiness::Ready => None,
        })
    }
}

/// The `health` of `lifecycle/1`.
///
/// # Safety
/// `instance` came from `create`, was not destroyed, and is only shared during the call, with its callbacks.
unsafe extern "C" fn health<P: Plugin>(instance: *mut boundary::Instance) -> u32 {
    // SAFETY: the host passes an instance that `create` made and is only shared.
    unsafe {
        asked::<P, _>(instance, P::health, |health| match health {
            Health::Degraded(why) => Some((HEALTH_DEGRADED, why)),
            Health::Good => None,
        })
    }
}

/// The `halt` of `lifecycle/1`.
///
/// # Safety
/// `instance` came from `create`, was not destroyed, and is only shared during the call, with its callbacks.
unsafe extern "C" fn halt<P: Plugin>(instance: *mut boundary::Instance) -> u32 {
    // SAFETY: the host passes an instance that `create` made and is only shared.
    unsafe { asked::<P, _>(instance, P::halt, |()| None) }
}

/// The `resume` of `lifecycle/1`.
///
/// # Safety
/// `instance` came from `create`, was not destroyed, and is only shared during the call, with its callbacks.
unsafe extern "C" fn resume<P: Plugin>(instance: *mut boundary::Instance) -> u32 {
    // SAFETY: the host passes an instance that `create` made and is only shared.
    unsafe { asked::<P, _>(instance, P::resume, |()| None) }
}

/// The `drain` of `lifecycle/1`.
///
/// # Safety
/// `instance` came from `create`, was not destroyed, and is only shared during the call.
unsafe extern "C" fn drain<P: Plugin>(instance: *mut boundary::Instance, deadline_ns: u64) -> u32 {
    // SAFETY: the host passes an instance that `create` made and is only shared.
    unsafe { asked::<P, _>(instance, |plugin| plugin.drain(context::instant(deadline_ns)), |()| None) }
}

/// Asks a started plugin for something; `partly` is what is returned, and why, if the answer is neither yes nor no.
///
/// # Safety
/// `instance` came from `create`, was not destroyed, and is only shared during the call, with its callbacks.
unsafe fn asked<P: Plugin, T>(
    instance: *mut boundary::Instance,
    ask: impl FnOnce(&P) -> Result<T>,
    partly: impl FnOnce(T) -> Option<(u32, String)>,
) -> u32 {
    guarded(PANICKED, || {
        // SAFETY: `create` made the instance, which is only shared.
        let created = unsafe { &*instance.cast::<Created<P>>() };
        match created.plugin().and_then(ask).map(partly) {
            Ok(Some((answer, why))) => {
                host::report(Report::Error, &why);
                answer
            }
            Ok(None) => OK,
            Err(error) => said(Err(error)),
        }
    })
}

/// The `reload` of `reload/1`.
///
/// # Safety
/// `instance` came from `create`, was not destroyed, and is only shared during the call, with its callbacks; `config`
/// is readable for the call.
unsafe extern "C" fn reload<P: Plugin>(instance: *mut boundary::Instance, config: Str) -> u32 {
    guarded(PANICKED, || {
        // SAFETY: `create` made the instance and callbacks only share it; the host passes text that
        // is readable for the call.
        let (created, config) = unsafe { (&*instance.cast::<Created<P>>(), config.to_text()) };
        said(parse::<P>(&config).and_then(|config| created.plugin()?.reload(config)))
    })
}

/// The `save` of `state/1`.
///
/// # Safety
/// `instance` came from `create`, was not destroyed, and is only shared during the call, with its callbacks; `out` is a
/// valid state that nobody else uses.
unsafe extern "C" fn save<P: Plugin>(instance: *mut boundary::Instance, out: *mut SavedState) -> u32 {
    // SAFETY: the host passes an instance that `create` made and is only shared, and a state, exclusive for the call.
    unsafe { hand_over::<P>(instance, out, P::save) }
}

/// The `save_changes` of `state/1`.
///
/// # Safety
/// `instance` came from `create`, was not destroyed, and is only shared during the call; `out` is a valid state that
/// nobody else uses.
unsafe extern "C" fn save_changes<P: Plugin>(instance: *mut boundary::Instance, out: *mut SavedState) -> u32 {
    // SAFETY: the host passes an instance that `create` made and is only shared, and a state, exclusive for the call.
    unsafe { hand_over::<P>(instance, out, P::save_changes) }
}

/// # Safety
/// `instance` came from `create`, was not destroyed, and is only shared during the call; `out` is a valid state that
/// nobody else uses.
unsafe fn hand_over<P: Plugin>(
    instance: *mut boundary::Instance,
    out: *mut SavedState,
    save: fn(&P) -> Result<Option<State>>,
) -> u32 {
    guarded(PANICKED, || {
        // SAFETY: `create` made the instance, which is only shared.
        let created = unsafe { &*instance.cast::<Created<P>>() };
        said(created.plugin().and_then(save).and_then(|state| match state {
            // SAFETY: the host passes a state, exclusive for the call.
            Some(state) => unsafe { state.save(out) },
            None => Ok(()),
        }))
    })
}

/// The `restore` of `state/1`.
///
/// # Safety
/// `instance` came from `create`, was not destroyed, and is used by nobody else during the call; `registrar` is the
/// host's, and `state` readable, for this call.
unsafe extern "C" fn restore<P: Plugin>(
    instance: *mut boundary::Instance,
    registrar: *mut Registrar,
    state: *const SavedState,
) -> u32 {
    guarded(PANICKED, || {
        // SAFETY: `create` made the instance, and the host uses it on one thread at a time; the state is readable for
        // the call.
        let (created, state) = unsafe { (&mut *instance.cast::<Created<P>>(), State::of_saved(state)) };
        said(match state {
            Some(state) => created.start(registrar, |host, config| P::restore(host, config, state)),
            None => created.start(registrar, P::start),
        })
    })
}

/// The `apply_changes` of `state/1`.
///
/// # Safety
/// `instance` came from `create`, was not destroyed, and is only shared during the call, with its callbacks; `changes`
/// is readable for the call.
unsafe extern "C" fn apply_changes<P: Plugin>(instance: *mut boundary::Instance, changes: *const SavedState) -> u32 {
    guarded(PANICKED, || {
        // SAFETY: `create` made the instance and callbacks only share it; the changes are readable for the call.
        let (created, changes) = unsafe { (&*instance.cast::<Created<P>>(), State::of_saved(changes)) };
        said(match changes {
            Some(changes) => created.plugin().and_then(|plugin| plugin.apply_changes(changes)),
            None => Ok(()),
        })
    })
}

/// The `write` of `schema/1`.
///
/// # Safety
/// `out` is a text that nobody else uses during the call.
unsafe extern "C" fn schema<P: Plugin>(out: *mut Text) -> u32 {
    guarded(PANICKED, || {
        // SAFETY: the host passes a text, exclusively.
        unsafe { &mut *out }.push_str(&P::Config::schema());
        OK
    })
}

/// The plugin of a started instance.
///
/// # Safety
/// `instance` came from `create`, was not destroyed, and is only shared for `'a`.
pub(crate) unsafe fn plugin<'a, P: Plugin>(instance: *mut boundary::Instance) -> Result<&'a P> {
    // SAFETY: the caller promises it.
    unsafe { &*instance.cast::<Created<P>>() }.plugin()
}

impl<P: Plugin> Created<P> {
    fn plugin(&self) -> Result<&P> {
        self.started.as_deref().ok_or_else(|| "the instance is not started".into())
    }

    fn start(&mut self, registrar: *mut Registrar, start: impl FnOnce(&Startup, P::Config) -> Result<P>) -> Result<()> {
        let config = self.config.take().ok_or("the instance was started before")?;
        let host = Startup::new(self.name.clone(), self.instance);
        let plugin = self.started.insert(Box::new(start(&host, config)?));
        if let Some(unknown) = host.left_out_of(P::HOOKS) {
            return Err(format!("it leaves out `{unknown}`, which is none of its hooks").into());
        }
        let table = host::table().ok_or("the library is not attached to a host")?;
        for hook in P::HOOKS.iter().filter(|hook| !host.leaves_out(hook.callback)) {
            let record = hook.registration(plugin);
            // SAFETY: `registrar` is the host's, for this call; the record holds for the call, and
            // what it points to for as long as the instance is started.
            if unsafe { (table.register_callback)(registrar, &record) } != 0 {
                // The host said why.
                return Err(Error::from(""));
            }
        }
        Ok(())
    }
}

impl<P> Hook<P> {
    fn registration(&self, plugin: &P) -> Registration {
        Registration {
            size: size_of::<Registration>() as u32,
            flags: registration::HAS_PRIORITY,
            point: Str::new(self.point),
            revision: self.revision,
            priority: self.priority.number(),
            callback: Str::new(self.callback),
            form: registration::FORM_SYNCHRONOUS,
            effects: self.effects as u32,
            fault: match self.fault {
                None => registration::ON_FAULT_AS_POINT,
                Some(FaultPolicy::Open) => registration::ON_FAULT_OPEN,
                Some(FaultPolicy::Closed) => registration::ON_FAULT_CLOSED,
                Some(FaultPolicy::Rollback) => registration::ON_FAULT_ROLLBACK,
            },
            reserved: 0,
            budget_ns: self.budget,
            predicate: 0,
            run: Some(self.run),
            ctx: from_ref(plugin).cast_mut().cast(),
            ctx_drop: None,
            fingerprint: (self.shape)().fingerprint,
            layout: from_ref(self.layout).cast(),
            ops: (self.ops)(),
        }
    }
}

fn parse<P: Plugin>(config: &str) -> Result<P::Config> {
    P::Config::from_json(if config.is_empty() { "{}" } else { config })
}

/// Reports the error, if there is one; returns what a function of the boundary returns.
pub(crate) fn said(result: Result<()>) -> u32 {
    match result {
        Ok(()) => OK,
        Err(error) => {
            let text = with_causes(&*error);
            if !text.is_empty() {
                host::report(Report::Error, &text);
            }
            FAILED
        }
    }
}
