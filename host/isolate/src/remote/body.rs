//! The body of a plugin that runs in a worker.

use std::fmt;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::ptr::{null, null_mut};
use std::sync::Arc;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use hookrail_abi::Effects;
use hookrail_abi::boundary::{self, SavedState, Str, TooSmall};
use hookrail_engine::{Accepts, Admission, Body, Configured, Guest, Placement, Request, Response, Saved, WorkerStatus};
use hookrail_image::{Inspection, SealedCopy};
use hookrail_loader::{Closed, Meter, Numbers, PluginDiagnostics};
use hookrail_model::end::End;
use hookrail_model::error::{Error, Incompatible, Misbehaved};
use hookrail_model::log;
use hookrail_model::note::{EndpointKind, Note};
use parking_lot::Mutex;

use super::asked::OfPlugin;
use super::endpoints::Endpoints;
use super::live::Live;
use super::plan::{Plan, Planned};
use super::plugin::{Plugin, unexpected};
use super::proxy::{self, Proxy};
use super::worker::{Worker, given_up};
use crate::wire::{Answer, Ask, PluginId, Registered, Registration, ToWorker};

/// How often it is looked whether a library that is being closed waits for something.
const OFTEN: Duration = Duration::from_millis(20);

/// A plugin in a worker.
pub(crate) struct Remote {
    plugin: Arc<Plugin>,
    worker: Arc<Worker>,
    diagnostics: Arc<PluginDiagnostics>,
}

impl Remote {
    /// Opens a library in a worker.
    pub(crate) fn open(
        copy: SealedCopy,
        inspection: Inspection,
        placement: &Placement,
        worker: Arc<Worker>,
    ) -> Result<Self, Error> {
        let plan = Arc::new(Mutex::new(Plan::default()));
        let plugin = Arc::new(Plugin {
            number: Plugin::next_number(),
            file: copy.file().to_owned(),
            copy: Arc::new(copy.into_fd()),
            note: inspection.note,
            opening: placement.opening,
            patience: placement.limits.patience,
            asked: OfPlugin::new(plan.clone(), placement.limits.patience),
            plan,
        });
        let diagnostics = {
            let (to_plugin, to_worker) = (Arc::downgrade(&plugin), Arc::downgrade(&worker));
            // Of a process that does not listen and ends, the next one is told when it begins.
            let tell = move |plan: &dyn Fn(&mut Plan), said: &dyn Fn(PluginId) -> ToWorker| {
                let (Some(plugin), Some(worker)) = (to_plugin.upgrade(), to_worker.upgrade()) else { return };
                plan(&mut plugin.plan.lock());
                if let Some(live) = worker.now() {
                    let _ = live.send(&said(plugin.number), &[]);
                }
            };
            let set_level = tell.clone();
            let set_level = move |level| {
                let plan = |plan: &mut Plan| plan.begun.iter_mut().for_each(|(_, begun)| *begun = level);
                set_level(&plan, &|plugin| ToWorker::SetLevel(plugin, level));
            };
            let hide = move |secrets: &[String]| {
                let plan = |plan: &mut Plan| plan.secrets = secrets.to_vec();
                tell(&plan, &|plugin| ToWorker::Hide(plugin, secrets.to_vec()));
            };
            PluginDiagnostics::elsewhere(&plugin.note.name, set_level, hide)
        };
        let remote = Remote { plugin, worker, diagnostics };
        let live = remote.worker.enter(remote.plugin.clone())?;
        match remote.plugin.open(&live) {
            Ok(()) => Ok(remote),
            Err(error) => {
                remote.worker.exit(remote.plugin.number);
                Err(error)
            }
        }
    }
}

impl Remote {
    /// Asks the running process; waits until there is one.
    fn ask(&self, whose: &str, ask: Ask) -> Result<Answer, Error> {
        self.plugin.ask(&*self.live(whose, ask.call())?, whose, ask)
    }

    /// Changes where an instance is to be brought to.
    fn planned(&self, instance: &str, change: impl FnOnce(&mut Planned)) {
        let mut plan = self.plugin.plan.lock();
        if let Some(planned) = plan.instances.iter_mut().find(|planned| planned.name == instance) {
            change(planned);
        }
    }

