//! Orders that are not carried out, or late.

use std::time::Duration;

use hookrail_supervise::{Acknowledgement, ExitStatus, UnitCommand as Command, UnitState as State};

use crate::common::{LONG, until};
use crate::scripted::{Scene, once, patient};

const SHORT: Duration = Duration::from_millis(50);

#[test]
fn what_is_refused_changes_nothing_and_says_why() {
    let scene = Scene::new(patient(), once());
    scene.bring_to(State::Running);
    for command in [Command::Halt, Command::Reload] {
        scene.write(command.name(), "echo no $number it is not a good time");
        let before = scene.unit.view();
        assert_eq!(scene.unit.ask(command), Acknowledgement::refused("it is not a good time"));
        assert_eq!(scene.unit.view(), before);
    }
    scene.remove("halt");
    scene.done(Command::Halt);
    scene.write("resume", "echo no $number never");
    assert_eq!(scene.unit.ask(Command::Resume), Acknowledgement::refused("never"));
    assert_eq!(scene.state(), State::Halted);
}

#[test]
fn an_order_that_is_not_answered_is_named_and_may_be_answered_late() {
    let scene = Scene::new(patient().with_order(SHORT), once());
    scene.bring_to(State::Running);
    scene.write("halt", "while [ ! -e now ]; do sleep 0.01; done; echo ok $number");
    assert_eq!(scene.unit.ask(Command::Halt), Acknowledgement::TimedOut);
    let view = scene.unit.view();
    assert_eq!((view.state, view.reason.as_deref()), (State::Error, Some("it did not halt within 50ms")));
    scene.write("now", "");
    scene.until("it says so at last", |view| view.state == State::Halted);
}

#[test]
fn one_order_at_a_time_but_an_end_always() {
    let scene = Scene::new(patient(), once());
    scene.bring_to(State::Running);
    scene.write("reload", "while [ ! -e now ]; do sleep 0.01; done; echo ok $number");
    let reload = scene.unit.begin(Command::Reload);
    for command in [Command::Halt, Command::Ping, Command::Reload] {
        assert_eq!(scene.unit.ask(command), Acknowledgement::refused("it has not answered the order to reload"));
    }
    let shutdown = scene.unit.begin(Command::Shutdown);
    assert_eq!(reload.recv_timeout(LONG).unwrap(), Acknowledgement::refused("it is being shut down"));
    scene.write("now", "");
    assert_eq!(shutdown.recv_timeout(LONG).unwrap(), Acknowledgement::Acknowledged);
    assert_eq!(scene.state(), State::Stopped);
}

#[test]
fn a_shutdown_that_is_refused_ends_the_unit_all_the_same() {
    let answer = |limit| {
        let scene = Scene::new(patient().with_shutdown(limit), once());
        scene.bring_to(State::Running);
        scene.write("shutdown", "echo no $number I am busy");
        let answer = scene.unit.ask(Command::Shutdown);
        assert_eq!(scene.state(), State::Stopped);
        answer
    };
    // Who is killed before it has refused has not answered in time.
    let answer = [SHORT, LONG / 3].into_iter().map(answer).find(|answer| *answer != Acknowledgement::TimedOut);
    assert_eq!(answer, Some(Acknowledgement::refused("I am busy")));
}

#[test]
fn what_ignores_its_end_is_killed() {
    let scene = Scene::new(patient().with_shutdown(SHORT), once());
    scene.bring_to(State::Running);
    scene.write("shutdown", "trap '' TERM INT HUP; while :; do sleep 1000; done");
    assert_eq!(scene.unit.ask(Command::Shutdown), Acknowledgement::TimedOut);
    let view = scene.unit.view();
    assert_eq!((view.state, view.pid), (State::Stopped, None));
    assert_eq!(view.last_exit.unwrap().status, ExitStatus::killed(9, false));
}

#[test]
fn a_shutdown_overtakes_a_restart() {
    let scene = Scene::new(patient(), once());
    scene.bring_to(State::Running);
    scene.write("stay", "");
    let restart = scene.unit.begin(Command::Restart);
    scene.until("it is being ended", |view| view.state == State::Stopping);
    let shutdown = scene.unit.begin(Command::Shutdown);
    assert_eq!(restart.recv_timeout(LONG).unwrap(), Acknowledgement::refused("it is being shut down"));
    scene.remove("stay");
    assert_eq!(shutdown.recv_timeout(LONG).unwrap(), Acknowledgement::Acknowledged);
    assert_eq!(
        (scene.state(), scene.log().iter().filter(|line| line.starts_with("begin")).count()),
        (State::Stopped, 1)
    );
}

#[test]
fn a_unit_says_itself_how_it_is() {
    let scene = Scene::new(patient(), once());
    scene.bring_to(State::Running);
    scene.write("ill", "");
    scene.done(Command::Ping);
    let view = scene.unit.view();
    assert_eq!((view.state, view.reason.as_deref()), (State::Error, Some("it is ill")));
    scene.remove("ill");
    scene.done(Command::Ping);
    assert_eq!((scene.state(), scene.unit.view().reason), (State::Running, None));
    // Not ready any more, for a while.
    scene.write("ping", "echo init $number");
    scene.done(Command::Ping);
    assert_eq!(scene.state(), State::Init);
    scene.remove("ping");
    scene.done(Command::Ping);
    assert_eq!(scene.state(), State::Running);
}

#[test]
fn the_clock_pings() {
    let scene = Scene::new(patient().with_ping_every(Some(Duration::from_millis(5))), once());
    scene.bring_to(State::Running);
    until("it was pinged", || scene.log().iter().filter(|line| *line == "ping").count() > 3);
    scene.write("ill", "");
    scene.until("it says so", |view| view.state == State::Error);
    scene.remove("ill");
    scene.until("it is well again", |view| view.state == State::Running);
}

#[test]
fn a_ping_by_hand_harms_no_unit_that_knows_none() {
    let scene = Scene::new(patient().with_pong(SHORT), once());
    scene.bring_to(State::Running);
    scene.write("ping", "");
    assert_eq!(scene.unit.ask(Command::Ping), Acknowledgement::TimedOut);
    assert_eq!(scene.state(), State::Running);
}

#[test]
fn changes_are_told() {
    let scene = Scene::new(patient(), once());
    let (sender, receiver) = std::sync::mpsc::channel();
    scene.unit.on_change(|_| panic!("one that fails keeps nobody else from being told"));
    scene.unit.on_change(move |view| _ = sender.send(view.state));
    scene.done(Command::Start);
    scene.done(Command::Halt);
    scene.done(Command::Shutdown);
    let mut states: Vec<_> = receiver.try_iter().collect();
    states.dedup();
    assert_eq!(states, [State::Init, State::Running, State::Halted, State::Stopping, State::Stopped]);
}
