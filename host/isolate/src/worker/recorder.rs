//! What takes the registrations of an instance that starts in a worker: the host decides about them.

use std::sync::Arc;

use hookrail_abi::boundary::{self, TooSmall};
use hookrail_dispatch::PointState;
use hookrail_engine::Admission;
use hookrail_loader::PluginDiagnostics;
use hookrail_model::error::Error;

use super::callbacks::{Callback, Callbacks};
use crate::wire::{PluginId, Registered, Registration};

/// Takes the registrations of one instance.
pub(super) struct Recorder<'a> {
    plugin: PluginId,
    instance: Arc<str>,
    diagnostics: Arc<PluginDiagnostics>,
    callbacks: &'a Callbacks,
    pub(super) registered: Vec<Registered>,
}

impl<'a> Recorder<'a> {
    pub(super) fn new(
        plugin: PluginId,
        instance: &str,
        diagnostics: Arc<PluginDiagnostics>,
        callbacks: &'a Callbacks,
    ) -> Self {
        Recorder { plugin, instance: instance.into(), diagnostics, callbacks, registered: Vec::new() }
    }
}

impl Admission for Recorder<'_> {
    fn point(&self, _: &str) -> Option<Arc<PointState>> {
        None
    }

    // Nothing here refuses anything.
    fn refuse(&mut self, _: Error) {}

    fn admit(&mut self, record: Result<&boundary::Registration, TooSmall>) -> bool {
        let registered = match record {
            Ok(record) => {
                // SAFETY: the plugin passes a record whose texts are readable for the call, and code that goes with its
                // context, which it frees with the function that comes with it.
                let callback =
                    unsafe { Callback::of(record, self.plugin, self.instance.clone(), self.diagnostics.clone()) };
                let index = callback.map(|callback| self.callbacks.add(callback));
                // SAFETY: the plugin passes a record whose texts and operations are readable for the call.
                Registered { index, record: unsafe { Registration::of(record) } }
            }
            Err(TooSmall { size, needed }) => {
                let record = Registration::TooSmall { size: size as u64, needed: needed as u64 };
                Registered { index: None, record }
            }
        };
        self.registered.push(registered);
        true
    }
}
