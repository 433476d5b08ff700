//! The thread of an operator: it waits for its process, its endpoints and its orders at once, and for none of them alone.

mod asked;
mod hearing;
mod orders;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hookrail_abi::host::Level;
use hookrail_abi::prelude::*;
use hookrail_abi::unit::{Event, Exit, Spec, Unit};

use self::asked::Asked;
use crate::bell::{readable, wait};
use crate::config::Operator;
use crate::link::{LOOK, Link, Phase};
use crate::process::{MOST_LOGGED, Process};
use crate::request::Reply;
use crate::told::Hello;

/// How much more than otherwise may be read while an answer is waited for that may stand behind it.
const SLACK: usize = 4;

/// What is kept alive.
pub(crate) struct Keeper {
    pub(crate) link: Arc<Link>,
    pub(crate) instance: Instance,
    pub(crate) operator: Operator,
    pub(crate) state: PathBuf,
    pub(crate) ephemeral: PathBuf,
    /// How many processes there were.
    pub(crate) processes: u64,
}

/// What comes after a unit.
enum Next {
    /// Another one, which that waits for.
    Begin(Option<Reply>),
    End,
}

/// A unit that runs.
struct Running<'a> {
    keeper: &'a mut Keeper,
    unit: &'a Unit,
    process: Option<Process>,
    asked: Vec<Asked<'a>>,
    next: Next,
}

impl Keeper {
    /// Keeps the operator until it is told to end.
    pub(crate) fn keep(mut self) {
        self.link.begin();
        let mut waiting: Option<Reply> = None;
        loop {
            let begun = self.spec().and_then(|spec| self.instance.start_unit(&spec));
            if let Some(reply) = waiting.take() {
                reply.answer(begun.as_ref().map(drop).map_err(ToString::to_string));
            }
            let next = match begun {
                Ok(unit) => {
                    let running =
                        Running { unit: &unit, process: None, asked: Vec::new(), next: Next::End, keeper: &mut self };
                    running.run()
                }
                Err(why) => self.fail(&why.to_string()),
            };
            match next {
                Next::Begin(reply) => waiting = reply,
                Next::End => break,
            }
        }
        let _ = std::fs::remove_dir_all(&self.ephemeral);
        self.link.set(Phase::Over);
    }

    fn spec(&self) -> Result<Spec> {
        let operator = &self.operator;
        let mut spec = Spec::new(&*self.link.name, operator.program()?.to_str().ok_or("its path is no text")?);
        for argument in &operator.command[1..] {
            spec = spec.arg(argument);
        }
        let passed = operator.pass_env.iter().filter(|name| !operator.env.contains_key(*name));
        for (name, value) in passed.filter_map(|name| Some((name, std::env::var(name).ok()?))) {
            spec = spec.env(name, &value);
        }
        for (name, value) in &operator.env {
            spec = spec.env(name, value);
        }
        let text = |path: &PathBuf| path.to_str().map(str::to_owned).ok_or("a directory of the plugin is no text");
        spec = spec.env("HOOKRAIL_OPERATOR", &self.link.name);
        spec = spec.env("HOOKRAIL_STATE", &text(&self.state)?).env("HOOKRAIL_EPHEMERAL", &text(&self.ephemeral)?);
        if let Some(directory) = &operator.directory {
            spec = spec.dir(directory);
        }
        Ok(spec
            .restarts(operator.restarts)
            .ready(operator.ready.duration())
            .order(operator.order.duration())
            .shutdown(operator.stop.duration())
            .pong(operator.pong.duration())
            .pings(Some(operator.ping_every.duration())))
    }

    /// It cannot begin: waits to be told something else.
    fn fail(&mut self, why: &str) -> Next {
        self.log(Level::Error, &format!("cannot begin: {why}"));
        self.link.set(Phase::Failed(why.into()));
        loop {
            wait(&mut [readable(&self.link.bell)], None);
            self.link.bell.hear();
            if let Some(next) = self.idle() {
                self.link.set(Phase::Starting);
                return next;
            }
        }
    }

    /// Begins what the newest process needs, and says how it is greeted.
    fn greet(&mut self) -> std::io::Result<Vec<u8>> {
        // What the one before has left in it is gone with it.
        let _ = std::fs::remove_dir_all(&self.ephemeral);
        for directory in [&self.state, &self.ephemeral] {
            std::fs::create_dir_all(directory)?;
        }
        Ok(Hello {
            operator: &self.link.name,
            config: &self.operator.config,
            state: &self.state,
            ephemeral: &self.ephemeral,
            max_line: self.operator.max_line,
        }
        .line())
    }

    fn log(&self, level: Level, line: &str) {
        self.instance.log(level, format_args!("operator {}: {line}", self.link.name));
    }
}

