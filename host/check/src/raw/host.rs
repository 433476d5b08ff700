//! The host that the driver plays: its table, its services, and the offences it catches.

use std::ffi::{c_int, c_void};
use std::ptr::{from_mut, from_ref, null, null_mut};
use std::sync::atomic::{AtomicPtr, AtomicU8, Ordering};

use hookrail_abi::Text;
use hookrail_abi::boundary::{
    self, ABI_VERSION, CONFIG_REFUSED, ConfigService, Context, DirsService, Entry, Growing, HostTable, KeyDestructor,
    LogService, ObjectDestructor, Registrar, Registration, Str, ThreadBody, UNIT_GONE, UnitEvent, UnitService,
    UnitSpec, UnitStatus, UnloadLibrary, UnloadService, WritableConfigService,
};

use super::callback::Callback;
use super::handle::{self, Handle, ask_back, called};
use super::offences::{checked, offence};
use super::{bus_service, dispatch, frame};

/// The table of a host of ABI 1.0.
pub(crate) static TABLE: HostTable =
    HostTable { size: size_of::<HostTable>() as u32, abi: ABI_VERSION, report, register_callback, current, query };

/// The table of a newer host: of a later minor version, and longer, with words that must not be dereferenced.
pub(crate) static LARGER: &HostTable = &NEWER.table;

#[repr(C)]
struct Newer {
    table: HostTable,
    more: [usize; 16],
}

static NEWER: Newer = Newer {
    table: HostTable { size: size_of::<Newer>() as u32, abi: ABI_VERSION + 7, ..TABLE },
    more: [usize::MAX; 16],
};

/// Units that are over as soon as they have begun: no program is run for a check.
static UNITS: UnitService =
    UnitService { size: size_of::<UnitService>() as u32, start, next, watch, say, signal, state, end };

/// The services that the host offers, and whether its functions query the plugin when they are called.
pub(crate) struct Services;

/// Bit N withholds the Nth service.
static WITHHELD: AtomicU8 = AtomicU8::new(0);

const SERVICES: [&str; 7] = ["bus/1", "config/1", "config/2", "dirs/1", "dispatch/1", "log/1", "unit/1"];

impl Services {
    pub(crate) const COUNT: u8 = SERVICES.len() as u8;

    /// From now on, every host function that the plugin calls queries the plugin for a table before it returns.
    pub(crate) fn ask_back(entry: &'static Entry) {
        handle::ask(entry);
    }

    /// Withholds the services whose bits are set, from now on; returns their names.
    pub(crate) fn withhold(bits: u8) -> Vec<&'static str> {
        WITHHELD.store(bits, Ordering::SeqCst);
        (0..SERVICES.len()).filter(|index| bits >> index & 1 == 1).map(|index| SERVICES[index]).collect()
    }
}

/// How many bytes of the heap are in use.
pub(crate) fn heap() -> usize {
    // SAFETY: the call takes nothing, and returns its answer by value.
    let info = unsafe { libc::mallinfo() };
    (info.uordblks as u32 as usize).wrapping_add(info.hblkhd as u32 as usize)
}

/// What `start` receives as its registrar.
pub(super) struct Startup {
    refuses: bool,
    callbacks: Vec<Callback>,
}

/// The registrar of the current call to `start`; null if there is none.
static REGISTRAR: AtomicPtr<Startup> = AtomicPtr::new(null_mut());

impl Startup {
    pub(super) fn new(refuses: bool) -> Self {
        Startup { refuses, callbacks: Vec::new() }
    }

    /// Runs `start` with it: `register_callback` accepts it meanwhile, and at no other time.
    pub(super) fn during<R>(&mut self, start: impl FnOnce(*mut Registrar) -> R) -> R {
        let registrar = from_mut(self);
        REGISTRAR.store(registrar, Ordering::SeqCst);
        let answer = start(registrar.cast());
        REGISTRAR.store(null_mut(), Ordering::SeqCst);
        answer
    }

    pub(super) fn into_callbacks(self) -> Vec<Callback> {
        self.callbacks
    }
}

/// # Safety
/// `text` is readable for the call.
unsafe extern "C" fn report(kind: u32, text: Str) {
    ask_back();
    if !(1..=3).contains(&kind) {
        offence(format!("it said something of kind {kind}, which there is not"));
    }
    // SAFETY: the plugin passes text that is readable for the call.
    let text = unsafe { checked(text, "what it said") };
    frame::report(text);
}

