//! A callback that an instance registered.

use std::ffi::c_void;

use hookrail_abi::boundary::{RawCallback, Registration};

use super::frame::within;
use crate::known::Known;

/// A callback that an instance registered.
pub(crate) struct Callback {
    pub(crate) point: String,
    pub(crate) name: String,
    /// The point, if its payload is known.
    pub(crate) known: Option<Known>,
    run: RawCallback,
    ctx: *mut c_void,
}

impl Callback {
    /// A callback with these names, and with the code `run` of this record.
    pub(super) fn new(point: String, name: String, run: RawCallback, record: &Registration) -> Self {
        let known = Known::of(&point, record.revision, record.fingerprint);
        Callback { point, name, known, run, ctx: record.ctx }
    }

    /// Calls it with a payload, within a dispatch with or without a context.
    ///
    /// # Safety
    /// The callback's instance is started. `payload` is a payload of its point, shared for the call if that is a notify
    /// point, exclusive otherwise.
    pub(crate) unsafe fn call(&self, payload: *mut c_void, has_context: bool) -> (u32, Option<String>) {
        within(has_context, || {
            // SAFETY: the instance is started, so the context is there; the payload is the point's, and exclusive
            // unless it is that of a notify point.
            unsafe { (self.run)(self.ctx, payload) }
        })
    }
}
