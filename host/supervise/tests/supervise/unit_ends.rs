//! Ends that nobody has asked for, and what comes after.

use std::fs;
use std::time::Duration;

use hookrail_supervise::{
    Acknowledgement, Exit, ExitStatus, Lock, Restarts, UnitCommand as Command, UnitState as State, UnitView,
};

use crate::common::{LONG, alone, children, descriptors, lives, until};
use crate::scripted::{Scene, once, patient};

const SHORT: Duration = Duration::from_millis(50);

fn kill(view: &UnitView) {
    let pid = view.pid.expect("it has a process");
    // SAFETY: it is a process of the unit, which ends by this only.
    assert_eq!(unsafe { libc::kill(pid.cast_signed(), libc::SIGKILL) }, 0);
}

fn quickly() -> Restarts {
    Restarts::default().with_first(Duration::from_millis(1)).with_longest(SHORT).with_limit(u32::MAX)
}

#[test]
fn a_unit_that_dies_is_started_again() {
    let scene = Scene::new(patient(), once());
    scene.bring_to(State::Running);
    let before = scene.unit.view();
    kill(&before);
    let view = scene.until("it runs again", |view| view.restarts == 1 && view.state == State::Running);
    assert_ne!(view.pid, before.pid);
    assert_eq!(view.last_exit.map(|exit: Exit| exit.status), Some(ExitStatus::killed(9, false)));
}

#[test]
fn a_halted_unit_that_dies_is_halted_again() {
    let scene = Scene::new(patient(), once());
    scene.bring_to(State::Halted);
    let told = scene.log().len();
    kill(&scene.unit.view());
    scene.until("it is halted again", |view| view.restarts == 1 && view.state == State::Halted);
    let log = scene.log();
    assert!(log[told].starts_with("begin") && log[told + 1..] == ["halt"], "{log:?}");
    // A start of it anew is a start to work.
    scene.done(Command::Restart);
    assert_eq!(scene.state(), State::Running);
}

/// A halted unit that comes back, and would work, is worse than one that is not there.
#[test]
fn one_that_refuses_to_be_halted_again_is_ended() {
    let scene = Scene::new(patient(), once());
    scene.bring_to(State::Halted);
    scene.write("halt", "echo no $number not again");
    kill(&scene.unit.view());
    let view = scene.until("it has ended twice", |view| view.restarts == 2 && view.state == State::Waiting);
    assert_eq!(view.reason.as_deref(), Some("it was to be halted again, and refused: not again"));
    assert_eq!(view.pid, None);
}

#[test]
fn what_is_not_ready_in_time_is_ended() {
    let scene = Scene::new(patient().with_ready(SHORT), once());
    scene.write("late", "");
    assert_eq!(scene.unit.ask(Command::Start), Acknowledgement::TimedOut);
    let view = scene.until("it has ended twice", |view| view.restarts == 2 && view.state == State::Waiting);
    assert_eq!((view.reason.as_deref(), view.pid), (Some("it was not ready within 50ms"), None));
}

#[test]
fn what_does_not_answer_a_ping_is_started_again() {
    let deadlines = patient().with_ping_every(Some(Duration::from_millis(5))).with_pong(Duration::from_millis(500));
    let scene = Scene::new(deadlines, quickly());
    scene.write("ping", "while :; do sleep 1000; done");
    scene.done(Command::Start);
    scene.until("it is started again", |view| view.restarts > 0);
    scene.remove("ping");
    // One of those in between may have read the file before.
    let told = scene.log().len();
    until("one answers", || scene.log()[told..].windows(3).any(|lines| lines == ["ping", "ping", "ping"]));
}

#[test]
fn what_keeps_ending_has_failed_and_can_be_started_again() {
    let scene = Scene::new(patient(), quickly().with_limit(3));
    scene.write("die", "");
    assert_eq!(scene.unit.ask(Command::Start), Acknowledgement::refused("it exited with status 1"));
    let view = scene.until("it has failed", |view| view.state == State::Failed);
    assert_eq!(view.reason.as_deref(), Some("it exited with status 1; it has ended 3 times in a row"));
    assert_eq!(view.restarts, 2);
    scene.remove("die");
    scene.done(Command::Start);
    // The counting has begun anew.
    kill(&scene.unit.view());
    scene.until("it runs again", |view| view.restarts == 3 && view.state == State::Running);
}

#[test]
fn an_answered_ping_is_progress() {
    let scene = Scene::new(patient(), once().with_limit(2));
    scene.bring_to(State::Running);
    for restarts in 1..5 {
        scene.done(Command::Ping);
        kill(&scene.unit.view());
        scene.until("it runs again", |view| view.restarts == restarts && view.state == State::Running);
    }
    kill(&scene.unit.view());
    scene.until("it has failed", |view| view.state == State::Failed);
}

#[test]
fn nothing_of_a_unit_is_left_when_it_is_started_again() {
    let scene = Scene::new(patient(), once());
    scene.write("reload", "setsid sh -c 'sh -c \"echo \\$\\$ > daemon; exec sleep 1000\" & exit'; while [ ! -s daemon ]; do sleep 0.01; done; echo ok $number");
    scene.bring_to(State::Running);
    scene.done(Command::Reload);
    let daemon: u32 = fs::read_to_string(scene.directory.join("daemon")).unwrap().trim().parse().unwrap();
    assert!(lives(daemon));
    // Whether the daemon is there is looked at before anything else is done.
    scene.write("die", &format!("[ ! -e /proc/{daemon} ] || echo twice >> log; exit 1"));
    scene.write("late", "");
    scene.remove("die");
    kill(&scene.unit.view());
    scene.until("it is started again", |view| view.restarts == 1 && view.state == State::Init);
    assert!(!lives(daemon));
}

#[test]
fn dropping_a_unit_ends_it_and_frees_its_name() {
    for state in
        [State::Stopped, State::Init, State::Running, State::Halted, State::Error, State::Stopping, State::Waiting]
    {
        // One that stays is killed when that time is over, and is to be seen to stop before.
        let limit = if state == State::Stopping { Duration::from_secs(30) } else { LONG };
        let scene = Scene::new(patient().with_shutdown(limit), once());
        scene.bring_to(state);
        let pid = scene.unit.view().pid;
        let Scene { unit, directory, owned: _owned, .. } = scene;
        assert!(Lock::take(&directory, "unit").is_err());
        drop(unit);
        assert!(pid.is_none_or(|pid| !lives(pid)), "{state}");
        // Another test may be starting a process at this moment, which begins as a copy of this one.
        Lock::take_within(&directory, "unit", LONG).unwrap_or_else(|error| panic!("{state}: {error}"));
    }
}

#[test]
fn units_leave_no_process_no_descriptor_and_no_thread() {
    if !alone("unit_ends::units_leave_no_process_no_descriptor_and_no_thread") {
        return;
    }
    let threads = || fs::read_dir("/proc/self/task").unwrap().count();
    let before = (descriptors().len(), threads());
    for _ in 0..5 {
        let scene = Scene::new(patient(), quickly());
        scene.bring_to(State::Running);
        kill(&scene.unit.view());
        scene.until("it runs again", |view| view.restarts == 1 && view.state == State::Running);
        scene.done(Command::Restart);
        scene.done(Command::Reload);
    }
    // The threads that read what the processes say end by themselves.
    until("all is as before", || (descriptors().len(), threads()) == before);
    assert_eq!(children(), Vec::<u32>::new());
}
