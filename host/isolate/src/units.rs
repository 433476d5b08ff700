//! Units of plugins: processes that this host starts for them, and keeps alive.

mod kind;

use std::fmt;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use hookrail_engine::{UnitControl, UnitEvent, UnitInbox, UnitNow, UnitSaid, UnitSpec, Units};
use hookrail_model::log;
use hookrail_supervise::{Deadlines, Error, Lock, Restarts, Supervisor, Unit, UnitCommand, UnitState, UnitView};
use parking_lot::Mutex;

use self::kind::{Spoken, ThroughPlugin};

/// How long a unit waits at once for the one that has its name, until it looks whether it is still wanted.
const LOOK: Duration = Duration::from_millis(100);

/// The units of plugins of one host.
#[derive(Debug)]
pub(crate) struct HostUnits {
    /// Where their names are locked.
    directory: PathBuf,
    /// What looks after their processes.
    supervisor: fn() -> Result<Supervisor, hookrail_model::error::Error>,
}

impl HostUnits {
    pub(crate) fn of(home: &Path, supervisor: fn() -> Result<Supervisor, hookrail_model::error::Error>) -> Self {
        HostUnits { directory: home.join("units"), supervisor }
    }
}

impl Units for HostUnits {
    fn begin(&self, instance: &str, spec: UnitSpec, inbox: Arc<UnitInbox>) -> Result<Arc<dyn UnitControl>, String> {
        let supervisor = (self.supervisor)().map_err(|error| error.to_string())?;
        // What is unique among the units of an instance is unique among all with its name before it.
        let name = format!("{instance}.{}", spec.name);
        let spoken = Arc::new(Spoken::default());
        let kept = Arc::new(Kept {
            phase: Mutex::new(Phase::Waiting(UnitView::new(&*name, SystemTime::now()))),
            deadlines: deadlines(&spec),
            restarts: spec.restarts.map_or_else(Restarts::default, |limit| Restarts::default().with_limit(limit)),
            spoken: spoken.clone(),
            inbox: inbox.clone(),
        });
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&self.directory);
        made.map_err(|error| format!("cannot make the directory {}: {error}", self.directory.display()))?;
        let kind = ThroughPlugin { instance: instance.into(), spec, inbox, spoken };
        match Lock::take(&self.directory, &name) {
            Ok(lock) => kept.clone().open(&supervisor, lock, kind).map_err(|error| error.to_string())?,
            Err(Error::Held { by: Some(by), .. }) if is_given_back(by) => {
                let (waiting, directory) = (kept.clone(), self.directory.clone());
                let wait = move || waiting.wait(&supervisor, &directory, &name, kind);
                let thread = std::thread::Builder::new().name("hookrail-unit-wait".into()).spawn(wait);
                thread.map_err(|error| format!("cannot wait for its name: {error}"))?;
            }
            Err(error) => return Err(error.to_string()),
        }
        Ok(kept)
    }
}

/// Whether a name that process has will be free in a while: it is another generation of the instance in this process, or
/// the process has ended, and a guardian is ending what it had started.
fn is_given_back(by: u32) -> bool {
    by == std::process::id() || !Path::new(&format!("/proc/{by}")).exists()
}

fn deadlines(spec: &UnitSpec) -> Deadlines {
    let mut deadlines = Deadlines::default();
    deadlines.ready = spec.ready.unwrap_or(deadlines.ready);
    deadlines.order = spec.order.unwrap_or(deadlines.order);
    deadlines.shutdown = spec.shutdown.unwrap_or(deadlines.shutdown);
    deadlines.pong = spec.pong.unwrap_or(deadlines.pong);
    if let Some(every) = spec.ping_every {
        deadlines.ping_every = (every < Duration::MAX).then_some(every);
    }
    deadlines
}

/// A unit of a plugin.
struct Kept {
    phase: Mutex<Phase>,
    deadlines: Deadlines,
    restarts: Restarts,
    spoken: Arc<Spoken>,
    inbox: Arc<UnitInbox>,
}

enum Phase {
    /// It ends, or has ended: how it was then.
    Ending(UnitView),
    Open(Unit),
    /// The one before it has its name.
    Waiting(UnitView),
}

impl Kept {
    /// It has its name: begins it, if it is still wanted.
    fn open(self: Arc<Self>, supervisor: &Supervisor, lock: Lock, kind: ThroughPlugin) -> Result<(), Error> {
        let unit = Unit::new(supervisor, lock, kind, self.deadlines, self.restarts)?;
        let inbox = self.inbox.clone();
        unit.on_change(move |view| {
            if view.state == UnitState::Failed {
                inbox.put(UnitEvent::Failed, Vec::new());
            }
        });
        let mut phase = self.phase.lock();
        if let Phase::Waiting(_) = *phase {
            // Whoever wants to know what came of it is told.
            drop(unit.begin(UnitCommand::Start));
            *phase = Phase::Open(unit);
        }
        Ok(())
    }

    /// Waits until the one before it has ended.
    fn wait(self: Arc<Self>, supervisor: &Supervisor, directory: &Path, name: &str, kind: ThroughPlugin) {
        let lock = loop {
            match Lock::take_within(directory, name, LOOK) {
                Ok(lock) => break Ok(lock),
                Err(Error::Held { .. }) if matches!(*self.phase.lock(), Phase::Waiting(_)) => {}
                Err(error) => break Err(error),
            }
        };
        let opened = lock.and_then(|lock| self.clone().open(supervisor, lock, kind));
        if let (Err(error), Phase::Waiting(view)) = (opened, &mut *self.phase.lock()) {
            log!(error, unit = name, "cannot begin: {error}");
            view.state = UnitState::Failed;
            view.reason = Some(error.to_string());
            self.inbox.put(UnitEvent::Failed, Vec::new());
        }
    }
}

impl UnitControl for Kept {
    fn say(&self, run: u64, said: UnitSaid) {
        self.spoken.say(run, said);
    }

    fn signal(&self, signal: i32) -> bool {
        self.spoken.signal(signal)
    }

    fn now(&self) -> Option<UnitNow> {
        let view = match &*self.phase.lock() {
            Phase::Ending(view) => view.clone(),
            Phase::Open(unit) => unit.view(),
            Phase::Waiting(view) if view.state == UnitState::Failed => view.clone(),
            Phase::Waiting(view) => {
                let mut view = view.clone();
                view.state = UnitState::Waiting;
                view.reason = Some("the one before it, of that name, has not ended yet".into());
                view
            }
        };
        let UnitView { state, reason, pid, restarts, .. } = view;
        Some(UnitNow { state, reason, pid, restarts })
    }

    fn end(&self) {
        let mut phase = self.phase.lock();
        let mut view = match &*phase {
            Phase::Ending(_) => return,
            Phase::Open(unit) => unit.view(),
            Phase::Waiting(view) => view.clone(),
        };
        (view.state, view.reason) = (UnitState::Stopping, None);
        let unit = std::mem::replace(&mut *phase, Phase::Ending(view));
        drop(phase);
        let inbox = self.inbox.clone();
        // Its drop tells its process to end, and waits for that.
        let end = move || {
            drop(unit);
            inbox.put(UnitEvent::Gone, Vec::new());
        };
        if let Err(error) = std::thread::Builder::new().name("hookrail-unit-end".into()).spawn(end) {
            // The closure is dropped, and the unit with it: it has ended.
            log!(warn, "a unit was ended by the thread that wanted it: {error}");
            self.inbox.put(UnitEvent::Gone, Vec::new());
        }
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.now().fmt(f)
    }
}
