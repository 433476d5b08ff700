//! Sources and sinks of plugins, for the crate above that runs them.
//!
//! 1. The instances of a generation have started: the [`Attendant`] is shown its [`Endpoints`], and may refuse them.
//! 2. They serve: the attendant [accepts](Endpoints::accept) endpoints and runs them, each on a thread of its own.
//! 3. They are leaving: the attendant tells what runs to end. If the plugin is halted, they may serve again; else no
//!    endpoint is accepted any more, and the instances are stopped when the last one is dropped.

use std::any::Any;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use hookrail_abi::boundary::StreamIo;
use hookrail_loader::PluginDiagnostics;
use hookrail_model::error::{ApiMisuse, Error, Misbehaved};
use hookrail_model::note::{EndpointKind, NoteEndpoint};
use hookrail_model::schema::Schema;

use crate::secrets::Resolved;

/// What runs the endpoints of a host's plugins.
pub trait Attendant: Send + Sync {
    /// These are about to serve, in place of others of the same plugin if there are any.
    ///
    /// # Errors
    /// Any error fails what is being done to the plugin.
    fn coming(&self, endpoints: &Arc<Endpoints>) -> Result<(), Error>;

    /// These serve.
    fn serving(&self, endpoints: &Arc<Endpoints>);

    /// These pause, end, or do not come after all: what was accepted of them is to be dropped soon. Does not wait.
    fn leaving(&self, endpoints: &Arc<Endpoints>);

    /// What its own services find by their [callers](crate::Caller::attendant), of a type that they know.
    fn shared(&self) -> Arc<dyn Any + Send + Sync>;
}

/// Makes the endpoints of one started instance, wherever its code runs.
pub trait Accepts: fmt::Debug + Send + Sync {
    /// Makes one, for a configuration as JSON; starts nothing.
    ///
    /// # Errors
    /// What the plugin reports.
    fn accept(&self, kind: EndpointKind, name: &str, config: &str) -> Result<Box<dyn Endpoint>, Error>;

    /// The JSON Schema of the configuration, if the plugin states one.
    ///
    /// # Errors
    /// What the plugin reports.
    fn schema(&self, kind: EndpointKind, name: &str) -> Result<Option<String>, Error>;
}

/// One use of a source or of a sink.
pub trait Endpoint: Send {
    /// Does its work until it is done or `io` is closed. Called once.
    ///
    /// # Errors
    /// What the plugin reports, a panic too.
    ///
    /// # Safety
    /// `io` is as `stream/1` demands, until this returns.
    unsafe fn run(&mut self, io: *const StreamIo) -> Result<(), Error>;
}

/// The endpoints of one generation of a plugin.
#[derive(Debug)]
pub struct Endpoints {
    plugin: String,
    declared: Vec<NoteEndpoint>,
    instances: Vec<(Arc<str>, Arc<dyn Accepts>)>,
    /// Weak, since they know the plugin's functions by its file, which stays open meanwhile.
    diagnostics: Weak<PluginDiagnostics>,
    /// How many are in use, and [`CLOSED`].
    uses: AtomicUsize,
}

/// The endpoints that a library declares, without an instance of it.
#[derive(Debug)]
pub struct DeclaredEndpoints {
    pub(crate) declared: Vec<NoteEndpoint>,
    /// Of each, the JSON Schema of its configuration, if it states one.
    pub(crate) schemas: Vec<Option<String>>,
}

/// A host's attendant, if there is one.
#[derive(Clone, Default)]
pub struct Attending(Arc<OnceLock<Arc<dyn Attendant>>>);

/// Set when none is accepted any more.
const CLOSED: usize = 1 << (usize::BITS - 1);

/// An endpoint that was accepted. Its plugin stays until it is dropped.
pub struct Accepted {
    /// Dropped first: it is code of the plugin.
    endpoint: Box<dyn Endpoint>,
    _use: Use,
}

/// Keeps the plugin.
struct Use(Arc<Endpoints>);

impl Attending {
    /// It is the attendant of a process without a host.
    pub fn of(attendant: Arc<dyn Attendant>) -> Self {
        Attending(Arc::new(OnceLock::from(attendant)))
    }

    pub(crate) fn attendant(&self) -> Option<Arc<dyn Attendant>> {
        self.0.get().cloned()
    }

    /// Returns whether it is the host's attendant now: false if there is one already.
    pub(crate) fn begin(&self, attendant: Arc<dyn Attendant>) -> bool {
        self.0.set(attendant).is_ok()
    }

    pub(crate) fn coming(&self, endpoints: &Arc<Endpoints>) -> Result<(), Error> {
        self.0.get().map_or(Ok(()), |attendant| attendant.coming(endpoints))
    }

    pub(crate) fn serving(&self, endpoints: &Arc<Endpoints>) {
        if let Some(attendant) = self.0.get() {
            attendant.serving(endpoints);
        }
    }

    /// They pause.
    pub(crate) fn pausing(&self, endpoints: &Arc<Endpoints>) {
        if let Some(attendant) = self.0.get() {
            attendant.leaving(endpoints);
        }
    }

    /// They end.
    pub(crate) fn leaving(&self, endpoints: &Arc<Endpoints>) {
        endpoints.close();
        self.pausing(endpoints);
    }
}

impl fmt::Debug for Attending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attending").finish_non_exhaustive()
    }
}

impl Endpoints {
    pub(crate) fn new(
        declared: Vec<NoteEndpoint>,
        instances: Vec<(Arc<str>, Arc<dyn Accepts>)>,
        diagnostics: &Arc<PluginDiagnostics>,
    ) -> Arc<Self> {
        let (plugin, diagnostics) = (diagnostics.plugin().into(), Arc::downgrade(diagnostics));
        Arc::new(Endpoints { plugin, declared, instances, diagnostics, uses: AtomicUsize::new(0) })
    }

