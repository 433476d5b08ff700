//! What happens when the host is killed.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio as To};
use std::time::Duration;

use hookrail_supervise::{ExitStatus, Spec, Stdio, Supervisor};

use crate::common::{LONG, lines, lives, sh, start_time, until};

/// Another host: this program again, which runs [`acts_as_a_host`].
struct Host(Child);

impl Host {
    fn start(script: &str, forks: bool) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "host::acts_as_a_host", "--nocapture"]).env("HOST_SCRIPT", script);
        if forks {
            command.env("HOST_FORKS", "");
        }
        Host(command.stdin(To::piped()).stdout(To::piped()).spawn().unwrap())
    }

    /// The processes that it names.
    fn processes(&mut self, count: usize) -> Vec<(u32, String)> {
        let lines = BufReader::new(self.0.stdout.take().unwrap()).lines().map(Result::unwrap);
        let pids = lines.filter_map(|line| line.rsplit_once("it says ")?.1.parse().ok()).take(count);
        let processes: Vec<_> = pids.map(|pid| (pid, start_time(pid).expect("it lives"))).collect();
        assert_eq!(processes.len(), count);
        processes
    }

    fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.kill();
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
    let spec = Spec::new("/bin/sh").args(["-c".into(), script]).env("PATH", "/usr/bin:/bin");
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
    let mut host = Host::start(script, false);
    let processes = host.processes(3);
    host.kill();
    for process in &processes {
        until("it is gone", || is_gone(process));
    }
}

/// What a copy of the host has open does not keep the guardian from noticing that the host is gone.
#[test]
fn a_fork_of_the_host_does_not_keep_its_children_alive() {
    let mut host = Host::start("echo $$; while :; do sleep 1000; done", true);
    let processes = host.processes(3);
    host.kill();
    let [guardian, copy, child] = &processes[..] else { panic!("{processes:?}") };
    until("the guardian is gone", || is_gone(guardian));
    until("the child is gone", || is_gone(child));
    assert!(!is_gone(copy));
    // SAFETY: it is the copy that was started above, and lives.
    unsafe { libc::kill(copy.0.cast_signed(), libc::SIGKILL) };
}

#[test]
fn a_host_may_be_killed_at_any_moment_of_a_start() {
    for round in 1..=20 {
        let mut host = Host::start(&format!("exit {SPAWN_ON}"), false);
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