impl<'a> Running<'a> {
    /// Serves the unit until it is over.
    fn run(mut self) -> Next {
        let watch = self.unit.watch();
        self.keeper.link.set(Phase::Starting);
        loop {
            while let Some(event) = self.unit.next(Some(Duration::ZERO)) {
                self.happened(event);
            }
            if self.unit.is_over() {
                self.ended(None);
                return self.next;
            }
            // Until the unit says something, everything else is seen to.
            loop {
                self.requests();
                let may_go_on = self.talk();
                self.expire();
                let limit = self.limit();
                let (reads, link) = (self.reads(), self.keeper.link.clone());
                let mut polled = vec![readable(&link.bell)];
                polled.extend(watch.as_ref().map(|watch| readable(watch)));
                polled.extend(self.process.iter().flat_map(|process| process.polled(reads)));
                let limit = if may_go_on && reads { Some(Duration::ZERO) } else { limit };
                wait(
                    &mut polled,
                    if watch.is_some() { limit } else { Some(limit.map_or(LOOK, |limit| limit.min(LOOK))) },
                );
                let has_happened = watch.is_none() || !polled[1].revents().is_empty();
                drop(polled);
                link.bell.hear();
                if has_happened {
                    break;
                }
            }
        }
    }

    fn happened(&mut self, event: Event<'a>) {
        match event {
            Event::Started(started) => self.started(started),
            Event::Ended { run, exit, .. } => {
                self.ended(Some(run));
                let how = match exit {
                    Exit::Signal(signal) => format!("by signal {signal}"),
                    Exit::Status(status) => format!("with status {status}"),
                    _ => "in a way that this plugin does not know".into(),
                };
                self.keeper.log(Level::Info, &format!("process {run} has ended {how}"));
            }
            Event::Ordered(order) => self.ordered(order),
            Event::Failed => {
                let reason = self.unit.status().map(|status| status.reason).unwrap_or_default();
                let why = if reason.is_empty() { "it has ended too often".into() } else { reason };
                self.keeper.link.set(Phase::Failed(why));
            }
            _ => {}
        }
    }

    fn started(&mut self, started: hookrail_abi::unit::Process) {
        self.keeper.processes += 1;
        let (number, most) = (self.keeper.processes, self.keeper.operator.max_line);
        let greeted = Process::new(started, number, most).and_then(|process| Ok((process, self.keeper.greet()?)));
        match greeted {
            Ok((mut process, hello)) => {
                process.out.line(hello);
                self.process = Some(process);
                self.keeper.link.set(Phase::Starting);
            }
            Err(why) => {
                self.keeper.log(Level::Error, &format!("cannot be spoken with: {why}"));
                self.unit.signal(KILL);
            }
        }
    }

    /// Whether more may be read: there is room, or an answer is waited for that may stand behind what there is none for.
    fn reads(&self) -> bool {
        if self.process.as_ref().is_some_and(|process| process.out.is_full()) {
            return false;
        }
        let slack = if self.asked.iter().any(|asked| !asked.is_ping()) { SLACK } else { 1 };
        !self.keeper.link.state().is_full(slack)
    }

    /// Writes and reads what is possible now; returns whether there may be more to read.
    fn talk(&mut self) -> bool {
        let link = self.keeper.link.clone();
        let Some(process) = &mut self.process else { return false };
        {
            let mut state = link.state();
            let (number, before) = (process.number, state.outgoing.len());
            for receipt in std::mem::take(&mut state.receipts) {
                if receipt.process == number {
                    process.out.line(crate::told::published(&receipt.reference));
                }
            }
            let is_halted = state.is_halted;
            process.write(&mut state, is_halted);
            // The sink waits for what was written, and for room.
            if state.has_settled() || state.outgoing.len() != before {
                link.sink.ring();
            }
        }
        if process.terminate_at.take_if(|at| *at <= Instant::now()).is_some() {
            self.unit.signal(TERMINATE);
        }
        if !self.reads() {
            self.cannot_be_asked();
            return false;
        }
        let Some(process) = &mut self.process else { return false };
        let (heard, may_go_on) = process.read();
        heard.into_iter().for_each(|heard| self.heard(heard));
        may_go_on
    }

    /// How long nothing needs to be looked at.
    fn limit(&self) -> Option<Duration> {
        let deadlines = self.asked.iter().filter_map(Asked::deadline);
        let at = deadlines.chain(self.process.as_ref().and_then(|process| process.terminate_at)).min()?;
        Some(at.saturating_duration_since(Instant::now()))
    }

    /// The process has ended, or the unit: takes what it has said last.
    fn ended(&mut self, run: Option<u64>) {
        if run.is_some_and(|run| self.process.as_ref().is_none_or(|process| process.run != run)) {
            return;
        }
        while let Some(process) = &mut self.process {
            let (mut heard, may_go_on) = process.read();
            if !may_go_on {
                process.end_of_output(&mut heard);
            }
            heard.into_iter().for_each(|heard| self.heard(heard));
            if !may_go_on {
                break;
            }
        }
        if let Some(process) = self.process.take() {
            let (_, mistakes) = process.mistakes;
            if mistakes > MOST_LOGGED {
                self.keeper.log(Level::Warn, &format!("{mistakes} of its lines could not be read"));
            }
        }
        self.asked.drain(..).for_each(|asked| asked.answer(Err("it has ended")));
        let mut state = self.keeper.link.state();
        state.forget_outgoing();
        state.receipts.clear();
        let was_ready = matches!(state.phase, Phase::Ready(..));
        drop(state);
        if was_ready {
            self.keeper.link.set(Phase::Starting);
        }
    }
}

const KILL: i32 = 9;
const TERMINATE: i32 = 15;
