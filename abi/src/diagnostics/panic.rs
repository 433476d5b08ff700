//! Panics of this library.

use std::any::Any;
use std::ffi::{c_int, c_void};
use std::panic::PanicHookInfo;
use std::ptr::{from_mut, null};
use std::sync::atomic::{AtomicBool, Ordering};

use super::bound;
use crate::boundary::{Str, TracePanic};
use crate::host::{self, Report};

/// The largest number of frames that is reported.
const FRAMES: usize = 128;

/// Whether our panic hook is installed, and has therefore reported every panic that is caught.
static HOOKED: AtomicBool = AtomicBool::new(false);

/// Reports panics of this library to the host instead of stderr.
///
/// The hook is zero-sized, so nothing of it remains when the library is unmapped.
pub(crate) fn install_hook() {
    std::panic::set_hook(Box::new(hook));
    // Relaxed, here and below: set once, before the first call.
    HOOKED.store(true, Ordering::Relaxed);
}

fn hook(info: &PanicHookInfo<'_>) {
    let (message, place) = (text_of(info.payload()), info.location());
    let Some((service, library)) = bound::host() else {
        let place = place.map(|place| format!(" at {place}")).unwrap_or_default();
        return host::report(Report::Fault, &format!("panicked: {message}{place}"));
    };
    let mut frames = Frames { addresses: [null(); FRAMES], count: 0 };
    // SAFETY: `note` wants frames of ours that nobody else uses; these live longer than the walk.
    unsafe { _Unwind_Backtrace(note, from_mut(&mut frames).cast()) };
    let panic = TracePanic {
        size: size_of::<TracePanic>() as u32,
        line: place.map_or(0, |place| place.line()),
        column: place.map_or(0, |place| place.column()),
        reserved: 0,
        message: Str::new(message),
        file: Str::new(place.map_or("", |place| place.file())),
        frames: frames.addresses.as_ptr(),
        frame_count: frames.count,
    };
    // SAFETY: the panic holds for the call, with the texts and frames it points to; the host has bound the service.
    unsafe { (service.panicked)(library, &panic) }
}

/// Reports that a panic ended a call by the host, and forgets its payload.
#[cold]
#[inline(never)]
pub(crate) fn caught(payload: Box<dyn Any + Send>) {
    let message = text_of(&*payload);
    if let Some((service, library)) = bound::host() {
        // SAFETY: the text holds for the call; the host has bound the service.
        unsafe { (service.caught)(library, Str::new(message)) }
    } else if !HOOKED.load(Ordering::Relaxed) {
        host::report(Report::Fault, &format!("panicked: {message}"));
    }
    std::mem::forget(payload);
}

fn text_of(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("with something that is not text")
}

/// Where a panic came from. Addresses only: resolving names here would map the library's file, and keep it mapped.
struct Frames {
    addresses: [*const c_void; FRAMES],
    count: usize,
}

/// Notes one frame, for the unwinder.
///
/// # Safety
/// `context` is the unwinder's, for this call; `frames` points to `Frames` that nobody else uses meanwhile.
unsafe extern "C" fn note(context: *mut c_void, frames: *mut c_void) -> c_int {
    const GO_ON: c_int = 0;
    const END_OF_STACK: c_int = 5;
    // SAFETY: `hook` passes frames that nobody else uses during the walk, and the unwinder its context for this call.
    let (frames, address) = unsafe { (&mut *frames.cast::<Frames>(), _Unwind_GetIP(context)) };
    match frames.addresses.get_mut(frames.count) {
        Some(room) => {
            *room = std::ptr::without_provenance(address);
            frames.count += 1;
            GO_ON
        }
        None => END_OF_STACK,
    }
}

// The unwinder that the standard library is linked with.
unsafe extern "C" {
    fn _Unwind_Backtrace(note: unsafe extern "C" fn(*mut c_void, *mut c_void) -> c_int, frames: *mut c_void) -> c_int;
    fn _Unwind_GetIP(context: *mut c_void) -> usize;
}