/// # Safety
/// `record` begins with its size, and so many bytes of it are readable for the call, with all that they point to.
/// Nobody else uses `registrar` meanwhile.
unsafe extern "C" fn register_callback(registrar: *mut Registrar, record: *const Registration) -> u32 {
    ask_back();
    if registrar.is_null() || registrar.cast() != REGISTRAR.load(Ordering::SeqCst) {
        offence("it registered a callback outside of `start`, or with another registrar than it was given");
        return 1;
    }
    // SAFETY: it is the registrar of the `start` that runs; the record is readable for the call.
    let (registrar, record) = unsafe { (&mut *registrar.cast::<Startup>(), Registration::read(record)) };
    let record = match record {
        Ok(record) => record,
        Err(too_small) => {
            offence(format!("it registered a record of {too_small}"));
            return 1;
        }
    };
    // SAFETY: names that are readable for the call.
    let (point, name) =
        unsafe { (checked(record.point, "a point's name"), checked(record.callback, "a callback's name")) };
    let Some(run) = record.run else {
        offence(format!("it registered `{name}` on {point} with no code"));
        return 1;
    };
    if registrar.refuses {
        frame::report("refused by the check".into());
        return 1;
    }
    registrar.callbacks.push(Callback::new(point, name, run, &record));
    0
}

/// # Safety
/// No preconditions; what it returns may be followed only while the callback runs that asks.
unsafe extern "C" fn current() -> *const Context {
    ask_back();
    frame::current()
}

/// # Safety
/// `id` is readable for the call.
unsafe extern "C" fn query(id: Str) -> *const c_void {
    static LOG: LogService = LogService { size: size_of::<LogService>() as u32, write: log };
    static CONFIG: ConfigService = ConfigService { size: size_of::<ConfigService>() as u32, read: config };
    static WRITABLE: WritableConfigService =
        WritableConfigService { size: size_of::<WritableConfigService>() as u32, read: config, stored, write };
    static DIRS: DirsService = DirsService { size: size_of::<DirsService>() as u32, path: dirs };
    ask_back();
    // SAFETY: the plugin passes text that is readable for the call.
    let id = unsafe { checked(id, "a service's id") };
    let services = [
        from_ref(&bus_service::SERVICE).cast(),
        from_ref(&CONFIG).cast(),
        from_ref(&WRITABLE).cast(),
        from_ref(&DIRS).cast(),
        from_ref(&dispatch::SERVICE).cast(),
        from_ref(&LOG).cast(),
        from_ref(&UNITS).cast(),
    ];
    let found = SERVICES.iter().position(|service| *service == id);
    let has = |index: &usize| WITHHELD.load(Ordering::SeqCst) >> index & 1 == 0;
    found.filter(has).map_or(null(), |index| services[index])
}

/// # Safety
/// `text` is readable for the call.
unsafe extern "C" fn log(handle: *const boundary::Handle, level: u32, text: Str) {
    called(handle, "log/1");
    if !(1..=5).contains(&level) {
        offence(format!("it logged at level {level}, which there is not"));
    }
    // SAFETY: the plugin passes text that is readable for the call.
    let text = unsafe { checked(text, "what it logged") };
    tracing::info!("{text}");
}

/// # Safety
/// Nobody else uses `out` during the call.
unsafe extern "C" fn config(handle: *const boundary::Handle, out: *mut Text) -> u32 {
    if !called(handle, "config/1") {
        return 1;
    }
    // SAFETY: a live handle is ours and never freed; the text is exclusive.
    let (handle, out) = unsafe { (&*handle.cast::<Handle>(), &mut *out) };
    handle.config.read(out);
    0
}

/// # Safety
/// Nobody else uses `out` and `revision` during the call.
unsafe extern "C" fn stored(handle: *const boundary::Handle, out: *mut Text, revision: *mut u64) -> u32 {
    if !called(handle, "config/2") {
        return CONFIG_REFUSED;
    }
    // SAFETY: a live handle is ours and never freed; the others are exclusive.
    let (handle, out, revision) = unsafe { (&*handle.cast::<Handle>(), &mut *out, &mut *revision) };
    *revision = handle.config.read(out);
    0
}

/// # Safety
/// `json` is readable for the call; nobody else uses `revision` and `why` meanwhile.
unsafe extern "C" fn write(
    handle: *const boundary::Handle,
    json: Str,
    if_revision: u64,
    revision: *mut u64,
    why: *mut Text,
) -> u32 {
    if !called(handle, "config/2") {
        return CONFIG_REFUSED;
    }
    // SAFETY: a live handle is ours and never freed; the text holds for the call, the others are exclusive.
    let (handle, json, revision, why) = unsafe {
        (&*handle.cast::<Handle>(), checked(json, "the configuration that it wrote"), &mut *revision, &mut *why)
    };
    match handle.config.write(json, if_revision) {
        Ok(now) => {
            *revision = now;
            0
        }
        Err((answer, said)) => {
            why.push_str(said);
            answer
        }
    }
}

/// # Safety
/// Nobody else uses `out` during the call.
unsafe extern "C" fn dirs(handle: *const boundary::Handle, kind: u32, out: *mut Text) -> u32 {
    if !called(handle, "dirs/1") {
        return 1;
    }
    // SAFETY: a live handle is ours and never freed; the text is exclusive.
    let (handle, out) = unsafe { (&*handle.cast::<Handle>(), &mut *out) };
    let path = handle.home.join(kind.to_string());
    match std::fs::create_dir_all(&path) {
        Ok(()) if kind <= 2 => {
            out.push_str(&path.to_string_lossy());
            0
        }
        _ => {
            out.push_str("there is no such directory");
            1
        }
    }
}

