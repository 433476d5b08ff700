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
    /// The payload is the point's; the callback's instance is started; the payload is exclusive, or the point is a
    /// notify point.
    pub(crate) unsafe fn call(&self, payload: *mut c_void, has_context: bool) -> (u32, Option<String>) {
        within(has_context, || {
            // SAFETY: the caller's contract.
            unsafe { (self.run)(self.ctx, payload) }
        })
    }
}