    /// The running process; waits until there is one.
    fn live(&self, whose: &str, call: &'static str) -> Result<Arc<Live>, Error> {
        let deadline = Instant::now() + self.plugin.patience;
        self.worker.live(deadline).map_err(|why| Error::misbehaved(whose, Misbehaved::worker_ended(call, why)))
    }

    /// As `ask`, of the process that runs now, if one does; a failure is only logged.
    fn ask_anyway(&self, ask: Ask) {
        let Some(live) = self.worker.now() else { return };
        if let Err(error) = self.plugin.ask(&live, &self.plugin.note.name, ask) {
            log!(error, "{error}");
        }
    }

    /// Passes what an instance has registered in a worker to the host, with a proxy in place of the code. Returns the
    /// proxies.
    fn admit(
        &self,
        instance: &str,
        live: &Live,
        registered: &[Registered],
        admission: &mut dyn Admission,
    ) -> Vec<Arc<Proxy>> {
        let mut proxies = Vec::new();
        for Registered { index, record } in registered {
            let Registration::Complete { point, callback, effects, wrong_ops, .. } = record else {
                admission.admit(record.with(None).as_ref().map_err(|too_small| *too_small));
                continue;
            };
            // The record that follows has none at all.
            if let Some(wrong) = wrong_ops {
                let what = format!("payload operations {wrong}");
                let why = Misbehaved::malformed(point.clone(), callback.clone(), what);
                admission.refuse(Error::misbehaved(instance, why));
                continue;
            }
            let state = admission.point(point);
            if state.as_ref().is_some_and(|state| state.is_local()) {
                let why = Incompatible::local_point(point.clone(), callback.clone());
                admission.refuse(Error::incompatible(self.plugin.note.name.clone(), why));
                continue;
            }
            let proxy = state.zip(*index).map(|(state, index)| {
                let proxy = Arc::new(Proxy::new(
                    self.worker.clone(),
                    format!("{instance}/{callback}"),
                    Effects::from_raw(*effects),
                    &state,
                ));
                proxy.renew(live.epoch, Some(index));
                proxy
            });
            proxies.extend(proxy.clone());
            let record = record.with(proxy);
            if !admission.admit(record.as_ref().map_err(|too_small| *too_small))
                && let Ok(record) = record
            {
                // SAFETY: the context came with that function, and it was not taken.
                unsafe { proxy::drop(record.ctx) };
            }
        }
        proxies
    }
}

impl Body for Remote {
    fn note(&self) -> &Note {
        &self.plugin.note
    }

    fn file(&self) -> &Path {
        &self.plugin.file
    }

    fn keep_copy(&self) -> Result<OwnedFd, Error> {
        let failed = |source| Error::system("keep the copy of the library in memory", source);
        self.plugin.copy.try_clone().map_err(failed)
    }

    fn diagnostics(&self) -> &Arc<PluginDiagnostics> {
        &self.diagnostics
    }

    fn meter(&self) -> Option<Arc<Meter>> {
        self.plugin.plan.lock().meter.clone()
    }

    fn numbers(&self) -> Option<Arc<Numbers>> {
        self.plugin.plan.lock().numbers.clone()
    }

    fn worker(&self) -> Option<Arc<dyn WorkerStatus>> {
        Some(self.worker.clone())
    }

    fn schema(&self) -> Result<Option<String>, Error> {
        let name = &self.plugin.note.name;
        // It is asked when it is about to be started.
        self.worker.wake(name, "schema", Instant::now() + self.plugin.patience)?;
        match self.ask(name, Ask::Schema { plugin: self.plugin.number })? {
            Answer::Schema(schema) => Ok(schema),
            _ => Err(self.unexpected(name, "schema")),
        }
    }

    fn endpoint_schema(&self, kind: EndpointKind, name: &str) -> Result<Option<String>, Error> {
        let plugin = &self.plugin.note.name;
        self.worker.wake(plugin, "schema", Instant::now() + self.plugin.patience)?;
        let (number, instance) = (self.plugin.number, plugin.clone());
        match self.ask(plugin, Ask::EndpointSchema { plugin: number, instance, kind, name: name.into() })? {
            Answer::Schema(schema) => Ok(schema),
            _ => Err(self.unexpected(plugin, "schema")),
        }
    }

