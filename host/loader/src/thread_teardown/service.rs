//! The functions that a library calls in place of the system's.

use std::ffi::c_void;
use std::sync::Arc;

use hookrail_abi::boundary::{KeyDestructor, ObjectDestructor, Str, ThreadBody, UnloadLibrary, UnloadService};

use super::state::State;
use super::{ThreadTeardown, exit, is_lost, system, thread};

pub(crate) static TABLE: UnloadService = UnloadService {
    size: size_of::<UnloadService>() as u32,
    at_thread_exit,
    key_create,
    key_delete,
    set_specific,
    thread_create,
    keep,
};

/// Changes the records of a library, unless they are lost.
///
/// # Safety
/// `library` came from [`ThreadTeardown::as_library`], of a teardown that is still there.
unsafe fn note<R>(library: *const UnloadLibrary, change: impl FnOnce(&mut State) -> R) -> Option<R> {
    // SAFETY: `library` is the address of a teardown that is still there.
    let teardown = unsafe { &*library.cast::<ThreadTeardown>() };
    (!is_lost()).then(|| change(&mut teardown.state.lock()))
}

/// # Safety
/// `library` is what the library was bound with. `run` may be called with `object` once, on this thread, while the
/// library is loaded.
unsafe extern "C" fn at_thread_exit(library: *const UnloadLibrary, run: ObjectDestructor, object: *mut c_void) -> i32 {
    exit::arm();
    // For a registration after the system has run all thread-locals, from the destructor of a foreign key.
    exit::arm_last();
    // SAFETY: the library hands back what it was bound with, and its teardown outlives it.
    unsafe { note(library, |state| state.add_destructor(thread::id(), run, object)) };
    0
}

/// # Safety
/// `library` is what the library was bound with; `key` is room for a key, and `destructor` takes the values that are
/// set under it, on their threads, while the library is loaded.
unsafe extern "C" fn key_create(library: *const UnloadLibrary, key: *mut u32, destructor: KeyDestructor) -> i32 {
    // SAFETY: the library passes room for a key.
    let key = unsafe { &mut *key };
    // Without the destructor: the system must be given no code of the library.
    let made = system::key_create(key, None);
    if made == 0 {
        // SAFETY: the library passes what it was bound with, and its teardown outlives it.
        unsafe { note(library, |state| state.add_key(*key, destructor)) };
    }
    made
}

/// # Safety
/// `library` is what the library was bound with.
unsafe extern "C" fn key_delete(library: *const UnloadLibrary, key: u32) -> i32 {
    // Only what is its own: the number of a key that it has deleted before may be another's by now.
    // SAFETY: the library passes what it was bound with, and its teardown outlives it.
    let is_own = unsafe { note(library, |state| state.remove_key(key)) };
    if is_own == Some(true) { system::key_delete(key) } else { libc::EINVAL }
}

/// # Safety
/// `library` is what the library was bound with; the destructor of `key` takes `value`, on this thread.
unsafe extern "C" fn set_specific(library: *const UnloadLibrary, key: u32, value: *const c_void) -> i32 {
    let set = system::set_specific(key, value);
    if set == 0 {
        exit::arm_last();
        // SAFETY: the library passes what it was bound with, and its teardown outlives it.
        unsafe { note(library, |state| state.set_value(thread::id(), key, value.cast_mut())) };
    }
    set
}

/// # Safety
/// `library` is what the library was bound with; `thread` is room for a `pthread_t`, `attributes` null or a
/// `pthread_attr_t`. `body` may be called with `argument` on another thread, while the library is loaded.
unsafe extern "C" fn thread_create(
    library: *const UnloadLibrary,
    thread: *mut c_void,
    attributes: *const c_void,
    body: ThreadBody,
    argument: *mut c_void,
) -> i32 {
    if is_lost() {
        return libc::EAGAIN;
    }
    // SAFETY: `library` came from `Arc::as_ptr`, of a teardown that outlives the library; the count added here is that
    // of the `Arc`.
    let teardown = unsafe {
        Arc::increment_strong_count(library.cast::<ThreadTeardown>());
        Arc::from_raw(library.cast::<ThreadTeardown>())
    };
    {
        let mut state = teardown.state.lock();
        if state.closed {
            return libc::EAGAIN;
        }
        state.threads += 1;
    }
    let start = Box::into_raw(Box::new(Start { teardown, body, argument }));
    // SAFETY: the library passes what `pthread_create` wants; `run` takes the box.
    let made = unsafe { system::thread_create(thread, attributes, run, start.cast()) };
    if made != 0 {
        // SAFETY: no thread was started, so the box is ours.
        let start = unsafe { Box::from_raw(start) };
        start.teardown.state.lock().threads -= 1;
    }
    made
}

struct Start {
    teardown: Arc<ThreadTeardown>,
    body: ThreadBody,
    argument: *mut c_void,
}

/// The first function of a library's thread. `pthread_exit` unwinds through it, so it holds nothing to drop while the
/// library's runs.
///
/// # Safety
/// `start` is a `Start` that `thread_create` has boxed for this thread alone.
unsafe extern "C-unwind" fn run(start: *mut c_void) -> *mut c_void {
    // SAFETY: `thread_create` made it for this thread.
    let Start { teardown, body, argument } = *unsafe { Box::from_raw(start.cast::<Start>()) };
    exit::adopt(teardown);
    // SAFETY: the two differ in what the compiler makes of unwinding only.
    let body = unsafe { std::mem::transmute::<ThreadBody, system::Body>(body) };
    // SAFETY: the library allows this call, and is not closed before this thread has ended.
    unsafe { body(argument) }
}

/// # Safety
/// `library` is what the library was bound with; `reason` is readable for the call.
unsafe extern "C" fn keep(library: *const UnloadLibrary, reason: Str) {
    // SAFETY: the text holds for the call.
    let reason = unsafe { reason.to_text() }.into_owned();
    // SAFETY: the library passes what it was bound with, and its teardown outlives it.
    unsafe { note(library, |state| _ = state.kept.get_or_insert(reason)) };
}
