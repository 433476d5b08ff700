//! A unit: a name, a process that is kept alive, and what it is told to do.

mod event;
mod kind;
mod live;
mod machine;
mod shown;
mod table;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};
use std::{fmt, io};

use hookrail_model::unit::{Acknowledgement, Deadlines, Restarts, UnitCommand, UnitView};

use self::event::Event;
pub use self::event::Pong;
pub use self::kind::{Answer, Kind, Order, Start, Voice};
use self::live::Outbox;
use self::machine::Machine;
use self::shown::Shown;
use crate::backoff::Backoff;
use crate::error::Error;
use crate::lock::Lock;
use crate::supervisor::Supervisor;

/// A unit: a name that nobody else has, and one process at most, which is told what to do and kept alive.
///
/// It has a thread of its own. When it is dropped, its process is shut down, or killed after its time, and waited for.
pub struct Unit {
    name: String,
    events: Sender<Event>,
    shown: Arc<Shown>,
    thread: Option<JoinHandle<()>>,
    /// How long a command may take if the kind keeps to the rules.
    longest: Duration,
}

impl Unit {
    /// A unit that is stopped.
    ///
    /// # Errors
    /// If the system has no more threads.
    pub fn new(
        supervisor: &Supervisor,
        lock: Lock,
        kind: impl Kind + 'static,
        deadlines: Deadlines,
        restarts: Restarts,
    ) -> Result<Self, Error> {
        let name = lock.name().to_owned();
        let (events, receiver) = channel();
        let view = UnitView::new(&*name, SystemTime::now());
        let shown = Arc::new(Shown::new(view.clone()));
        let machine = Machine {
            kind: Box::new(kind),
            supervisor: supervisor.clone(),
            lock,
            deadlines,
            restarts,
            backoff: Backoff::new(restarts),
            shown: shown.clone(),
            events: events.clone(),
            view,
            is_halted: false,
            runs: 0,
            orders: 0,
            live: None,
            retry: None,
            starters: Vec::new(),
            outbox: Outbox::default(),
            is_dropped: false,
        };
        let thread = thread::Builder::new().name("hookrail-unit".into()).spawn(move || machine.run(&receiver));
        let failed = |cause: io::Error| Error::system(format!("start the thread of the unit `{name}`"), cause);
        let thread = Some(thread.map_err(failed)?);
        let Deadlines { ready, order, shutdown, pong, .. } = deadlines;
        let longest = [ready, order, shutdown, pong, SLACK].into_iter().fold(Duration::ZERO, Duration::saturating_add);
        Ok(Unit { name, events, shown, thread, longest })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What people see of it.
    pub fn view(&self) -> UnitView {
        self.shown.view()
    }

    /// Waits until what people see of it is so, but not longer than that.
    pub fn wait_until(&self, limit: Duration, holds: impl FnMut(&UnitView) -> bool) -> Option<UnitView> {
        self.shown.wait(limit, holds)
    }

    /// Has a function called with each change, on the unit's thread, which does nothing else meanwhile.
    pub fn on_change(&self, run: impl FnMut(&UnitView) + Send + 'static) {
        self.shown.watch(Box::new(run));
    }

    /// Gives a command, and waits for what comes of it.
    pub fn ask(&self, command: UnitCommand) -> Acknowledgement {
        self.begin(command).recv_timeout(self.longest).unwrap_or(Acknowledgement::TimedOut)
    }

    /// Gives a command; what comes of it is received when it is known.
    pub fn begin(&self, command: UnitCommand) -> Receiver<Acknowledgement> {
        let (sender, receiver) = channel();
        let _ = self.events.send(Event::Asked(command, sender));
        receiver
    }
}

/// What starting, killing and reaping may take, together.
const SLACK: Duration = Duration::from_secs(120);

impl fmt::Debug for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.view().fmt(f)
    }
}

impl Drop for Unit {
    fn drop(&mut self) {
        let _ = self.events.send(Event::Dropped);
        let is_other = |thread: &JoinHandle<()>| thread.thread().id() != thread::current().id();
        if let Some(thread) = self.thread.take().filter(is_other) {
            // What panics there was told by the hook.
            let _ = thread.join();
        }
    }
}