    fn create(&mut self, instance: &Configured<'_>) -> Result<(), Error> {
        let (plugin, home) = (self.plugin.number, instance.home.to_string_lossy().into_owned());
        let (name, config) = (instance.name.to_owned(), instance.config.to_owned());
        self.worker.wake(&name, "create", Instant::now() + self.plugin.patience)?;
        // It reports as the generation that it was given since it was opened.
        if let Some(generation) = self.diagnostics.generation() {
            let level = self.diagnostics.level();
            self.plugin.plan.lock().begun = Some((generation, level));
            let secrets = self.diagnostics.secrets();
            self.ask(&name, Ask::Begin { plugin, generation, level, secrets })?;
        }
        self.worker.runs_in(instance.home.to_owned());
        let create = Ask::Create { plugin, instance: name.clone(), config: config.clone(), home: home.clone() };
        // First, since it may subscribe and write its configuration at once.
        self.plugin.asked.buses.coming(&name, Guest::new(instance, &self.diagnostics));
        {
            let mut plan = self.plugin.plan.lock();
            plan.writable = Some(instance.writable.clone());
            plan.units = Some(instance.units.clone());
            plan.points = Some(instance.points.clone());
            plan.instances.push(Planned {
                name: name.clone(),
                config,
                home,
                is_started: false,
                is_halted: false,
                proxies: Vec::new(),
            });
        }
        self.ask(&name, create).map(drop).inspect_err(|_| {
            self.plugin.plan.lock().instances.retain(|planned| planned.name != name);
        })
    }

    fn start(
        &mut self,
        instance: &str,
        state: Option<&SavedState>,
        admission: &mut dyn Admission,
    ) -> Result<(), Error> {
        let live = self.live(instance, "start")?;
        let registered = self.plugin.start(&live, instance, state.map(Into::into))?;
        let proxies = self.admit(instance, &live, &registered, admission);
        self.planned(instance, |planned| (planned.is_started, planned.proxies) = (true, proxies));
        Ok(())
    }

    fn reload(&self, instance: &str, config: &str) -> Result<(), Error> {
        let (plugin, name) = (self.plugin.number, instance.to_owned());
        self.ask(instance, Ask::Reload { plugin, instance: name, config: config.into() })?;
        self.planned(instance, |planned| config.clone_into(&mut planned.config));
        Ok(())
    }

    fn save(&self, instance: &str, what: Saved, limit: usize) -> Result<Option<SavedState>, Error> {
        if let Some(how) = self.worker.given_up() {
            log!(warn, instance, "it hands over no state, which went with its worker: that {how}");
            return Ok(None);
        }
        let (plugin, name) = (self.plugin.number, instance.to_owned());
        let changes = what == Saved::Changes;
        match self.ask(instance, Ask::Save { plugin, instance: name, changes, limit: limit as u64 })? {
            Answer::Saved(state) => Ok(state.map(Into::into)),
            _ => Err(self.unexpected(instance, what.call())),
        }
    }

    fn apply_changes(&self, instance: &str, changes: &SavedState) -> Result<(), Error> {
        let (plugin, name) = (self.plugin.number, instance.to_owned());
        self.ask(instance, Ask::ApplyChanges { plugin, instance: name, changes: changes.into() }).map(drop)
    }

    fn request(&self, instance: &str, request: Request) -> Result<Response, Error> {
        if let Request::Health(_) = request
            && self.worker.now().is_none()
        {
            return match self.worker.given_up() {
                Some(how) => Err(Error::misbehaved(instance, Misbehaved::failed(request.call(), given_up(&how)))),
                // It is being started again.
                None => Ok(Response::Busy),
            };
        }
        if let Request::Drain(_) = request {
            // A worker that ends meanwhile is not started again for it.
            self.planned(instance, |planned| planned.is_started = false);
        }
        let response = self.plugin.request(&*self.live(instance, request.call())?, instance, request)?;
        match request {
            Request::Halt => self.planned(instance, |planned| planned.is_halted = true),
            Request::Resume => self.planned(instance, |planned| planned.is_halted = false),
            Request::Drain(_) | Request::Health(_) | Request::Ready => {}
        }
        Ok(response)
    }

