//! Which instance a thread is in.
//!
//! Nothing is noted when a callback is called: a dispatch names its entry anyway, for whoever waits
//! for readers, and the entry leads to the instance by the context that goes with the code.

use std::cell::Cell;
use std::ptr::{from_ref, null};
use std::sync::Arc;

use super::Speaker;
use crate::chain::{Pair, context_of};
use crate::reclaim;

/// A call into a plugin outside of any dispatch.
struct Call<'a> {
    speaker: *const Speaker,
    instance: Option<&'a Arc<str>>,
    /// The dispatch that it was made from.
    within: Option<(u64, *mut ())>,
}

thread_local! {
    /// The innermost call of this thread; null for none.
    static CALL: Cell<*const Call<'static>> = const { Cell::new(null()) };
}

/// Runs a call into a plugin: what is told in it is the instance's.
pub(crate) fn during<R>(speaker: &Speaker, instance: Option<&Arc<str>>, call: impl FnOnce() -> R) -> R {
    /// Functions of plugins do not unwind, but what is said in between is the host's own code.
    struct Restore(*const Call<'static>);
    impl Drop for Restore {
        fn drop(&mut self) {
            CALL.set(self.0);
        }
    }
    let this = Call { speaker, instance, within: reclaim::innermost() };
    let _restore = Restore(CALL.replace(from_ref(&this).cast()));
    call()
}

impl Speaker {
    /// The instance that this thread is in, if it is in one of this library's.
    pub(super) fn instance(&self) -> Option<Arc<str>> {
        let innermost = reclaim::innermost();
        // SAFETY: it is there until `during` takes it back, on this thread.
        let call = unsafe { CALL.get().as_ref() }.filter(|call| call.within == innermost);
        if let Some(call) = call {
            return call.instance.filter(|_| std::ptr::eq(call.speaker, self)).cloned();
        }
        let entry = reclaim::innermost_entry()?;
        // SAFETY: this thread is in a dispatch, and in code of a plugin, none of which runs between the entering
        // and the first naming; so the innermost frame names the pair that is being called, and being inside
        // keeps it.
        let ctx = unsafe { context_of(&*entry.cast::<Pair>()) };
        self.instances.read().get(&ctx.addr()).cloned()
    }
}
