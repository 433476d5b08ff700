//! Does what no host can contain in its own process, in the way the body says.

use hookrail_abi::prelude::*;

struct Specimen;

/// What panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("the bomb");
    }
}

thread_local! {
    static BOMB: Bomb = const { Bomb };
}

impl Specimen {
    fn end(message: &Message) {
        match message.body.as_slice() {
            b"abort" => std::process::abort(),
            b"exit" => std::process::exit(7),
            b"stack" => {
                std::hint::black_box(deeper(0));
            }
            b"unwinding" => {
                let _bomb = Bomb;
                panic!("a panic, and another one on its way out");
            }
            // SAFETY: there is none: that is what it is made for.
            b"memory" => unsafe { std::ptr::null_mut::<u8>().write_volatile(1) },
            // SAFETY: there is none: that is what it is made for.
            b"thread" => unsafe { libc::pthread_exit(std::ptr::null_mut()) },
            b"foreign" => throw(),
            b"local" => BOMB.with(|_| ()),
            b"allocation" => {
                let layout = std::alloc::Layout::from_size_align(isize::MAX as usize - 64, 8).expect("a layout");
                std::alloc::handle_alloc_error(layout);
            }
            _ => {}
        }
    }
}

/// An exception as the languages of a platform throw them, with the class of none of them.
#[repr(C, align(16))]
struct Exception {
    class: u64,
    cleanup: usize,
    private: [usize; 6],
}

unsafe extern "C-unwind" {
    fn _Unwind_RaiseException(exception: *mut Exception) -> i32;
}

fn throw() {
    let exception = Box::leak(Box::new(Exception { class: 7, cleanup: 0, private: [0; 6] }));
    // SAFETY: it is an exception, and stays; whoever catches it has no cleanup to call.
    unsafe { _Unwind_RaiseException(exception) };
}

#[allow(unconditional_recursion, reason = "that is what it is made for")]
fn deeper(depth: u64) -> u64 {
    std::hint::black_box(deeper(depth + 1)) + 1
}

impl Plugin for Specimen {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "end" => |_, message| Specimen::end(message), priority = 10];

    fn start(_: &Startup, _: NoConfig) -> Result<Self> {
        Ok(Specimen)
    }
}

export!(Specimen, name = "ends-the-host");
