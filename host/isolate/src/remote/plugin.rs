//! A plugin in a worker, as the host remembers it: enough to bring it back to where it was in another process.

use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use hookrail_engine::{Opening, Request, Response};
use hookrail_loader::{Meter, Numbers};
use hookrail_model::crash::CrashedPlugin;
use hookrail_model::error::{Error, Misbehaved};
use hookrail_model::note::Note;
use hookrail_model::units::duration_text;
use parking_lot::Mutex;

use super::asked::OfPlugin;
use super::crash::Opened;
use super::failed::Failed;
use super::live::Live;
use super::plan::{Plan, Planned};
use super::worker::Member;
use crate::wire::{Answer, Ask, PluginId, Registered, Registration, State};

/// How long a request and its answer may be on their way, beside the time that the plugin was given.
const ON_THE_WAY: Duration = Duration::from_secs(1);

/// A plugin in a worker.
pub(super) struct Plugin {
    /// Its number in every process of its worker.
    pub(super) number: PluginId,
    pub(super) note: Note,
    pub(super) file: PathBuf,
    /// The private copy of its file.
    pub(super) copy: Arc<OwnedFd>,
    pub(super) opening: Opening,
    /// How long a call may take, other than that of a callback.
    pub(super) patience: Duration,
    pub(super) plan: Arc<Mutex<Plan>>,
    /// What answers its instances.
    pub(super) asked: Arc<OfPlugin>,
}

impl Plugin {
    /// A number that no other plugin of this process has.
    pub(super) fn next_number() -> PluginId {
        static NUMBERS: AtomicU32 = AtomicU32::new(0);
        // Relaxed: only distinctness matters.
        NUMBERS.fetch_add(1, Ordering::Relaxed)
    }

    /// Asks for something in its name.
    pub(super) fn ask(&self, live: &Live, whose: &str, ask: Ask) -> Result<Answer, Error> {
        let call = ask.call();
        let copy = matches!(ask, Ask::Open { .. }).then(|| self.copy.as_fd());
        live.ask(ask, copy, self.patience).map_err(|failed| failed.into_error(whose, call, self.patience))
    }

    /// Opens it in a process.
    pub(super) fn open(&self, live: &Live) -> Result<(), Error> {
        let file = self.file.to_string_lossy().into_owned();
        let force_unload = self.opening.force_unload;
        let opened = self.ask(live, &self.note.name, Ask::Open { plugin: self.number, file, force_unload })?;
        live.expect(self.number, Arc::downgrade(&self.asked) as _);
        let mut plan = self.plan.lock();
        let Answer::Opened { counts_memory, numbers } = opened else { return Ok(()) };
        if plan.numbers.is_none() {
            plan.numbers = Numbers::elsewhere(numbers).map(Arc::new);
        }
        plan.numbers.iter().for_each(|numbers| live.watch_numbers(self.number, numbers.clone()));
        if counts_memory {
            let meter = plan.meter.get_or_insert_with(|| Arc::new(Meter::elsewhere(self.opening.max_memory)));
            live.watch_memory(self.number, meter.clone());
        }
        Ok(())
    }

    /// Starts an instance, and returns what it registers.
    pub(super) fn start(&self, live: &Live, instance: &str, state: Option<State>) -> Result<Vec<Registered>, Error> {
        let start = Ask::Start { plugin: self.number, instance: instance.into(), state };
        match self.ask(live, instance, start)? {
            Answer::Started(registered) => Ok(registered),
            _ => Err(unexpected(live, instance, "start", self.patience)),
        }
    }

    /// Asks a started instance for something.
    pub(super) fn request(&self, live: &Live, instance: &str, request: Request) -> Result<Response, Error> {
        let ask = Ask::Request { plugin: self.number, instance: instance.into(), request };
        let (answer, within) = match request {
            Request::Drain(time) => (live.ask(ask, None, time + ON_THE_WAY), time + ON_THE_WAY),
            Request::Health(time) => match live.ask_if_idle(ask, time) {
                Some(answer) => (answer, time),
                None => return Ok(Response::Busy),
            },
            Request::Halt | Request::Ready | Request::Resume => (live.ask(ask, None, self.patience), self.patience),
        };
        match answer.map_err(|failed| failed.into_error(instance, request.call(), within))? {
            Answer::Response(response) => Ok(response),
            _ => Err(unexpected(live, instance, request.call(), self.patience)),
        }
    }

    /// Waits until an instance that was started again is ready.
    fn wait_until_ready(&self, live: &Live, instance: &str) -> Result<(), Error> {
        let deadline = Instant::now() + self.patience;
        while let Response::Partly(why) = self.request(live, instance, Request::Ready)? {
            if Instant::now() >= deadline {
                return Err(Error::misbehaved(instance, Misbehaved::not_ready(duration_text(self.patience), why)));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// Has the proxies of an instance call the callbacks that it registered in this process.
    fn renew(&self, live: &Live, instance: &str, registered: &[Registered]) {
        let plan = self.plan.lock();
        let Some(planned) = plan.instances.iter().find(|planned| planned.name == instance) else { return };
        for proxy in &planned.proxies {
            let is_it = |known: &&Registered| matches!(&known.record, Registration::Complete { point, callback, .. } if proxy.is(point, callback));
            proxy.renew(live.epoch, registered.iter().find(is_it).and_then(|known| known.index));
        }
    }
}

impl Member for Plugin {
    fn opened(&self) -> Opened {
        // It is read elsewhere, and as JSON.
        let file = std::path::absolute(&self.file).unwrap_or_else(|_| self.file.clone());
        let plugin = CrashedPlugin::new(&*self.note.name, &*self.note.version, file.to_string_lossy().into_owned());
        Opened { number: self.number, plugin, copy: self.copy.clone() }
    }

    fn name(&self) -> &str {
        &self.note.name
    }

    fn number(&self) -> PluginId {
        self.number
    }

    fn serves(&self) -> bool {
        self.plan.lock().instances.iter().any(|instance| instance.is_started)
    }

    fn replay(&self, live: &Live) -> Result<(), Error> {
        self.open(live)?;
        let plugin = self.number;
        let (begun, secrets, instances) = {
            let plan = self.plan.lock();
            let planned =
                |it: &Planned| (it.name.clone(), it.config.clone(), it.home.clone(), it.is_started, it.is_halted);
            let instances = plan.instances.iter().map(planned);
            (plan.begun, plan.secrets.clone(), instances.collect::<Vec<_>>())
        };
        if let Some((generation, level)) = begun {
            self.ask(live, &self.note.name, Ask::Begin { plugin, generation, level, secrets })?;
        }
        for (instance, config, home, is_started, is_halted) in instances {
            let end_the_last = self.asked.buses.again(&instance);
            self.ask(live, &instance, Ask::Create { plugin, instance: instance.clone(), config, home })?;
            if is_started {
                let registered = self.start(live, &instance, None)?;
                self.wait_until_ready(live, &instance)?;
                if is_halted {
                    self.request(live, &instance, Request::Halt)?;
                }
                self.renew(live, &instance, &registered);
            }
            end_the_last();
        }
        Ok(())
    }
}

/// The worker answered with something else: it is no worker of ours, and is ended.
pub(super) fn unexpected(live: &Live, whose: &str, call: &'static str, patience: Duration) -> Error {
    live.kill();
    Failed::Ended("gave an answer to something else".into()).into_error(whose, call, patience)
}
