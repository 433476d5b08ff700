//! Sources and sinks of a plugin in this process: the table `stream/1`.

use std::ptr::null_mut;
use std::sync::Arc;

use hookrail_abi::Text;
use hookrail_abi::boundary::{self, STREAM_SINK, STREAM_SOURCE, Str, StreamIo, StreamTable};
use hookrail_dispatch::frame;
use hookrail_loader::PluginDiagnostics;
use hookrail_model::error::{Error, Misbehaved};
use hookrail_model::note::EndpointKind;

use super::{InProcess, failed};
use crate::endpoints::{Accepts, Endpoint};

/// The endpoints of an instance.
///
/// # Invariants
/// Whoever calls its methods keeps the instance started: [`Endpoints`](crate::Endpoints) counts its uses.
#[derive(Debug)]
struct Of {
    table: StreamTable,
    state: *mut boundary::Instance,
    caller: Caller,
}

/// In whose name code of the plugin is called.
#[derive(Clone, Debug)]
struct Caller {
    instance: Arc<str>,
    diagnostics: Arc<PluginDiagnostics>,
}

// SAFETY: `stream/1` lets any thread call its functions with the instance.
unsafe impl Send for Of {}
// SAFETY: as above, several at once.
unsafe impl Sync for Of {}

/// One endpoint.
///
/// # Invariants
/// `at` came from the table's `accept`, and was not freed. The plugin stays until this is dropped.
struct Made {
    table: StreamTable,
    at: *mut boundary::Endpoint,
    caller: Caller,
}

// SAFETY: `stream/1` lets any thread run and free an endpoint.
unsafe impl Send for Made {}

impl InProcess {
    /// The endpoints of a started instance, if the plugin has any. Whoever uses them keeps the instance started.
    pub(super) fn endpoints_of(&self, instance: &str) -> Option<Arc<dyn Accepts>> {
        let (table, instance) = (self.library.table::<StreamTable>()?, self.started(instance)?);
        let caller = Caller { instance: instance.name.clone(), diagnostics: self.library.diagnostics.clone() };
        // INVARIANT: the caller promises it.
        Some(Arc::new(Of { table, state: instance.state, caller }))
    }

    /// The schema of an endpoint, without an instance.
    pub(super) fn schema_of_endpoint(&self, kind: EndpointKind, name: &str) -> Result<Option<String>, Error> {
        let Some(table) = self.library.table::<StreamTable>() else { return Ok(None) };
        schema(&table, kind, name, |asked| self.call("schema", &self.library.inspection.note.name, asked))
    }
}

impl Caller {
    fn call(&self, call: &'static str, function: impl FnOnce() -> u32) -> Result<(), Error> {
        match frame::call(self.diagnostics.identity(), Some(&self.instance), function) {
            (0, _) => Ok(()),
            (_, said) => Err(failed(&self.diagnostics, call, &self.instance, said)),
        }
    }
}

impl Accepts for Of {
    fn accept(&self, kind: EndpointKind, name: &str, config: &str) -> Result<Box<dyn Endpoint>, Error> {
        let mut at = null_mut();
        self.caller.call("accept", || {
            // SAFETY: by the type invariant the instance is started; texts for the call, and room for a pointer.
            unsafe { (self.table.accept)(self.state, number(kind), Str::new(name), Str::new(config), &mut at) }
        })?;
        if at.is_null() {
            let said = "it returned 0, and wrote no endpoint";
            return Err(Error::misbehaved(&*self.caller.instance, Misbehaved::failed("accept", said)));
        }
        // INVARIANT: `accept` succeeded.
        Ok(Box::new(Made { table: self.table, at, caller: self.caller.clone() }))
    }

    fn schema(&self, kind: EndpointKind, name: &str) -> Result<Option<String>, Error> {
        schema(&self.table, kind, name, |asked| self.caller.call("schema", asked))
    }
}

impl Endpoint for Made {
    unsafe fn run(&mut self, io: *const StreamIo) -> Result<(), Error> {
        // SAFETY: by the type invariant the endpoint is there, and the caller promises the same of `io`.
        self.caller.call("run", || unsafe { (self.table.run)(self.at, io) })
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        // SAFETY: by the type invariant it is there; it does not run, since this is exclusive.
        let freed = self.caller.call("free", || unsafe { (self.table.free)(self.at) });
        if let Err(error) = freed {
            hookrail_model::log!(error, "{error}");
        }
    }
}

/// The JSON Schema of an endpoint, for which there need be no instance. The table is that of a library that is open; `call`
/// calls a function of it.
fn schema(
    table: &StreamTable,
    kind: EndpointKind,
    name: &str,
    call: impl FnOnce(&mut dyn FnMut() -> u32) -> Result<(), Error>,
) -> Result<Option<String>, Error> {
    let mut schema = Text::new();
    // SAFETY: the caller says that the library is there; both texts are ours.
    call(&mut || unsafe { (table.schema)(number(kind), Str::new(name), &mut schema) })?;
    Ok(Some(schema.as_str().to_owned()).filter(|schema| !schema.is_empty()))
}

fn number(kind: EndpointKind) -> u32 {
    match kind {
        EndpointKind::Sink => STREAM_SINK,
        EndpointKind::Source => STREAM_SOURCE,
    }
}
