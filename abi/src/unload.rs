//! Passes to the host everything of this library that threads would otherwise run unknown to it.
//!
//! The destructor of a thread-local, the destructor of a pthread key and the body of a thread are code of this library
//! that a thread runs when it exits, possibly long after the library was closed. [`export!`](crate::export) therefore
//! defines the six functions through which such code is left with the system. They are hidden, so that everything
//! linked into this library binds to them, Rust's standard library first. They forward to the host that called `bind`,
//! which keeps the records and makes sure that all of them are run or cancelled before it closes the library:
//! `docs/unload.md`.
//!
//! Without such a host (in constructors, which run before `bind`; under a host of ABI 1.0 as it first landed) they
//! forward to the system. The host learns from `count` and `bind` how often that happened.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use crate::boundary::{Growing, KeyDestructor, ObjectDestructor, ThreadBody, UnloadLibrary, UnloadService};

/// The host's service, and the value by which the host identifies this library; null until the host has bound it.
static SERVICE: AtomicPtr<UnloadService> = AtomicPtr::new(null_mut());
static LIBRARY: AtomicPtr<UnloadLibrary> = AtomicPtr::new(null_mut());
/// The number of keys with a destructor, and of threads, that the system created without the host.
static KEYS: AtomicU32 = AtomicU32::new(0);
static THREADS: AtomicU32 = AtomicU32::new(0);

unsafe extern "C" {
    fn dlsym(handle: *mut c_void, name: *const c_char) -> *mut c_void;
}

/// The plugin's `unload/1`: makes the functions below go to the host from now on. Returns how many
/// threads were started before, or `u32::MAX` when it was called before: this image is not fresh.
///
/// # Safety
/// `service` points to a table that the host keeps for as long as this library is loaded, and whose functions take
/// `library`, which is not null.
pub(crate) unsafe extern "C" fn bind(library: *const UnloadLibrary, service: *const UnloadService) -> u32 {
    if LIBRARY.compare_exchange(null_mut(), library.cast_mut(), Ordering::Relaxed, Ordering::Relaxed).is_err() {
        return u32::MAX;
    }
    // Release: pairs with the Acquire in `host`.
    SERVICE.store(service.cast_mut(), Ordering::Release);
    // Relaxed: constructors have finished.
    THREADS.load(Ordering::Relaxed)
}

/// The plugin's `unload/1`: leaves a destructor and the value of a key with this thread, by way of
/// the standard library, so that the host sees whether it learns of both.
///
/// # Safety
/// No preconditions: `unsafe` is part of the type in `UnloadTable`.
pub(crate) unsafe extern "C" fn probe() {
    struct Probe;
    impl Drop for Probe {
        fn drop(&mut self) {
            // Keeps the destructor from being optimised away.
            std::hint::black_box(());
        }
    }
    thread_local!(static PROBE: Probe = const { Probe });
    let _ = PROBE.try_with(|_| ());
    let _ = std::panic::catch_unwind(|| drop(std::thread::current()));
}

/// How many keys with a destructor and how many threads the system made for this library without the
/// host. A host that does not know `unload/1` learns of threads by this alone: it sees no import.
///
/// # Safety
/// No preconditions: `unsafe` is part of the type in `KeysTable`.
pub(crate) unsafe extern "C" fn count() -> u32 {
    KEYS.load(Ordering::Relaxed) + THREADS.load(Ordering::Relaxed)
}

/// Asks the host never to close this library.
pub(crate) fn keep_loaded(reason: &str) {
    if let Some((service, library)) = host() {
        // SAFETY: the text holds for the call; the host has bound the service with this `library`.
        unsafe { (service.keep)(library, crate::boundary::Str::new(reason)) }
    }
}

fn host() -> Option<(UnloadService, *const UnloadLibrary)> {
    // SAFETY: null, or what `bind` was given: a table that the host keeps for as long as this library is loaded.
    let service = unsafe { UnloadService::find(SERVICE.load(Ordering::Acquire)) }?;
    Some((service, LIBRARY.load(Ordering::Relaxed)))
}

/// The system's function of that name. Ours are hidden, so the look-up never finds them.
fn system(name: &CStr) -> *mut c_void {
    const DEFAULT: *mut c_void = null_mut();
    // SAFETY: null is `RTLD_DEFAULT`, and the name is a C string.
    unsafe { dlsym(DEFAULT, name.as_ptr()) }
}

/// `__cxa_thread_atexit_impl` and `__cxa_thread_atexit`.
///
/// # Safety
/// `run` may be called with `object` once, on this thread, when it ends; `library` is an address in the library that
/// `run` lies in.
pub unsafe extern "C" fn at_thread_exit(run: ObjectDestructor, object: *mut c_void, library: *mut c_void) -> c_int {
    type System = unsafe extern "C" fn(ObjectDestructor, *mut c_void, *mut c_void) -> c_int;
    match host() {
        // SAFETY: by the contract `run` may be called with `object` on this thread; the host gave this `library`.
        Some((service, library)) => unsafe { (service.at_thread_exit)(library, run, object) },
        // The system keeps this library mapped until it has run it.
        // SAFETY: the C library has a function of this type; by the contract `run` may be called with `object`.
        None => unsafe {
            std::mem::transmute::<*mut c_void, System>(system(c"__cxa_thread_atexit_impl"))(run, object, library)
        },
    }
}

