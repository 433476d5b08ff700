//! What a plugin registers its callbacks with while it is being started.

use hookrail_abi::boundary::{Growing, Registrar, Registration};

use crate::body::Admission;

/// The host table's `register`.
///
/// # Safety
/// `registrar` is what the running call to `start` was given: a `&mut dyn Admission`, which nobody else uses meanwhile.
/// `record` begins with its size, and so many bytes of it are readable for the call, with all that they point to.
pub(crate) unsafe extern "C" fn register(registrar: *mut Registrar, record: *const Registration) -> u32 {
    // SAFETY: `start` was called with a reference of ours, exclusively; the record holds for the call.
    let (admission, record) = unsafe { (&mut **registrar.cast::<&mut dyn Admission>(), Registration::read(record)) };
    u32::from(!admission.admit(record.as_ref().map_err(|too_small| *too_small)))
}
