//! Kinds of units that keep to no rules.

use std::sync::mpsc;

use hookrail_supervise::{
    Acknowledgement, Answer, Error, Kind, Lock, Order, Spec, Start, Supervisor, Unit, UnitCommand as Command,
    UnitState as State,
};

use crate::common::{LONG, lives, sh};
use crate::scripted::{once, patient};

struct Closures<S, O>(S, O);

impl<S, O> Kind for Closures<S, O>
where
    S: FnMut(&Start<'_>) -> Result<(), Error> + Send,
    O: FnMut(Order, Answer) + Send,
{
    fn start(&mut self, start: &Start<'_>) -> Result<(), Error> {
        (self.0)(start)
    }

    fn order(&mut self, order: Order, answer: Answer) {
        (self.1)(order, answer);
    }
}

fn unit(kind: impl Kind + 'static) -> Unit {
    let directory = tempfile::tempdir().unwrap();
    let lock = Lock::take(directory.path(), "unit").unwrap();
    Unit::new(&Supervisor::new().unwrap(), lock, kind, patient(), once().with_limit(1)).unwrap()
}

fn sleep() -> Spec {
    sh("exec sleep 1000")
}

#[test]
fn a_start_that_fails_says_why_and_leaves_nothing() {
    let check = |start: fn(&Start<'_>) -> Result<(), Error>, said: &str| {
        let unit = unit(Closures(start, |_, _| ()));
        let answer = unit.ask(Command::Start);
        let Acknowledgement::Refused { reason, .. } = &answer else { panic!("{answer}") };
        assert!(reason.contains(said), "{reason}");
        let view = unit.wait_until(LONG, |view| view.state == State::Failed).unwrap();
        assert_eq!((view.reason.as_deref(), view.pid), (Some(&**reason), None));
    };
    check(|start| start.spawn(Spec::new("/no/such")).map(drop), "cannot execute /no/such: No such file");
    check(|_| panic!("it does that"), "starting it panicked");
    check(|_| Ok(()), "nothing was started for it");
    check(|start| start.spawn(sleep()).and(start.spawn(sleep())).map(drop), "it has one");
    check(|start| start.spawn(sleep()).and(Err(Error::InvalidName("x".into()))), "`x` is no name");
    check(|start| start.spawn(sleep()).map(|_| panic!("it does that")), "starting it panicked");
}

#[test]
fn an_order_that_panics_is_not_answered() {
    let start = |start: &Start<'_>| start.spawn(sleep()).map(|_| start.voice().ready());
    let directory = tempfile::tempdir().unwrap();
    let lock = Lock::take(directory.path(), "unit").unwrap();
    let deadlines = patient().with_order(std::time::Duration::from_millis(20)).with_shutdown(std::time::Duration::ZERO);
    let kind = Closures(start, |_, _| panic!("it does that"));
    let unit = Unit::new(&Supervisor::new().unwrap(), lock, kind, deadlines, once()).unwrap();
    assert_eq!(unit.ask(Command::Start), Acknowledgement::Acknowledged);
    assert_eq!(unit.ask(Command::Halt), Acknowledgement::TimedOut);
    assert_eq!(unit.ask(Command::Shutdown), Acknowledgement::TimedOut);
}

/// What a former process says, or an order to it is answered with, is not what the present one says.
#[test]
fn nobody_listens_to_a_process_that_has_ended() {
    let (sender, voices) = mpsc::channel();
    let (answers, answered) = mpsc::channel();
    let start =
        move |start: &Start<'_>| start.spawn(sleep()).map(|process| sender.send((start.voice(), process)).unwrap());
    let unit = unit(Closures(start, move |order, answer| answers.send((order, answer)).unwrap()));
    let started = unit.begin(Command::Start);
    let (first, process) = voices.recv_timeout(LONG).unwrap();
    let restarted = unit.begin(Command::Restart);
    let (order, answer) = answered.recv_timeout(LONG).unwrap();
    assert_eq!(order, Order::Shutdown);
    process.kill();
    let (second, other) = voices.recv_timeout(LONG).unwrap();
    assert!(!lives(process.pid()) && lives(other.pid()));
    answer.refuse("too late");
    first.ready();
    assert_eq!(unit.wait_until(std::time::Duration::from_millis(50), |view| view.state == State::Running), None);
    second.ready();
    assert_eq!(restarted.recv_timeout(LONG).unwrap(), Acknowledgement::Acknowledged);
    assert_eq!(started.recv_timeout(LONG).unwrap(), Acknowledgement::Acknowledged);
    other.kill();
}
