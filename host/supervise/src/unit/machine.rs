//! The state machine of a unit, on the unit's thread.

mod clock;
mod talk;

use std::cell::OnceCell;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Instant, SystemTime};

use hookrail_model::time::later;
use hookrail_model::unit::{Acknowledgement, Deadlines, Exit, Restarts, UnitCommand, UnitState, UnitView};
use hookrail_model::{guarded, log};

use super::event::Event;
use super::kind::{Kind, Order, Start, Voice};
use super::live::{Asker, Ending, KILL, Live, Outbox, Then};
use super::shown::Shown;
use super::table::{Act, act};
use crate::backoff::{Backoff, Next};
use crate::lock::Lock;
use crate::supervisor::Supervisor;

/// A unit, as its thread has it.
///
/// # Invariants
/// A process is started only when `live` is `None`, and `live` becomes `None` only when the process has ended: so there
/// is one at most. `runs` is the number of the last one.
pub(super) struct Machine {
    pub(super) kind: Box<dyn Kind>,
    pub(super) supervisor: Supervisor,
    pub(super) lock: Lock,
    pub(super) deadlines: Deadlines,
    pub(super) restarts: Restarts,
    pub(super) backoff: Backoff,
    pub(super) shown: Arc<Shown>,
    /// For those who speak to it.
    pub(super) events: Sender<Event>,
    /// What is shown, from one change of the state or its reason to the next.
    pub(super) view: UnitView,
    /// Whether it is halted, or was when it ended.
    pub(super) is_halted: bool,
    pub(super) runs: u64,
    /// The number of the last order.
    pub(super) orders: u64,
    pub(super) live: Option<Live>,
    /// When it is started again.
    pub(super) retry: Option<Instant>,
    /// Those who wait for it to be ready.
    pub(super) starters: Vec<Asker>,
    pub(super) outbox: Outbox,
    pub(super) is_dropped: bool,
}

