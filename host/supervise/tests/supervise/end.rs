//! How ends are told, and what is left.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use hookrail_supervise::{ExitStatus, Limit, Stdio, Supervisor};

use crate::common::{LONG, alone, children, descriptors, lines, lives, sh, state, until};

#[test]
fn each_end_is_told_as_it_was() {
    let supervisor = Supervisor::new().unwrap();
    for (script, status, said) in [
        ("exit 0", ExitStatus::exited(0), "exited with status 0"),
        ("exit 3", ExitStatus::exited(3), "exited with status 3"),
        ("kill -SEGV $$", ExitStatus::killed(11, false), "was killed by SIGSEGV (segmentation fault)"),
        ("kill -KILL $$", ExitStatus::killed(9, false), "was killed by SIGKILL"),
    ] {
        let process = supervisor.spawn(sh(script).limit(Limit::Core, 0)).unwrap();
        let exit = process.wait(LONG).expect("it ends");
        assert_eq!((exit.status, exit.to_string()), (status, said.into()), "{script}");
        assert_eq!(process.exit(), Some(exit));
    }
}

#[test]
fn what_a_child_used_is_its_own_and_not_its_hosts() {
    let supervisor = Supervisor::new().unwrap();
    let ballast = vec![1_u8; 200 << 20];
    let script = "i=0; while [ $i -lt 200000 ]; do i=$((i + 1)); done";
    let exit = supervisor.spawn(sh(script)).unwrap().wait(LONG).expect("it ends");
    assert!(exit.user > Duration::ZERO, "{exit:?}");
    assert!((1 << 16..100 << 20).contains(&exit.max_rss_bytes), "{exit:?}");
    drop(ballast);
}

#[test]
fn a_guardian_keeps_none_of_its_hosts_memory() {
    let supervisor = Supervisor::new().unwrap();
    let ballast = vec![1_u8; 200 << 20];
    let process = supervisor.spawn(sh("exec sleep 1000")).unwrap();
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.guardian())).unwrap();
    let size = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()
    };
    println!("a guardian: {} KiB of address space, {} KiB resident", size("VmSize"), size("VmRSS"));
    assert!(size("RssAnon") < 4 << 10, "{status}");
    assert!(status.starts_with("Name:\thookrail-guard\n"), "{status}");
    drop(ballast);
}

#[test]
fn an_end_is_told_to_all_who_asked_on_the_supervisors_thread() {
    let supervisor = Supervisor::new().unwrap();
    let process = supervisor.spawn(sh("read line").stdin(Stdio::Pipe)).unwrap();
    let (sender, receiver) = mpsc::channel();
    process.on_exit(|_| panic!("one that fails keeps nobody else from being told"));
    for number in 0..2 {
        let sender = sender.clone();
        process.on_exit(move |exit| {
            sender.send((number, exit, std::thread::current().name().map(str::to_owned))).unwrap();
        });
    }
    assert_eq!(process.wait(Duration::ZERO), None);
    drop(process.take_stdin());
    for expected in 0..2 {
        let (number, exit, thread) = receiver.recv_timeout(LONG).unwrap();
        assert_eq!((number, exit.status), (expected, ExitStatus::exited(1)));
        assert_eq!(thread.as_deref(), Some("hookrail-units"));
    }
    // Afterwards it is told at once.
    let (sender, receiver) = mpsc::channel();
    process.on_exit(move |exit| sender.send(exit).unwrap());
    assert_eq!(receiver.try_recv().unwrap().status, ExitStatus::exited(1));
}

#[test]
fn an_end_is_told_at_once() {
    let supervisor = Supervisor::new().unwrap();
    let mut times: Vec<_> = (0..50)
        .map(|_| {
            let process = supervisor.spawn(sh("exec sleep 1000")).unwrap();
            let (sender, receiver) = mpsc::channel();
            process.on_exit(move |_| sender.send(Instant::now()).unwrap());
            let killed = Instant::now();
            process.kill();
            receiver.recv_timeout(LONG).unwrap() - killed
        })
        .collect();
    times.sort_unstable();
    println!("from the kill to the function: median {:?}, least {:?}, most {:?}", times[25], times[0], times[49]);
    // However busy this machine is, it is not so each time.
    assert!(times[0] < Duration::from_millis(500));
}

