//! A callback's code and context: the 16 bytes that dispatch reads.
//!
//! # Theorem
//! Let a writer overwrite the code of a retired pair with the no-op, then issue the heavy fence, then find that no
//! thread names the pair in a frame. Then no thread is in its old code, and none will be.
//!
//! *Proof.* A reader names the pair, passes the light fence, and then loads the code. Either that load comes after the
//! writer's fence, and then it finds the no-op; or the naming comes before it, and then the writer sees it until the
//! reader has gone on to the next pair.
//!
//! The no-op ignores its context, so a reader may combine it with the old context. It is the only code that may be
//! written here.

use std::ffi::c_void;

use crate::sync::{AtomicPtr, Ordering, light_fence};

/// The code of a callback.
pub(crate) type Run = unsafe extern "C" fn(ctx: *mut c_void, payload: *mut c_void) -> u32;

/// # Invariants
/// `run` holds a [`Run`] that may be called with `ctx`, or [`skip`]; or it is null, behind the last pair of a snapshot.
#[repr(C)]
#[derive(Debug)]
pub struct Pair {
    run: AtomicPtr<()>,
    ctx: *mut c_void,
}

impl Pair {
    /// Where its code stands, in bytes.
    pub(super) const RUN: usize = std::mem::offset_of!(Pair, run);
    /// Where its context stands, in bytes.
    pub(super) const CTX: usize = std::mem::offset_of!(Pair, ctx);

    pub(crate) fn new(run: Run, ctx: *mut c_void) -> Self {
        // INVARIANT: the caller registers the two together.
        Pair { run: AtomicPtr::new(run as *mut ()), ctx }
    }

    /// The same code and context, in another place.
    pub(super) fn copy(&self) -> Self {
        // Relaxed, as in `parts`.
        // INVARIANT: it holds for `self`.
        Pair { run: AtomicPtr::new(self.run.load(Ordering::Relaxed)), ctx: self.ctx }
    }

    /// A pair that does nothing.
    pub(crate) const fn no_op() -> Self {
        // INVARIANT: `skip` ignores its context.
        Pair { run: AtomicPtr::new(skip as *mut ()), ctx: std::ptr::null_mut() }
    }

    /// What stands behind the last pair of a snapshot, and is never called.
    pub(super) const fn stop() -> Self {
        Pair { run: AtomicPtr::new(std::ptr::null_mut()), ctx: std::ptr::null_mut() }
    }

    /// Whether it is what stands behind the last pair.
    pub(super) fn is_stop(&self) -> bool {
        self.run.load(Ordering::Relaxed).is_null()
    }

    /// Names this pair in `frame`, then calls it.
    ///
    /// # Safety
    /// `payload` is what the code expects, and this thread is inside, so that the code and its context are still there.
    #[inline(always)]
    pub(crate) unsafe fn call(&self, frame: &AtomicPtr<()>, payload: *mut c_void) -> u32 {
        self.announce(frame);
        let (run, ctx) = self.parts();
        // SAFETY: by the type invariant the code goes with the context, or ignores it; being inside keeps both, and the
        // payload is what the code expects.
        unsafe { run(ctx, payload) }
    }

    /// Names this pair in `frame`; its code is loaded after that.
    #[inline(always)]
    pub(crate) fn announce(&self, frame: &AtomicPtr<()>) {
        // Release: pairs with the Acquire in `Slot::is_in`; the previous callback has returned.
        frame.store(self.identity(), Ordering::Release);
        light_fence();
    }

    /// The code and the context.
    #[inline(always)]
    pub fn parts(&self) -> (Run, *mut c_void) {
        // SAFETY: by the type invariant `run` holds a `Run`; nobody asks what stands behind the last pair for its parts.
        (unsafe { std::mem::transmute::<*mut (), Run>(self.run.load(Ordering::Relaxed)) }, self.ctx)
    }

    /// What a frame holds while this pair is called.
    #[inline(always)]
    pub(crate) fn identity(&self) -> *mut () {
        std::ptr::from_ref(self).cast_mut().cast()
    }

    /// Overwrites the code with the no-op.
    pub(crate) fn disarm(&self) {
        // Relaxed: the heavy fence that the caller issues next orders it.
        // INVARIANT: `skip` ignores its context.
        self.run.store(skip as *mut (), Ordering::Relaxed);
    }
}

/// The no-op: goes on with the next callback.
///
/// # Safety
/// No preconditions: it uses neither argument.
pub(super) unsafe extern "C" fn skip(_ctx: *mut c_void, _payload: *mut c_void) -> u32 {
    0
}
