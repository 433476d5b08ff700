//! Processes that a plugin speaks with: it passes on what the host orders, and what they answer.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::os::fd::OwnedFd;
use std::sync::Arc;

use hookrail_engine::{UnitEnd, UnitEvent, UnitInbox, UnitOrder, UnitSaid, UnitSpec};
use hookrail_model::log;
use hookrail_supervise::{Answer, Error, ExitStatus, Kind, Order, Pong, Process, Spec, Start, Stdio, Voice};
use parking_lot::Mutex;

/// The longest line of a stderr that is logged in one piece, in bytes.
const LINE: u64 = 8 << 10;
/// The longest reason that is kept, in bytes.
const REASON: usize = 4 << 10;

/// A process that a plugin speaks with.
pub(super) struct ThroughPlugin {
    pub(super) instance: String,
    pub(super) spec: UnitSpec,
    pub(super) inbox: Arc<UnitInbox>,
    pub(super) spoken: Arc<Spoken>,
}

/// What the plugin says of the process.
#[derive(Default)]
pub(super) struct Spoken(Mutex<Now>);

/// The newest process, and what it was ordered.
#[derive(Default)]
struct Now {
    run: u64,
    process: Option<(Process, Voice)>,
    /// What it has not answered, by number.
    orders: HashMap<u64, (UnitOrder, Answer)>,
    last: u64,
}

impl Kind for ThroughPlugin {
    fn start(&mut self, start: &Start<'_>) -> Result<(), Error> {
        let UnitSpec { program, arguments, environment, directory, .. } = &self.spec;
        let mut spec = Spec::new(&**program).args(arguments).stdin(Stdio::Pipe).stdout(Stdio::Pipe).stderr(Stdio::Pipe);
        for (name, value) in environment {
            spec = spec.env(name, value);
        }
        if let Some(directory) = directory {
            spec = spec.dir(directory);
        }
        let process = start.spawn(spec)?;
        let run = self.spoken.begin(&process, start.voice());
        if let Some(stderr) = process.take_stderr() {
            let (instance, unit) = (self.instance.clone(), self.spec.name.clone());
            let log = move || log_lines(stderr, &instance, &unit);
            std::thread::Builder::new()
                .name("hookrail-unit-log".into())
                .spawn(log)
                .map_err(|cause| Error::system("read the stderr of a unit", cause))?;
        }
        let descriptors = process.take_stdin().into_iter().chain(process.take_stdout()).collect();
        if !self.inbox.put(UnitEvent::Started { run }, descriptors) {
            let cause = io::Error::other("its plugin does not take what happens to it");
            return Err(Error::system(format!("start the unit `{}`", self.spec.name), cause));
        }
        let inbox = self.inbox.clone();
        process.on_exit(move |exit| _ = inbox.put(UnitEvent::Ended { run, end: end(exit.status) }, Vec::new()));
        Ok(())
    }

    fn order(&mut self, order: Order, answer: Answer) {
        let order = match order {
            Order::Halt => UnitOrder::Halt,
            Order::Ping => UnitOrder::Ping,
            Order::Reload => UnitOrder::Reload,
            Order::Resume => UnitOrder::Resume,
            Order::Shutdown => UnitOrder::Shutdown,
            _ => return answer.refuse("its plugin cannot pass that on"),
        };
        let (run, number) = self.spoken.ordered(order, answer);
        if !self.inbox.put(UnitEvent::Order { run, number, order }, Vec::new()) {
            self.spoken.say(run, UnitSaid::Untaken(number));
        }
    }
}

impl Spoken {
    /// Another process has begun; returns its number.
    fn begin(&self, process: &Process, voice: Voice) -> u64 {
        let mut now = self.0.lock();
        now.run += 1;
        now.process = Some((process.clone(), voice));
        // Those of the one before it are not answered any more.
        now.orders.clear();
        now.run
    }

    /// It is ordered something; returns its number, and that of the order.
    fn ordered(&self, order: UnitOrder, answer: Answer) -> (u64, u64) {
        let mut now = self.0.lock();
        now.last += 1;
        let number = now.last;
        now.orders.insert(number, (order, answer));
        (now.run, number)
    }

    /// What the plugin says of that process. Of one that is not the newest it is too late.
    pub(super) fn say(&self, run: u64, said: UnitSaid) {
        let mut now = self.0.lock();
        if run != now.run {
            return;
        }
        let (order, answer) = match &said {
            UnitSaid::Ready => {
                if let Some((_, voice)) = &now.process {
                    voice.ready();
                }
                return;
            }
            UnitSaid::Done(number)
            | UnitSaid::NotReady(number)
            | UnitSaid::Refused(number, _)
            | UnitSaid::Untaken(number)
            | UnitSaid::Unwell(number, _) => match now.orders.remove(number) {
                Some(ordered) => ordered,
                None => return,
            },
        };
        match said {
            UnitSaid::Done(_) | UnitSaid::Ready => answer.acknowledge(),
            UnitSaid::NotReady(_) => answer.pong(Pong::Init),
            UnitSaid::Refused(_, reason) => answer.refuse(bounded(reason)),
            UnitSaid::Unwell(_, reason) => answer.pong(Pong::Error { reason: bounded(reason) }),
            // Nobody passes it on, so it is said in the way that every program understands.
            UnitSaid::Untaken(_) if order == UnitOrder::Shutdown && now.signal(libc::SIGTERM) => answer.acknowledge(),
            UnitSaid::Untaken(_) => answer.refuse("its plugin does not take what it is told"),
        }
    }

    /// Sends a signal to the newest process; returns whether there is such a signal.
    pub(super) fn signal(&self, signal: i32) -> bool {
        self.0.lock().signal(signal)
    }
}