#[test]
fn a_signal_reaches_the_child_and_never_a_stranger() {
    let supervisor = Supervisor::new().unwrap();
    let script = "trap 'echo told' USR1; echo ready; while :; do read line; done";
    let process = supervisor.spawn(sh(script).stdin(Stdio::Pipe).stdout(Stdio::Pipe)).unwrap();
    let _stdin = process.take_stdin();
    let mut lines = lines(&process);
    assert_eq!(lines.next().as_deref(), Some("ready"));
    process.signal(libc::SIGUSR1).unwrap();
    assert_eq!(lines.next().as_deref(), Some("told"));
    assert!(process.signal(0).is_err() && process.signal(4000).is_err());
    process.kill();
    assert_eq!(process.wait(LONG).unwrap().status, ExitStatus::killed(9, false));
    process.signal(libc::SIGKILL).unwrap();
}

#[test]
fn dropping_the_supervisor_leaves_nothing() {
    if !alone("end::dropping_the_supervisor_leaves_nothing") {
        return;
    }
    let before = (descriptors().len(), threads());
    let supervisor = Supervisor::new().unwrap();
    let ignores = "trap '' TERM; echo ready; while :; do sleep 1000; done";
    let obeys = "trap 'exit 5' TERM; echo ready; while :; do sleep 0.01; done";
    let spawn = |script, grace| {
        let spec = sh(script).stdout(Stdio::Pipe);
        let spec = if let Some(grace) = grace { spec.polite(grace) } else { spec };
        let process = supervisor.spawn(spec).unwrap();
        assert_eq!(lines(&process).next().as_deref(), Some("ready"));
        process
    };
    let all = [
        (spawn(ignores, None), ExitStatus::killed(9, false)),
        (spawn(ignores, Some(Duration::from_millis(100))), ExitStatus::killed(9, false)),
        (spawn(obeys, Some(LONG)), ExitStatus::exited(5)),
    ];
    let clone = supervisor.clone();
    drop(supervisor);
    assert_eq!(clone.children(), 3, "one is left");
    drop(clone);
    for (process, status) in all {
        assert_eq!(process.exit().expect("it has ended").status, status);
        assert_eq!(state(process.guardian()), None, "no zombie");
        assert_eq!(state(process.pid()), None, "no zombie");
    }
    assert_eq!(children(), Vec::<u32>::new());
    // A thread that was joined is seen for a moment more.
    until("all is as before", || (descriptors().len(), threads()) == before);
}

fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

#[test]
fn the_last_clone_may_be_dropped_on_the_supervisors_thread() {
    let supervisor = Supervisor::new().unwrap();
    let process = supervisor.spawn(sh("read line").stdin(Stdio::Pipe)).unwrap();
    let other = supervisor.spawn(sh("exec sleep 1000")).unwrap();
    process.on_exit(move |_| drop(supervisor));
    drop(process.take_stdin());
    assert_eq!(other.wait(LONG).expect("it is killed").status, ExitStatus::killed(9, false));
}

/// The program around the host may wait for all of its children, or have the system do so.
#[test]
fn ends_are_told_whatever_the_program_does_with_its_children() {
    if !alone("end::ends_are_told_whatever_the_program_does_with_its_children") {
        return;
    }
    // SAFETY: nothing in this process relies on it.
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
    let supervisor = Supervisor::new().unwrap();
    let process = supervisor.spawn(sh("read line; exit 4").stdin(Stdio::Pipe)).unwrap();
    // SAFETY: it waits for no child in particular.
    assert_eq!(unsafe { libc::waitpid(-1, std::ptr::null_mut(), libc::WNOHANG) }, -1, "it finds none of ours");
    drop(process.take_stdin());
    assert_eq!(process.wait(LONG).unwrap().status, ExitStatus::exited(4));
    assert_eq!(state(process.guardian()), None, "no zombie");
}

#[test]
fn a_killed_guardian_takes_its_child_along() {
    let supervisor = Supervisor::new().unwrap();
    let process = supervisor.spawn(sh("exec sleep 1000")).unwrap();
    // SAFETY: the guardian is a child of this process that has not been waited for.
    assert_eq!(unsafe { libc::kill(process.guardian().cast_signed(), libc::SIGKILL) }, 0);
    assert_eq!(process.wait(LONG).unwrap().status, ExitStatus::Unseen);
    assert!(!lives(process.pid()));
}
