//! What happens when the host is killed.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio as To};
use std::time::Duration;

use hookrail_supervise::{Cgroups, Error, ExitStatus, Lock, Spec, Stdio, Supervisor};

use crate::common::{LONG, Stopped, lines, lives, sh, start_time, until};

/// Another host: this program again, which runs [`acts_as_a_host`].
pub(crate) struct Host(Child);

impl Host {
    fn start(script: &str) -> Self {
        Self::with(script, &[])
    }

    pub(crate) fn with(script: &str, environment: &[(&str, &OsStr)]) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "host::acts_as_a_host", "--nocapture"]).env("HOST_SCRIPT", script);
        command.envs(environment.iter().copied());
        Host(command.process_group(0).stdin(To::piped()).stdout(To::piped()).spawn().unwrap())
    }

    /// The processes that it names.
    pub(crate) fn processes(&mut self, count: usize) -> Vec<(u32, String)> {
        let lines = BufReader::new(self.0.stdout.take().unwrap()).lines().map(Result::unwrap);
        let pids = lines.filter_map(|line| line.rsplit_once("it says ")?.1.parse().ok()).take(count);
        let processes: Vec<_> = pids.map(|pid| (pid, start_time(pid).expect("it lives"))).collect();
        assert_eq!(processes.len(), count);
        processes
    }

    pub(crate) fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A copy of a host, which nobody else ends. It is killed when this is dropped.
struct Copied<'a>(&'a (u32, String));

impl Drop for Copied<'_> {
    fn drop(&mut self) {
        if !is_gone(self.0) {
            // SAFETY: it is the process that was started for the test, and lives.
            unsafe { libc::kill(self.0.0.cast_signed(), libc::SIGKILL) };
        }
    }
}

fn is_gone((pid, began): &(u32, String)) -> bool {
    !lives(*pid) || start_time(*pid).as_ref() != Some(began)
}

/// How the first child of a host asks it for more, and more.
const SPAWN_ON: i32 = 123;

#[test]
fn acts_as_a_host() {
    let Some(script) = std::env::var_os("HOST_SCRIPT") else { return };
    let supervisor = Supervisor::new().unwrap();
    let mut spec = Spec::new("/bin/sh").args(["-c".into(), script]).env("PATH", "/usr/bin:/bin");
    let lock = std::env::var_os("HOST_LOCKS").map(|directory| Lock::take(directory.as_ref(), "unit").unwrap());
    if let Some(lock) = &lock {
        spec = spec.hold(lock.share().unwrap());
    }
    if let Some(place) = std::env::var_os("HOST_GROUPS") {
        spec = spec.cgroup(Cgroups::below(place).unwrap().create(&[]).unwrap());
    }
    let process = supervisor.spawn(spec.stdout(Stdio::Pipe)).unwrap();
    println!("\nit says {}", process.guardian());
    if std::env::var_os("HOST_FORKS").is_some() {
        // SAFETY: the copy only makes system calls.
        let copy = unsafe { libc::fork() };
        if copy == 0 {
            // SAFETY: as above; it ends by itself when nobody ends it.
            unsafe {
                libc::alarm(600);
                libc::pause();
                libc::_exit(0)
            }
        }
        println!("it says {copy}");
    }
    for line in lines(&process) {
        println!("it says {line}");
    }
    if process.wait(LONG).expect("it ends").status == ExitStatus::exited(SPAWN_ON) {
        // Until this host is killed.
        loop {
            supervisor.spawn(sh("exec sleep 1000").env("STARTED_BY", std::process::id().to_string())).unwrap();
        }
    }
}

#[test]
fn a_killed_host_leaves_no_process() {
    // One that ignores what it can, a daemon, and the guardian.
    let script = "trap '' TERM HUP INT PIPE; echo $$; \
                  setsid sh -c 'sh -c \"echo \\$\\$; exec sleep 1000\" & exit' & while :; do sleep 1000; done";
    let kill: [fn(&mut Host); 2] = [Host::kill, |host| {
        // SAFETY: it leads its group, and has not been waited for.
        unsafe { libc::kill(-host.0.id().cast_signed(), libc::SIGKILL) };
        host.kill();
    }];
    for kill in kill {
        let mut host = Host::start(script);
        let processes = host.processes(3);
        kill(&mut host);
        for process in &processes {
            until("it is gone", || is_gone(process));
        }
    }
}

/// What a copy of the host has open does not keep the guardian from noticing that the host is gone.
#[test]
fn a_fork_of_the_host_does_not_keep_its_children_alive() {
    let mut host = Host::with("echo $$; while :; do sleep 1000; done", &[("HOST_FORKS", OsStr::new(""))]);
    let processes = host.processes(3);
    let [guardian, copy, child] = &processes[..] else { panic!("{processes:?}") };
    let _copied = Copied(copy);
    host.kill();
    until("the guardian is gone", || is_gone(guardian));
    until("the child is gone", || is_gone(child));
    assert!(!is_gone(copy));
}

/// A name is free when the last process has ended that its holder had started, and not before.
#[test]
fn the_name_of_a_killed_host_is_free_when_its_processes_have_ended() {
    let directory = tempfile::tempdir().unwrap();
    let script = "echo $$; setsid sh -c 'echo $$; exec sleep 1000' & while :; do sleep 1000; done";
    let mut host = Host::with(script, &[("HOST_LOCKS", directory.path().as_os_str())]);
    let processes = host.processes(3);
    let take = |limit| Lock::take_within(directory.path(), "unit", limit);
    let is_held_by_host = |by| by == Some(host.0.id());
    assert!(matches!(take(Duration::ZERO), Err(Error::Held { by, .. }) if is_held_by_host(by)));
    let stopped = Stopped::new(processes[0].0);
    host.kill();
    assert!(matches!(take(Duration::from_millis(50)), Err(Error::Held { .. })));
    assert!(processes.iter().all(|process| !is_gone(process)));
    drop(stopped);
    let lock = take(LONG).unwrap();
    assert!(processes[1..].iter().all(is_gone), "{processes:?}");
    drop(lock);
}

#[test]
fn a_name_ends_with_its_holder() {
    let directory = tempfile::tempdir().unwrap();
    for _ in 0..5 {
        let mut host = Host::with("echo $$; exec sleep 1000", &[("HOST_LOCKS", directory.path().as_os_str())]);
        let [_, child] = &host.processes(2)[..] else { panic!("two are named") };
        assert!(Lock::take(directory.path(), "unit").is_err());
        host.kill();
        let lock = Lock::take_within(directory.path(), "unit", LONG).unwrap();
        assert!(is_gone(child));
        drop(lock);
    }
}

#[test]
fn a_host_may_be_killed_at_any_moment_of_a_start() {
    for round in 1..=20 {
        let mut host = Host::start(&format!("exit {SPAWN_ON}"));
        let mark = format!("STARTED_BY={}", host.0.id());
        until("it starts more", || environments().any(|environment| environment == mark));
        std::thread::sleep(Duration::from_micros(round * 300));
        host.kill();
        until("none is left", || !environments().any(|environment| environment == mark));
    }
}

/// The variables of all processes that can be read.
fn environments() -> impl Iterator<Item = String> {
    let read = |entry: std::io::Result<std::fs::DirEntry>| std::fs::read(entry.ok()?.path().join("environ")).ok();
    let all = std::fs::read_dir("/proc").unwrap().filter_map(read).collect::<Vec<_>>();
    all.into_iter().flat_map(|all| {
        all.split(|byte| *byte == 0).map(|one| String::from_utf8_lossy(one).into_owned()).collect::<Vec<_>>()
    })
}