impl Now {
    fn signal(&self, signal: i32) -> bool {
        self.process.as_ref().is_none_or(|(process, _)| process.signal(signal).is_ok())
    }
}

fn end(status: ExitStatus) -> UnitEnd {
    match status {
        ExitStatus::Exited { code, .. } => UnitEnd::Exited(code),
        ExitStatus::Killed { signal, .. } => UnitEnd::Killed(signal),
        _ => UnitEnd::Unseen,
    }
}

fn bounded(mut reason: String) -> String {
    reason.truncate(reason.floor_char_boundary(REASON));
    reason.shrink_to_fit();
    reason
}

/// Logs what comes out of a pipe, until its end.
fn log_lines(pipe: OwnedFd, instance: &str, unit: &str) {
    let mut pipe = BufReader::new(File::from(pipe));
    let mut line = Vec::new();
    loop {
        line.clear();
        match (&mut pipe).take(LINE).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => log!(info, instance, unit, "{}", String::from_utf8_lossy(&line).trim_end()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use hookrail_engine::Next;
    use hookrail_supervise::{Acknowledgement, Deadlines, Lock, Restarts, Supervisor, Unit, UnitCommand, UnitState};

    use super::*;

    fn kept(inbox: &Arc<UnitInbox>, directory: &std::path::Path) -> (Unit, Arc<Spoken>) {
        let spoken = Arc::new(Spoken::default());
        let spec = UnitSpec {
            name: "a".into(),
            program: "/bin/sleep".into(),
            arguments: vec!["1000".into()],
            environment: Vec::new(),
            directory: None,
            restarts: None,
            ready: None,
            order: None,
            shutdown: None,
            pong: None,
            ping_every: None,
        };
        let kind = ThroughPlugin { instance: "i".into(), spec, inbox: inbox.clone(), spoken: spoken.clone() };
        let deadlines = Deadlines::default().with_ping_every(None);
        let lock = Lock::take(directory, "i.a").unwrap();
        let supervisor = Supervisor::new().unwrap();
        (Unit::new(&supervisor, lock, kind, deadlines, Restarts::default()).unwrap(), spoken)
    }

    /// Says that of the first order that comes, whatever it is, when the process is ready.
    fn answer(inbox: &UnitInbox, spoken: &Spoken, said: impl Fn(u64) -> UnitSaid) -> UnitOrder {
        loop {
            match inbox.next(Duration::from_secs(120)) {
                Next::Happened(UnitEvent::Started { run }, _) => spoken.say(run, UnitSaid::Ready),
                Next::Happened(UnitEvent::Order { run, number, order }, _) => {
                    // Of another process, and to another order: nobody is told.
                    spoken.say(run + 1, UnitSaid::Refused(number, "too early".into()));
                    spoken.say(run, UnitSaid::Refused(number + 1, "too early".into()));
                    spoken.say(run, said(number));
                    return order;
                }
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn each_order_is_passed_on_and_its_answer_comes_back() {
        let directory = tempfile::tempdir().unwrap();
        let inbox = Arc::new(UnitInbox::new().unwrap());
        let (unit, spoken) = kept(&inbox, directory.path());
        std::thread::scope(|scope| {
            let starting = scope.spawn(|| unit.ask(UnitCommand::Start));
            let Next::Happened(UnitEvent::Started { run: 1 }, descriptors) = inbox.next(Duration::from_secs(120))
            else {
                panic!("it was not started")
            };
            assert_eq!(descriptors.len(), 2);
            spoken.say(1, UnitSaid::Ready);
            assert_eq!(starting.join().unwrap(), Acknowledgement::Acknowledged);
        });
        for (command, order, said, acknowledgement, state) in [
            (
                UnitCommand::Halt,
                UnitOrder::Halt,
                (|order| UnitSaid::Refused(order, "busy".into())) as fn(u64) -> UnitSaid,
                Acknowledgement::refused("busy"),
                UnitState::Running,
            ),
            (UnitCommand::Halt, UnitOrder::Halt, UnitSaid::Done, Acknowledgement::Acknowledged, UnitState::Halted),
            (UnitCommand::Reload, UnitOrder::Reload, UnitSaid::Done, Acknowledgement::Acknowledged, UnitState::Halted),
            (UnitCommand::Resume, UnitOrder::Resume, UnitSaid::Done, Acknowledgement::Acknowledged, UnitState::Running),
            (UnitCommand::Ping, UnitOrder::Ping, UnitSaid::NotReady, Acknowledgement::Acknowledged, UnitState::Init),
            (
                UnitCommand::Ping,
                UnitOrder::Ping,
                |order| UnitSaid::Unwell(order, "ill".into()),
                Acknowledgement::Acknowledged,
                UnitState::Error,
            ),
        ] {
            std::thread::scope(|scope| {
                let asking = scope.spawn(|| unit.ask(command));
                assert_eq!(answer(&inbox, &spoken, said), order);
                assert_eq!(asking.join().unwrap(), acknowledgement, "{command}");
            });
            assert_eq!(unit.view().state, state, "{command}");
        }
        // Nobody passes it on any more: it is ended by a signal.
        inbox.close();
        assert_eq!(unit.ask(UnitCommand::Shutdown), Acknowledgement::Acknowledged);
        assert_eq!(unit.view().state, UnitState::Stopped);
    }

    #[test]
    fn what_people_read_is_bounded() {
        assert_eq!(bounded("ä".repeat(REASON)).len(), REASON);
        assert_eq!(bounded(format!("a{}", "ä".repeat(REASON))).len(), REASON - 1);
    }
}
