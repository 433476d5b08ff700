//! A plugin whose code runs in this process.

mod endpoints;
mod lifecycle;
mod state;

use std::collections::BTreeMap;
use std::mem::ManuallyDrop;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::ptr::{from_mut, from_ref, null_mut};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hookrail_abi::Text;
use hookrail_abi::boundary::{self, ReloadTable, SavedState, SchemaTable, Str};
use hookrail_abi::host::Report;
use hookrail_dispatch::frame::{self, Reported};
use hookrail_image::{Inspection, SealedCopy};
use hookrail_loader::{Closed, Library, Meter, Numbers, PluginDiagnostics};
use hookrail_model::end::End;
use hookrail_model::error::{ApiMisuse, Error, Misbehaved};
use hookrail_model::log;
use hookrail_model::note::{EndpointKind, Note};
use parking_lot::Mutex;

use crate::body::{Admission, Body, Configured, Request, Response, Saved};
use crate::endpoints::Accepts;
use crate::service::{self, Ephemeral, Handle, Registrations, UnitsOf};
use crate::thread;

/// For a function of C that fails without a word.
const SILENT: &str = "it said nothing";

/// A library in this process, and its instances.
///
/// Dropping it without [`close`](Body::close) leaves the library mapped forever, which is safe.
#[derive(Debug)]
pub struct InProcess {
    library: ManuallyDrop<Library>,
    instances: Vec<Instance>,
    /// The handles of all instances that ever existed, by name: threads and thread-locals of the plugin may use them
    /// for as long as its code is mapped.
    handles: ManuallyDrop<BTreeMap<String, Arc<Handle>>>,
}

/// One configured use of a plugin.
///
/// # Invariants
/// `state` came from the library's `create`, and has not been destroyed; it knows `handle`.
#[derive(Debug)]
struct Instance {
    name: Arc<str>,
    state: *mut boundary::Instance,
    handle: Arc<Handle>,
    started: bool,
}

// SAFETY: the state is only passed to the plugin's functions, one thread at a time, and the
// boundary lets them run on any.
unsafe impl Send for Instance {}

/// What a library is opened with.
#[derive(Clone, Copy, Debug, Default)]
pub struct Opening {
    /// Whether its no-delete flag is cleared in the copy.
    pub force_unload: bool,
    /// How many bytes it may hold.
    pub max_memory: Option<u64>,
}

impl InProcess {
    /// Opens a library of which `inspection` was read, attaches the host to it, and binds it.
    ///
    /// # Safety
    /// The caller trusts the library as this program: its constructors run, and later its other code.
    ///
    /// # Errors
    /// If the file is not a plugin that this host can load, or it fails to attach.
    pub unsafe fn open(copy: SealedCopy, inspection: Inspection, opening: Opening) -> Result<Self, Error> {
        thread::can_load()?;
        // SAFETY: the caller trusts the library as this program.
        let library = unsafe { Library::open(copy, inspection, opening.force_unload)? };
        if library.forced {
            let plugin = &*library.inspection.note.name;
            log!(
                warn,
                plugin,
                "its wish never to be removed was taken out of the copy, since its force_unload says so"
            );
        }
        let mut opened =
            InProcess { library: ManuallyDrop::new(library), instances: Vec::new(), handles: ManuallyDrop::default() };
        let attach = opened.library.entry().attach;
        // SAFETY: the table lives as long as the process.
        let result = opened.call("attach", &opened.note().name, || unsafe { attach(&service::TABLE) });
        // Even if it did not attach: it may already have left code with a thread.
        let bound = opened.library.bind();
        opened.library.meter(opening.max_memory);
        opened.library.read_numbers();
        match result.and(bound) {
            Ok(()) => Ok(opened),
            Err(error) => {
                abandon(Box::new(opened));
                Err(error)
            }
        }
    }

