//! Starts a thread by a `pthread_create` that it finds by its name, as allocators with threads of their own do.
use std::ffi::c_void;
use std::mem::transmute;
use std::ptr::{null, null_mut};

use hookrail_abi::prelude::*;
use hookrail_tests::pipe::{End, Until};

struct Finds;

type Create = unsafe extern "C" fn(
    *mut libc::pthread_t,
    *const libc::pthread_attr_t,
    extern "C" fn(*mut c_void) -> *mut c_void,
    *mut c_void,
) -> libc::c_int;

extern "C" fn wait(until: *mut c_void) -> *mut c_void {
    // SAFETY: whoever started the thread gave it to it.
    unsafe { *until.cast::<End>() }.wait();
    null_mut()
}

impl Finds {
    fn look(&self, message: &mut Message) {
        message.add_header("ran", "yes");
    }
}

impl Plugin for Finds {
    type Config = Until;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "look" => Self::look, priority = 10];

    fn start(_: &Startup, Until { until }: Until) -> Result<Self> {
        let until: *mut End = Box::into_raw(Box::new(until));
        // SAFETY: a name; by that name it is such a function; the end stays for ever.
        unsafe {
            let found = libc::dlsym(libc::RTLD_DEFAULT, c"pthread_create".as_ptr());
            let create = transmute::<*mut c_void, Create>(found);
            let mut thread = 0;
            assert_eq!(create(&mut thread, null(), wait, until.cast()), 0);
        }
        Ok(Finds)
    }
}

export!(Finds, name = "finds-pthread-create");