/// `pthread_key_create(3)`.
///
/// # Safety
/// `key` is room for a key; `destructor` takes each value that a thread leaves under that key.
pub unsafe extern "C" fn key_create(key: *mut u32, destructor: KeyDestructor) -> c_int {
    type System = unsafe extern "C" fn(*mut u32, KeyDestructor) -> c_int;
    if let Some((service, library)) = host() {
        // SAFETY: `key` is room for a key; `destructor` takes what is left under it; the host gave this `library`.
        return unsafe { (service.key_create)(library, key, destructor) };
    }
    // SAFETY: the C library has a function of this type; `key` is room for a key, and `destructor` takes its values.
    let made = unsafe { std::mem::transmute::<*mut c_void, System>(system(c"pthread_key_create"))(key, destructor) };
    if made == 0 && destructor.is_some() {
        // Relaxed: the host reads it when nothing of this library runs any more.
        KEYS.fetch_add(1, Ordering::Relaxed);
    }
    made
}

/// `pthread_key_delete(3)`.
///
/// # Safety
/// `key` came from [`key_create`], and was not deleted since.
pub unsafe extern "C" fn key_delete(key: u32) -> c_int {
    type System = unsafe extern "C" fn(u32) -> c_int;
    match host() {
        // SAFETY: the key was made by `key_create` and is not deleted yet; the host gave this `library`.
        Some((service, library)) => unsafe { (service.key_delete)(library, key) },
        // SAFETY: the C library has a function of this type; the key is not deleted yet.
        None => unsafe { std::mem::transmute::<*mut c_void, System>(system(c"pthread_key_delete"))(key) },
    }
}

/// `pthread_setspecific(3)`.
///
/// # Safety
/// `key` came from [`key_create`], and was not deleted since; its destructor takes `value`.
pub unsafe extern "C" fn set_specific(key: u32, value: *const c_void) -> c_int {
    type System = unsafe extern "C" fn(u32, *const c_void) -> c_int;
    match host() {
        // SAFETY: the key is not deleted yet, and its destructor takes the value; the host gave this `library`.
        Some((service, library)) => unsafe { (service.set_specific)(library, key, value) },
        // SAFETY: the C library has a function of this type; the key is not deleted yet, and takes the value.
        None => unsafe { std::mem::transmute::<*mut c_void, System>(system(c"pthread_setspecific"))(key, value) },
    }
}

/// `pthread_create(3)`.
///
/// # Safety
/// `thread` is room for a `pthread_t`; `attributes` is null or points to a `pthread_attr_t`; `body` may be called with
/// `argument` on another thread.
pub unsafe extern "C" fn thread_create(
    thread: *mut c_void,
    attributes: *const c_void,
    body: ThreadBody,
    argument: *mut c_void,
) -> c_int {
    type System = unsafe extern "C" fn(*mut c_void, *const c_void, ThreadBody, *mut c_void) -> c_int;
    if let Some((service, library)) = host() {
        // SAFETY: the caller passes room for a thread, and a body that takes `argument`; the host gave `library`.
        return unsafe { (service.thread_create)(library, thread, attributes, body, argument) };
    }
    // Relaxed: the host reads it after the constructors.
    THREADS.fetch_add(1, Ordering::Relaxed);
    // SAFETY: the C library has a function of this type; the caller passes room for a thread, and a body that takes
    // `argument`.
    unsafe { std::mem::transmute::<*mut c_void, System>(system(c"pthread_create"))(thread, attributes, body, argument) }
}

/// Defines the hidden symbols. Part of [`export!`](crate::export), since the linker would not look for them in a
/// library of their own.
#[doc(hidden)]
#[macro_export]
macro_rules! hidden_symbols {
    () => {
        $crate::hidden_symbols!(@define
            "__cxa_thread_atexit" at_thread_exit,
            "__cxa_thread_atexit_impl" at_thread_exit,
            "pthread_create" thread_create,
            "pthread_key_create" key_create,
            "pthread_key_delete" key_delete,
            "pthread_setspecific" set_specific,
        );
    };
    (@define $($symbol:literal $function:ident,)*) => {$(
        #[cfg(target_arch = "x86_64")]
        $crate::hidden_symbols!(@jump $symbol, "@function", "jmp", $function);
        #[cfg(target_arch = "aarch64")]
        $crate::hidden_symbols!(@jump $symbol, "%function", "b", $function);
    )*};
    (@jump $symbol:literal, $kind:literal, $jump:literal, $function:ident) => {
        std::arch::global_asm!(
            concat!(".globl ", $symbol),
            concat!(".hidden ", $symbol),
            concat!(".type ", $symbol, ", ", $kind),
            concat!($symbol, ": ", $jump, " {function}"),
            function = sym $crate::unload::$function,
        );
    };
}