    /// The handle of an instance that is about to be created: the one it had before it was stopped, if any.
    fn handle(&mut self, instance: &Configured<'_>) -> Arc<Handle> {
        if let Some(handle) = self.handles.get(instance.name) {
            instance.config.clone_into(&mut handle.config.lock());
            *handle.writable.lock() = instance.writable.clone();
            handle.units.begin(instance.units);
            *handle.points.lock() = instance.points.clone();
            return handle.clone();
        }
        let handle = Arc::new(Handle {
            instance: instance.name.into(),
            config: Arc::new(Mutex::new(instance.config.into())),
            writable: Mutex::new(instance.writable.clone()),
            units: UnitsOf::new(instance.units),
            points: Mutex::new(instance.points.clone()),
            home: instance.home.to_owned(),
            ephemeral: Ephemeral::default(),
            diagnostics: self.library.diagnostics.clone(),
            registrations: Registrations::default(),
            kept: Mutex::default(),
            attending: instance.attending.clone(),
        });
        self.handles.insert(instance.name.into(), handle.clone());
        handle
    }

    fn instance(&self, name: &str) -> Result<&Instance, Error> {
        let found = self.instances.iter().find(|known| &*known.name == name);
        found.ok_or_else(|| ApiMisuse::NotLoaded(name.into()).into())
    }

    /// Calls a function of the plugin; what the plugin reports becomes the error.
    fn call(&self, call: &'static str, instance: &str, function: impl FnOnce() -> u32) -> Result<(), Error> {
        match self.called(instance, function) {
            (0, _) => Ok(()),
            (_, said) => Err(failed(&self.library.diagnostics, call, instance, said)),
        }
    }

    /// Calls a function of the plugin; returns what it returned and reported.
    fn called(&self, instance: &str, function: impl FnOnce() -> u32) -> (u32, Option<Reported>) {
        let of = self.handles.get(instance).map(|handle| &handle.instance);
        frame::call(self.library.diagnostics.identity(), of, function)
    }

    /// As `call`, where a failure can only be logged.
    fn call_anyway(&self, call: &'static str, instance: &str, function: impl FnOnce() -> u32) {
        if let Err(error) = self.call(call, instance, function) {
            log!(error, "{error}");
        }
    }
}

impl Body for InProcess {
    fn note(&self) -> &Note {
        &self.library.inspection.note
    }

    fn file(&self) -> &Path {
        &self.library.file
    }

    fn keep_copy(&self) -> Result<OwnedFd, Error> {
        let failed = |source| Error::system("keep the copy of the library in memory", source);
        self.library.copy().try_clone_to_owned().map_err(failed)
    }

    fn diagnostics(&self) -> &Arc<PluginDiagnostics> {
        &self.library.diagnostics
    }

    fn meter(&self) -> Option<Arc<Meter>> {
        self.library.meter.clone()
    }

    fn numbers(&self) -> Option<Arc<Numbers>> {
        self.library.numbers.clone()
    }

    fn schema(&self) -> Result<Option<String>, Error> {
        let Some(table) = self.library.table::<SchemaTable>() else { return Ok(None) };
        let mut schema = Text::new();
        // SAFETY: the text is exclusive for the call.
        self.call("schema", &self.note().name, || unsafe { (table.write)(&mut schema) })?;
        Ok(Some(schema.as_str().into()))
    }

    fn endpoint_schema(&self, kind: EndpointKind, name: &str) -> Result<Option<String>, Error> {
        self.schema_of_endpoint(kind, name)
    }

    fn create(&mut self, instance: &Configured<'_>) -> Result<(), Error> {
        let handle = self.handle(instance);
        let create = self.library.entry().create;
        let mut state = null_mut();
        handle.registrations.open();
        handle.ephemeral.begin();
        self.call("create", instance.name, || {
            // SAFETY: text for the call, room for a pointer; the handle is kept as long as the
            // library.
            unsafe { create(from_ref(&*handle).cast(), Str::new(instance.name), Str::new(instance.config), &mut state) }
        })?;
        // INVARIANT: `create` succeeded.
        self.instances.push(Instance { name: handle.instance.clone(), state, handle, started: false });
        Ok(())
    }

    fn start(
        &mut self,
        instance: &str,
        state: Option<&SavedState>,
        mut admission: &mut dyn Admission,
    ) -> Result<(), Error> {
        let created = self.instance(instance)?;
        let start = self.library.entry().start;
        let registrar = from_mut(&mut admission).cast();
        match state {
            // SAFETY: by its invariant the instance's state is valid, and `register` expects this reference, which
            // nothing else uses meanwhile.
            None => self.call("start", instance, || unsafe { start(created.state, registrar) }),
            // SAFETY: by its invariant the instance's state is valid; `register` expects this reference, which nothing
            // else uses meanwhile.
            Some(state) => unsafe { self.restore(created, registrar, state) },
        }?;
        if let Some(started) = self.instances.iter_mut().find(|known| &*known.name == instance) {
            started.started = true;
        }
        Ok(())
    }