/// What the functions return if there is no such unit.
const NO_UNIT: u32 = 1;

/// # Safety
/// `spec` points to a specification of any version, which holds for the call; nobody else uses `id` meanwhile.
unsafe extern "C" fn start(handle: *const boundary::Handle, spec: *const UnitSpec, id: *mut u64, _: *mut Text) -> u32 {
    if !called(handle, "unit/1") {
        return NO_UNIT;
    }
    // SAFETY: by the contract.
    match unsafe { UnitSpec::read(spec) } {
        Ok(spec) => {
            // SAFETY: its texts hold for the call.
            unsafe {
                checked(spec.name, "the name of a unit");
                checked(spec.program, "the program of a unit");
                *id = 1;
            }
            0
        }
        Err(too_small) => {
            offence(format!("it began a unit with a specification of {too_small}"));
            NO_UNIT
        }
    }
}

unsafe extern "C" fn next(handle: *const boundary::Handle, _: u64, _: u64, _: *mut UnitEvent) -> u32 {
    called(handle, "unit/1");
    UNIT_GONE
}

unsafe extern "C" fn watch(handle: *const boundary::Handle, _: u64) -> i32 {
    called(handle, "unit/1");
    -1
}

/// # Safety
/// `text` is readable for the call.
unsafe extern "C" fn say(handle: *const boundary::Handle, _: u64, _: u64, _: u32, _: u64, text: Str) -> u32 {
    called(handle, "unit/1");
    // SAFETY: by the contract.
    unsafe { checked(text, "what it said of a unit") };
    NO_UNIT
}

unsafe extern "C" fn signal(handle: *const boundary::Handle, _: u64, _: i32) -> u32 {
    called(handle, "unit/1");
    NO_UNIT
}

unsafe extern "C" fn state(handle: *const boundary::Handle, _: u64, _: *mut UnitStatus, _: *mut Text) -> u32 {
    called(handle, "unit/1");
    NO_UNIT
}

unsafe extern "C" fn end(handle: *const boundary::Handle, _: u64) -> u32 {
    called(handle, "unit/1");
    NO_UNIT
}

/// Passes everything on to the system: the library is never closed, so nothing has to be recorded.
pub(super) static UNLOAD: UnloadService = UnloadService {
    size: size_of::<UnloadService>() as u32,
    at_thread_exit,
    key_create,
    key_delete,
    set_specific,
    thread_create,
    keep,
};

/// # Safety
/// `run` may be called with `object` once, on this thread, when it ends; `library` is an address in the library.
unsafe extern "C" fn at_thread_exit(library: *const UnloadLibrary, run: ObjectDestructor, object: *mut c_void) -> i32 {
    unsafe extern "C" {
        fn __cxa_thread_atexit_impl(run: ObjectDestructor, object: *mut c_void, library: *const c_void) -> c_int;
    }
    // SAFETY: the plugin lets `run` be called with `object` when this thread ends; `library` is an address in it.
    unsafe { __cxa_thread_atexit_impl(run, object, library.cast()) }
}

/// # Safety
/// `key` is room for a key; `destructor` takes the values that are set under it.
unsafe extern "C" fn key_create(_: *const UnloadLibrary, key: *mut u32, destructor: KeyDestructor) -> i32 {
    // SAFETY: the plugin passes room for a key, and a destructor in a library that is never closed.
    unsafe { libc::pthread_key_create(key, destructor) }
}

/// # Safety
/// `key` came from `key_create`, and was not deleted since.
unsafe extern "C" fn key_delete(_: *const UnloadLibrary, key: u32) -> i32 {
    // SAFETY: the plugin passes a key that it made and has not deleted.
    unsafe { libc::pthread_key_delete(key) }
}

/// # Safety
/// `key` came from `key_create`, and was not deleted since; its destructor takes `value`.
unsafe extern "C" fn set_specific(_: *const UnloadLibrary, key: u32, value: *const c_void) -> i32 {
    // SAFETY: the plugin passes a key that it made and has not deleted, and a value that its destructor takes.
    unsafe { libc::pthread_setspecific(key, value) }
}

/// # Safety
/// `thread` is room for a `pthread_t`, `attributes` null or a `pthread_attr_t`; another thread may call `body` with
/// `argument`.
unsafe extern "C" fn thread_create(
    _: *const UnloadLibrary,
    thread: *mut c_void,
    attributes: *const c_void,
    body: ThreadBody,
    argument: *mut c_void,
) -> i32 {
    unsafe extern "C" {
        fn pthread_create(
            thread: *mut c_void,
            attributes: *const c_void,
            body: ThreadBody,
            argument: *mut c_void,
        ) -> c_int;
    }
    // SAFETY: the plugin passes room for a thread, and a body that takes `argument`, in a library that is never closed.
    unsafe { pthread_create(thread, attributes, body, argument) }
}

/// # Safety
/// No preconditions: it uses neither argument.
unsafe extern "C" fn keep(_: *const UnloadLibrary, _: Str) {}
