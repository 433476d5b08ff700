//! Counts the pthread keys this library creates.
//!
//! A key's destructor is code of the library, and a thread runs it when it ends, which may be long
//! after the library was closed. glibc keeps no library mapped for its keys, so the host must know of
//! them. Rust's standard library creates one at the first `std::thread::current()` on a thread that
//! it did not start. [`export!`](crate::export) defines `pthread_key_create`, hidden, in terms of
//! [`create`], and the standard library inside the plugin binds to that.

use std::ffi::{c_char, c_int, c_void};
use std::sync::atomic::{AtomicU32, Ordering};

type Destructor = Option<unsafe extern "C" fn(*mut c_void)>;
type Create = unsafe extern "C" fn(*mut u32, Destructor) -> c_int;

static CREATED: AtomicU32 = AtomicU32::new(0);

unsafe extern "C" {
    fn dlsym(handle: *mut c_void, name: *const c_char) -> *mut c_void;
}

/// `pthread_key_create(3)`, counted.
///
/// # Safety
/// As for the function of the system.
pub unsafe extern "C" fn create(key: *mut u32, destructor: Destructor) -> c_int {
    const DEFAULT: *mut c_void = std::ptr::null_mut();
    // SAFETY: the handle and the name are valid. Ours is hidden, so the system's is found.
    let real = unsafe { dlsym(DEFAULT, c"pthread_key_create".as_ptr()) };
    // SAFETY: the C library has it, and this is its type.
    let result = unsafe { std::mem::transmute::<*mut c_void, Create>(real)(key, destructor) };
    if result == 0 && destructor.is_some() {
        // Relaxed: read by the host when nothing of this library runs any more.
        CREATED.fetch_add(1, Ordering::Relaxed);
    }
    result
}

/// How many keys with a destructor this library has created.
pub(crate) unsafe extern "C" fn count() -> u32 {
    CREATED.load(Ordering::Relaxed)
}

/// Defines the hidden symbols; part of [`export!`](crate::export), since in a library of its own the
/// linker would not look for them.
#[doc(hidden)]
#[macro_export]
macro_rules! hidden_symbols {
    () => {
        #[cfg(target_arch = "x86_64")]
        std::arch::global_asm!(
            ".globl pthread_key_create",
            ".hidden pthread_key_create",
            ".type pthread_key_create, @function",
            "pthread_key_create: jmp {create}",
            create = sym $crate::keys::create,
        );
        #[cfg(target_arch = "aarch64")]
        std::arch::global_asm!(
            ".globl pthread_key_create",
            ".hidden pthread_key_create",
            ".type pthread_key_create, %function",
            "pthread_key_create: b {create}",
            create = sym $crate::keys::create,
        );
    };
}