    fn endpoints(&self, instance: &str) -> Option<Arc<dyn Accepts>> {
        let has_some = !self.plugin.note.endpoints.is_empty();
        let (plugin, worker, instance) = (self.plugin.clone(), self.worker.clone(), instance.to_owned());
        has_some.then(|| Arc::new(Endpoints { plugin, worker, instance }) as _)
    }

    fn stop(&mut self) {
        // First, so that a worker that ends meanwhile is not started again for it.
        self.plugin.plan.lock().instances.clear();
        // Who waits on the bus wakes.
        self.plugin.asked.buses.stop();
        self.ask_anyway(Ask::Stop { plugin: self.plugin.number });
    }

    fn leave(&self) {
        self.ask_anyway(Ask::Leave { plugin: self.plugin.number });
    }

    fn close(self: Box<Self>, deadline: Instant, keep_waiting: &mut dyn FnMut(End) -> bool) -> Closed {
        let closed = self.worker.now().and_then(|live| self.close_in(&live, deadline, keep_waiting));
        self.worker.exit(self.plugin.number);
        // A library whose process has ended is gone with it.
        closed.unwrap_or(Closed { end: End::Unmapped, skipped: 0, unfreed_memory: None })
    }
}

impl Remote {
    /// Has the library closed in its process; `None` if that has ended.
    fn close_in(&self, live: &Live, deadline: Instant, keep_waiting: &mut dyn FnMut(End) -> bool) -> Option<Closed> {
        let plugin = self.plugin.number;
        let patience = deadline.saturating_duration_since(Instant::now());
        let answer = live.begin(Ask::Close { plugin, patience }, None).ok()?;
        // After the deadline the process says what it waits for, once; then it is ended, whatever it waits for.
        let last = deadline + self.plugin.patience;
        loop {
            match answer.recv_timeout(OFTEN) {
                Ok(Ok(Answer::Closed { end, skipped, unfreed_memory })) => {
                    live.forget(plugin);
                    let skipped = usize::try_from(skipped).unwrap_or(usize::MAX);
                    return Some(Closed { end, skipped, unfreed_memory });
                }
                Ok(_) | Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => {}
            }
            if let Some(end) = live.waits(plugin) {
                keep_waiting(end.clone());
                live.kill();
                log!(info, plugin = self.plugin.note.name, "{end}; its worker is ended with it");
                return Some(Closed { end, skipped: 0, unfreed_memory: None });
            }
            if Instant::now() > last {
                live.kill();
                return None;
            }
        }
    }

    fn unexpected(&self, whose: &str, call: &'static str) -> Error {
        match self.worker.now() {
            Some(live) => unexpected(&live, whose, call, self.plugin.patience),
            None => Error::misbehaved(whose, Misbehaved::worker_ended(call, "ended")),
        }
    }
}

impl Registration {
    /// The record that the host's admission reads, with a proxy for the code if there is any.
    fn with(&self, proxy: Option<Arc<Proxy>>) -> Result<boundary::Registration, TooSmall> {
        match self {
            Registration::TooSmall { size, needed } => Err(TooSmall { size: *size as usize, needed: *needed as usize }),
            Registration::Complete {
                flags,
                point,
                revision,
                priority,
                callback,
                form,
                effects,
                fault,
                budget_ns,
                predicate,
                fingerprint,
                wrong_ops: _,
            } => Ok(boundary::Registration {
                size: size_of::<boundary::Registration>() as u32,
                flags: *flags,
                point: Str::new(point),
                revision: *revision,
                priority: *priority,
                callback: Str::new(callback),
                form: *form,
                effects: *effects,
                fault: *fault,
                reserved: 0,
                budget_ns: *budget_ns,
                predicate: *predicate,
                run: proxy.is_some().then_some(proxy::call),
                ctx: proxy.map_or(null_mut(), Proxy::into_context),
                ctx_drop: Some(proxy::drop),
                fingerprint: *fingerprint,
                layout: null(),
                ops: null(),
            }),
        }
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote")
            .field("plugin", &self.plugin.note.name)
            .field("worker", &self.worker.name)
            .finish_non_exhaustive()
    }
}
