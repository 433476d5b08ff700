//! The system's own functions, through which this module leaves code of the host with threads.

use std::ffi::{c_int, c_void};

use hookrail_abi::boundary::KeyDestructor;

/// Makes this thread call `run` when it exits, before the destructors of its keys.
pub(super) fn at_thread_exit(run: unsafe extern "C" fn(*mut c_void)) {
    unsafe extern "C" {
        static __dso_handle: u8;
        fn __cxa_thread_atexit_impl(
            run: unsafe extern "C" fn(*mut c_void),
            object: *mut c_void,
            library: *const c_void,
        ) -> c_int;
    }
    // SAFETY: the system keeps the library that holds the host, whose handle this is, mapped until
    // it has run the function. It ends the process where it has no memory left.
    unsafe { __cxa_thread_atexit_impl(run, std::ptr::null_mut(), (&raw const __dso_handle).cast()) };
}

pub(super) fn key_create(key: &mut u32, destructor: KeyDestructor) -> c_int {
    // SAFETY: `key` is room for a key.
    unsafe { libc::pthread_key_create(key, destructor) }
}

pub(super) fn key_delete(key: u32) -> c_int {
    // SAFETY: the system knows by the number whether it is a key.
    unsafe { libc::pthread_key_delete(key) }
}

pub(super) fn set_specific(key: u32, value: *const c_void) -> c_int {
    // SAFETY: the system knows by the number whether it is a key; the value is only handed back.
    unsafe { libc::pthread_setspecific(key, value) }
}

/// The function of a thread. It may unwind: `pthread_exit` does.
pub(super) type Body = unsafe extern "C-unwind" fn(*mut c_void) -> *mut c_void;

/// # Safety
/// `thread` is room for a `pthread_t`, `attributes` null or a `pthread_attr_t`; another thread may call `body` with
/// `argument`.
pub(super) unsafe fn thread_create(
    thread: *mut c_void,
    attributes: *const c_void,
    body: Body,
    argument: *mut c_void,
) -> c_int {
    // Not the declaration in `libc`, whose thread function must not unwind.
    unsafe extern "C" {
        fn pthread_create(thread: *mut c_void, attributes: *const c_void, body: Body, argument: *mut c_void) -> c_int;
    }
    // SAFETY: it is the system's function, with a body that may unwind; the caller passes room for a thread, and a body
    // that takes `argument`.
    unsafe { pthread_create(thread, attributes, body, argument) }
}