impl Machine {
    /// Runs until nobody can ask any more, and the process has ended or cannot be ended.
    pub(super) fn run(mut self, events: &Receiver<Event>) {
        while !self.is_over() {
            let deadline = self.live.as_ref().map_or(self.retry, Live::next_deadline);
            let event = match deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())) {
                Some(pause) => events.recv_timeout(pause),
                None => events.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match event {
                Ok(Event::Asked(command, asker)) => self.asked(command, asker),
                Ok(Event::Dropped) | Err(RecvTimeoutError::Disconnected) => self.dropped(),
                Ok(Event::Exited(run, exit)) if run == self.runs => self.exited(exit),
                Ok(Event::Said(run, said)) if run == self.runs => self.said(said),
                Ok(Event::Exited(..) | Event::Said(..)) | Err(RecvTimeoutError::Timeout) => {}
            }
            self.look_at_clock(Instant::now());
            self.outbox.send();
        }
    }

    fn is_over(&self) -> bool {
        let is_lost = |live: &Live| live.ending.as_ref().is_some_and(|ending| ending.by.is_none());
        self.is_dropped && self.live.as_ref().is_none_or(is_lost)
    }

    fn asked(&mut self, command: UnitCommand, asker: Asker) {
        match act(command, self.view.state) {
            Act::Done => self.outbox.put([asker], &Acknowledgement::Acknowledged),
            Act::EndAndStart => self.end(Then::Start, Some(asker)),
            Act::EndAndStop | Act::JoinEnd => self.end(Then::Stop, Some(asker)),
            Act::JoinStart => self.starters.push(asker),
            Act::Order => self.pass_on(command, asker),
            Act::Refuse(reason) => self.outbox.put([asker], &Acknowledgement::refused(reason)),
            Act::Start => {
                self.starters.push(asker);
                self.backoff.progress();
                self.is_halted = false;
                self.begin();
            }
            Act::Stop => {
                self.retry = None;
                self.set(UnitState::Stopped, None);
                self.outbox.put([asker], &Acknowledgement::Acknowledged);
            }
        }
    }

    fn dropped(&mut self) {
        self.is_dropped = true;
        self.retry = None;
        match self.live {
            Some(_) => self.end(Then::Stop, None),
            None => self.set(UnitState::Stopped, None),
        }
    }

    /// Starts the process.
    pub(super) fn begin(&mut self) {
        self.retry = None;
        self.runs += 1;
        let Self { kind, supervisor, lock, .. } = self;
        let (events, run) = (self.events.clone(), self.runs);
        let voice = Voice { events: events.clone(), run };
        let start = Start { supervisor, lock, voice, is_halted: self.is_halted, process: OnceCell::new() };
        let panicked = Err("starting it panicked".to_owned());
        let started = guarded(panicked, || kind.start(&start).map_err(|error| error.to_string()));
        let Some(process) = start.process.into_inner() else {
            let reason = started.err().unwrap_or_else(|| "nothing was started for it".into());
            return self.start_again(&reason);
        };
        self.view.pid = Some(process.pid());
        process.on_exit(move |exit| _ = events.send(Event::Exited(run, exit)));
        // INVARIANT: `begin` is called when there is none.
        self.live = Some(Live::new(process, self.deadlines.ready));
        match started {
            Ok(()) => self.set(UnitState::Init, None),
            Err(reason) => self.kill(reason),
        }
    }

    /// Has the process end. If it does already, what comes next is what was wanted last.
    fn end(&mut self, then: Then, asker: Option<Asker>) {
        let Some(live) = &mut self.live else { return };
        let refused = Acknowledgement::refused("it is being shut down");
        if then == Then::Stop {
            self.outbox.put(self.starters.drain(..), &refused);
        }
        if let Some(ending) = &mut live.ending {
            if ending.then != then {
                self.outbox.put(ending.askers.drain(..), &refused);
            }
            ending.then = then;
            ending.askers.extend(asker);
        } else {
            self.outbox.put(live.take_askers(), &refused);
            let number = self.send(Order::Shutdown);
            let by = Some(later(Instant::now(), self.deadlines.shutdown));
            let askers = asker.into_iter().collect();
            let ending =
                Ending { order: Some(number), then, by, is_killed: false, refused: None, reason: None, askers };
            if let Some(live) = &mut self.live {
                live.ending = Some(ending);
            }
        }
        self.set(UnitState::Stopping, None);
    }

    /// Kills the process, for a reason of the unit's own: it is started again, or not.
    pub(super) fn kill(&mut self, reason: String) {
        let Some(live) = &mut self.live else { return };
        self.outbox.put(live.take_askers(), &Acknowledgement::refused(&*reason));
        live.process.kill();
        live.ending = Some(Ending {
            order: None,
            then: Then::Restarts,
            by: Some(later(Instant::now(), KILL)),
            is_killed: true,
            refused: None,
            reason: Some(reason.clone()),
            askers: Vec::new(),
        });
        self.set(UnitState::Error, Some(reason));
    }

    fn exited(&mut self, exit: Exit) {
        // INVARIANT: it has ended.
        let Some(mut live) = self.live.take() else { return };
        (self.view.pid, self.view.last_exit) = (None, Some(exit));
        if live.ready.is_some_and(|ready| ready.elapsed() >= self.restarts.longest) {
            self.backoff.progress();
        }
        let ended = format!("it {exit}");
        let ending = live.ending.take();
        self.outbox.put(live.take_askers(), &Acknowledgement::refused(&*ended));
        let Some(ending) = ending else { return self.fail_or_start_again(&exit, &ended) };
        let result = match ending.refused {
            Some(reason) => Acknowledgement::refused(reason),
            // It was killed since it did not end when it was told to.
            None if ending.is_killed && ending.order.is_some() => Acknowledgement::TimedOut,
            None => Acknowledgement::Acknowledged,
        };
        match ending.then {
            Then::Restarts => self.fail_or_start_again(&exit, &ending.reason.unwrap_or(ended)),
            Then::Start if exit.survivors == 0 => {
                self.is_halted = false;
                self.starters.extend(ending.askers);
                self.backoff.progress();
                self.begin();
            }
            Then::Start => {
                self.outbox.put(ending.askers, &Acknowledgement::refused(&*ended));
                self.fail(ended);
            }
            Then::Stop => {
                self.set(UnitState::Stopped, (exit.survivors > 0).then_some(ended));
                self.outbox.put(ending.askers, &result);
            }
        }
    }

    /// What comes after an end that nobody has asked for.
    fn fail_or_start_again(&mut self, exit: &Exit, reason: &str) {
        match exit.survivors {
            0 => self.start_again(reason),
            // One more would be one too many.
            _ => self.fail(exit.to_string()),
        }
    }

    fn start_again(&mut self, reason: &str) {
        match self.backoff.ended() {
            Next::Fail { ends: 1 } => self.fail(reason.into()),
            Next::Fail { ends } => self.fail(format!("{reason}; it has ended {ends} times in a row")),
            Next::Start { after } => {
                self.outbox.put(self.starters.drain(..), &Acknowledgement::refused(reason));
                self.retry = Some(later(Instant::now(), after));
                self.view.restarts += 1;
                self.set(UnitState::Waiting, Some(reason.into()));
            }
        }
    }

    fn fail(&mut self, reason: String) {
        self.outbox.put(self.starters.drain(..), &Acknowledgement::refused(&*reason));
        self.set(UnitState::Failed, Some(reason));
    }

    pub(super) fn set(&mut self, state: UnitState, reason: Option<String>) {
        let unit = self.lock.name();
        match &reason {
            Some(reason) => log!(info, unit, "the unit is {state}: {reason}"),
            None => log!(info, unit, "the unit is {state}"),
        }
        if self.view.state != state {
            self.view.since = SystemTime::now();
        }
        (self.view.state, self.view.reason) = (state, reason);
        self.shown.show(&self.view);
    }
}