    fn reload(&self, instance: &str, config: &str) -> Result<(), Error> {
        thread::is_alive()?;
        let instance = self.instance(instance)?;
        let table = self.library.table::<ReloadTable>();
        self.call("reload", &instance.name, || match table {
            // SAFETY: by its invariant the instance's state is valid; text for the call.
            Some(table) => unsafe { (table.reload)(instance.state, Str::new(config)) },
            None => {
                frame::report(Report::Error as u32, "it reads its configuration only when it is loaded");
                1
            }
        })?;
        config.clone_into(&mut instance.handle.config.lock());
        Ok(())
    }

    fn save(&self, instance: &str, what: Saved, limit: usize) -> Result<Option<SavedState>, Error> {
        self.hand_over(instance, what, limit)
    }

    fn apply_changes(&self, instance: &str, changes: &SavedState) -> Result<(), Error> {
        self.take_changes(instance, changes)
    }

    fn request(&self, instance: &str, request: Request) -> Result<Response, Error> {
        self.ask(instance, request)
    }

    fn endpoints(&self, instance: &str) -> Option<Arc<dyn Accepts>> {
        self.endpoints_of(instance)
    }

    fn stop(&mut self) {
        let (stop, destroy) = (self.library.entry().stop, self.library.entry().destroy);
        // Of every instance that was created, also of one whose `create` failed.
        self.handles.values().for_each(|handle| handle.registrations.close());
        for instance in std::mem::take(&mut self.instances).into_iter().rev() {
            if instance.started {
                // SAFETY: by its invariant the instance's state is valid.
                self.call_anyway("stop", &instance.name, || unsafe { stop(instance.state) });
            }
            // SAFETY: by its invariant the instance's state is valid, and it is not used again.
            self.call_anyway("destroy", &instance.name, || unsafe { destroy(instance.state) });
        }
        for handle in self.handles.values() {
            handle.ephemeral.end();
            handle.kept.lock().retire();
        }
        self.library.diagnostics.forget_instances();
    }

    fn leave(&self) {
        self.library.leave();
    }

    fn close(mut self: Box<Self>, deadline: Instant, keep_waiting: &mut dyn FnMut(End) -> bool) -> Closed {
        // SAFETY: `self` is consumed, so the library is not used again.
        let closed = unsafe { ManuallyDrop::take(&mut self.library) }.close(deadline, keep_waiting);
        if closed.end.is_gone() {
            // SAFETY: `self` is consumed, so they are dropped once; nobody is left to use them. Otherwise they stay, as
            // the library does.
            unsafe { ManuallyDrop::drop(&mut self.handles) };
        }
        closed
    }
}

/// The error of a function of an instance that failed with that report, without the secrets of its plugin.
fn failed(of: &PluginDiagnostics, call: &'static str, instance: &str, said: Option<Reported>) -> Error {
    let (said, panic) = said.map(|said| (said.text, said.panic)).unzip();
    if let Some(panic) = panic.flatten() {
        let (generation, backtrace) = (panic.generation, panic.backtrace());
        log!(error, instance, generation, backtrace, "{call} {panic}");
    }
    Error::misbehaved(instance, Misbehaved::failed(call, said.map_or_else(|| SILENT.into(), |said| of.hidden(said))))
}

/// Ends a plugin after a failed load: if that does not end soon, the library is kept.
pub(crate) fn abandon(mut body: Box<dyn Body>) {
    const PATIENCE: Duration = Duration::from_secs(1);
    body.leave();
    let name = body.note().name.clone();
    body.stop();
    let closed = body.close(Instant::now() + PATIENCE, &mut |_| false);
    closed.tell_losses(&name);
    if !closed.end.is_unmapped() {
        log!(warn, plugin = name, "not waiting for the failed load to unwind: {}", closed.end);
    }
}
