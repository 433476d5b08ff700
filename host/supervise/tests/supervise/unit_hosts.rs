//! Units of hosts that are killed, and of several hosts.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::Duration;

use hookrail_supervise::{Error, Lock, UnitCommand, UnitState as State};

use crate::common::{LONG, Stopped, lives, parent, start_time, state, until};
use crate::scripted::{Scene, once, patient};

const STATES: [State; 7] =
    [State::Stopped, State::Init, State::Running, State::Halted, State::Error, State::Stopping, State::Waiting];

/// Another host: this program again, which runs [`acts_as_a_host`].
struct Host {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Host {
    fn start(directory: &Path, state: State) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "unit_hosts::acts_as_a_host", "--nocapture"]).stdout(Stdio::piped());
        command.env("UNIT_DIRECTORY", directory).env("UNIT_STATE", state.name());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Host { child, lines }
    }

    /// Waits until its unit is where it should be, and returns the process of that.
    fn arrived(&mut self) -> Option<u32> {
        let pid = self.lines.find_map(|line| Some(line.unwrap().strip_prefix("it is there: ")?.to_owned()));
        pid.expect("it gets there").parse().ok()
    }

    fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.kill();
    }
}

#[test]
fn acts_as_a_host() {
    let Some(directory) = std::env::var_os("UNIT_DIRECTORY") else { return };
    let name = std::env::var("UNIT_STATE").unwrap();
    let scene = Scene::within(directory.as_ref(), patient(), once());
    scene.bring_to(*STATES.iter().find(|state| state.name() == name).unwrap());
    println!("\nit is there: {}", scene.unit.view().pid.unwrap_or_default());
    thread::sleep(LONG);
}

#[test]
fn a_host_may_be_killed_in_every_state_of_its_unit_and_the_next_one_starts_it() {
    thread::scope(|scope| {
        for state in STATES {
            scope.spawn(move || {
                let directory = tempfile::tempdir().unwrap();
                let mut host = Host::start(directory.path(), state);
                let pid = host.arrived().filter(|pid| *pid != 0);
                let began = pid.and_then(start_time);
                host.kill();
                // It has the name only when that is free.
                let scene = Scene::within(directory.path(), patient(), once());
                let same = pid.filter(|pid| lives(*pid) && start_time(*pid) == began);
                assert_eq!(same, None, "{state}");
                for file in ["late", "stay"] {
                    let _ = fs::remove_file(scene.directory.join(file));
                }
                scene.done(UnitCommand::Start);
                assert_eq!(scene.state(), State::Running);
            });
        }
    });
}

/// Between the end of a host and that of its unit's process, no other host has the unit.
#[test]
fn a_unit_has_its_name_until_its_process_has_ended() {
    let directory = tempfile::tempdir().unwrap();
    let mut host = Host::start(directory.path(), State::Running);
    let pid = host.arrived().expect("it has a process");
    let stopped = Stopped::new(parent(pid).expect("it lives"));
    host.kill();
    let take = |limit| Lock::take_within(directory.path(), "unit", limit);
    assert!(matches!(take(Duration::from_millis(50)), Err(Error::Held { .. })));
    // It may have ended by itself, since nobody writes to it any more; but it has not been reaped.
    assert!(state(pid).is_some());
    drop(stopped);
    let _lock = take(LONG).unwrap();
    assert_eq!(state(pid), None);
}

/// Several hosts want the same unit all the time, and the one that has it is killed again and again.
#[test]
fn no_two_hosts_ever_run_a_unit_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    // Each process looks whether one of those before it is there.
    let look = "
        for pid in $(cat pids 2>/dev/null); do
            case $(cat /proc/$pid/stat 2>/dev/null) in *') Z'*|'') ;; *) echo $pid and $$ >> twice ;; esac
        done
        echo $$ >> pids
        echo ok $number";
    fs::write(path.join("halt"), look).unwrap();
    let mut hosts: Vec<_> = (0..4).map(|_| Host::start(path, State::Halted)).collect();
    for round in 1..=12 {
        let pids = || fs::read_to_string(path.join("pids")).unwrap_or_default().lines().count();
        until("one has it", || pids() >= round);
        // The lock says who.
        let holder = || fs::read_to_string(path.join("unit.lock")).unwrap_or_default();
        let is_holder = |host: &Host| holder().trim() == host.child.id().to_string();
        let at = hosts.iter().position(is_holder).expect("one of them has it");
        hosts[at].kill();
        hosts[at] = Host::start(path, State::Halted);
    }
    assert_eq!(fs::read_to_string(path.join("twice")).unwrap_or_default(), "");
}