    /// The plugin.
    pub fn plugin(&self) -> &str {
        &self.plugin
    }

    /// The instances that have endpoints.
    pub fn instances(&self) -> impl Iterator<Item = &str> {
        self.instances.iter().map(|(name, _)| &**name)
    }

    /// What the plugin declares.
    pub fn declared(&self) -> &[NoteEndpoint] {
        &self.declared
    }

    /// Makes an endpoint of an instance; starts nothing.
    ///
    /// # Errors
    /// If the generation is leaving, there is no such instance, the plugin declares no such endpoint, the configuration
    /// does not match its schema, or the plugin refuses.
    pub fn accept(
        self: &Arc<Self>,
        instance: &str,
        kind: EndpointKind,
        name: &str,
        config: &Resolved,
    ) -> Result<Accepted, Error> {
        self.check(instance, kind, name, config)?;
        let (in_use, of) = self.enter(instance)?;
        if let Some(diagnostics) = self.diagnostics.upgrade() {
            diagnostics.hide(config.secrets());
        }
        let endpoint = of.accept(kind, name, &config.value().to_string()).map_err(|error| config.hidden(error))?;
        Ok(Accepted { endpoint, _use: in_use })
    }

    /// Checks what is wrong with a configuration for good, without making an endpoint.
    ///
    /// # Errors
    /// As for [`accept`](Self::accept), but for what the plugin itself refuses.
    pub fn check(
        self: &Arc<Self>,
        instance: &str,
        kind: EndpointKind,
        name: &str,
        config: &Resolved,
    ) -> Result<(), Error> {
        let (_in_use, of) = self.enter(instance)?;
        check_declared(&self.declared, instance, kind, name)?;
        check_schema(of.schema(kind, name)?, instance, name, config)
    }

    /// The JSON Schema of the configuration of an endpoint, if the plugin states one.
    ///
    /// # Errors
    /// As for [`accept`](Self::accept).
    pub fn schema(self: &Arc<Self>, instance: &str, kind: EndpointKind, name: &str) -> Result<Option<String>, Error> {
        let (_in_use, of) = self.enter(instance)?;
        of.schema(kind, name)
    }

    fn enter(self: &Arc<Self>, instance: &str) -> Result<(Use, &dyn Accepts), Error> {
        // Acquire: pairs with nothing but the order of this word; what is called afterwards is there until the use ends.
        let before = self.uses.fetch_add(1, Ordering::Acquire);
        let in_use = Use(self.clone());
        let found = self.instances.iter().find(|(name, _)| **name == *instance).filter(|_| before & CLOSED == 0);
        let (_, of) = found.ok_or_else(|| ApiMisuse::NotLoaded(instance.into()))?;
        Ok((in_use, &**of))
    }

    /// Accepts none from now on.
    fn close(&self) {
        self.uses.fetch_or(CLOSED, Ordering::AcqRel);
    }

    /// How many are in use.
    pub(crate) fn uses(&self) -> usize {
        // Acquire: pairs with the Release of each use's end, so what it has done is done.
        self.uses.load(Ordering::Acquire) & !CLOSED
    }
}

impl DeclaredEndpoints {
    /// All of them.
    pub fn declared(&self) -> &[NoteEndpoint] {
        &self.declared
    }

    /// As [`Endpoints::check`].
    ///
    /// # Errors
    /// As for that.
    pub fn check(&self, instance: &str, kind: EndpointKind, name: &str, config: &Resolved) -> Result<(), Error> {
        check_declared(&self.declared, instance, kind, name)?;
        let is_it = |declared: &NoteEndpoint| declared.kind == kind && declared.name == name;
        let at = self.declared.iter().position(is_it).expect("it is declared");
        check_schema(self.schemas[at].clone(), instance, name, config)
    }
}

fn check_declared(declared: &[NoteEndpoint], instance: &str, kind: EndpointKind, name: &str) -> Result<(), Error> {
    let of_kind = declared.iter().filter(|declared| declared.kind == kind);
    let names: Vec<_> = of_kind.map(|declared| &*declared.name).collect();
    if names.contains(&name) {
        return Ok(());
    }
    let kind = kind.name();
    let why = match &*names {
        [] => format!("it has no {kind}"),
        names => format!("it has no {kind} `{name}`, but {}", names.join(", ")),
    };
    Err(Error::misbehaved(instance, Misbehaved::failed("accept", why)))
}

fn check_schema(schema: Option<String>, instance: &str, name: &str, config: &Resolved) -> Result<(), Error> {
    match schema {
        Some(schema) => config.check(&Schema::new(instance, schema)?, &format!("{instance}/{name}")),
        None => Ok(()),
    }
}

impl Accepted {
    /// Does its work until it is done or `io` is closed. Called once.
    ///
    /// # Errors
    /// What the plugin reports, a panic too.
    ///
    /// # Safety
    /// `io` is as `stream/1` demands, until this returns.
    pub unsafe fn run(&mut self, io: *const StreamIo) -> Result<(), Error> {
        // SAFETY: the caller promises it.
        unsafe { self.endpoint.run(io) }
    }
}

impl fmt::Debug for Accepted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accepted").finish_non_exhaustive()
    }
}

impl Drop for Use {
    fn drop(&mut self) {
        // Release: pairs with the Acquire in `uses`.
        self.0.uses.fetch_sub(1, Ordering::Release);
    }
}
