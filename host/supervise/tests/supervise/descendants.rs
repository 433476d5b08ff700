//! What children leave behind.

use hookrail_supervise::{ExitStatus, Stdio, Supervisor};

use crate::common::{LONG, lines, lives, sh, state};

/// A script that leaves a process of each kind, says their numbers, and goes on with the rest.
fn leaving(rest: &str) -> String {
    let kinds = [
        // In the background, and in the group of the shell.
        "sh -c 'trap \"\" TERM HUP; echo $$; exec sleep 1000' &",
        // In a session of its own.
        "setsid sh -c 'trap \"\" TERM HUP; echo $$; exec sleep 1000' &",
        // Twice removed, as daemons do it.
        "setsid sh -c 'sh -c \"echo \\$\\$; exec sleep 1000\" & exit' &",
        // Stopped.
        "setsid sh -c 'echo $$; kill -STOP $$; exec sleep 1000' &",
    ];
    format!("{}\n{rest}", kinds.join("\n"))
}

fn check(script: &str, end: impl FnOnce(&hookrail_supervise::Process), status: ExitStatus) {
    let supervisor = Supervisor::new().unwrap();
    let spec = sh(&leaving(script)).stdin(Stdio::Pipe).stdout(Stdio::Pipe);
    let process = supervisor.spawn(spec).unwrap();
    let pids: Vec<u32> = lines(&process).take(4).map(|pid| pid.parse().unwrap()).collect();
    assert_eq!(pids.len(), 4);
    end(&process);
    let exit = process.wait(LONG).expect("it ends");
    assert_eq!((exit.status, exit.survivors), (status, 0));
    for pid in pids {
        assert_eq!(state(pid), None, "{pid} is gone, and no zombie");
    }
}

#[test]
fn killing_a_child_kills_all_of_its_descendants() {
    check("read line", |process| process.kill(), ExitStatus::killed(9, false));
}

#[test]
fn the_end_of_a_child_ends_all_of_its_descendants() {
    check("read line; exit 7", |process| drop(process.take_stdin()), ExitStatus::exited(7));
}

#[test]
fn many_generations_end_too() {
    let supervisor = Supervisor::new().unwrap();
    // Each starts the next in a session of its own, and waits for it.
    let body = "echo $$; if [ $N -gt 0 ]; then N=$((N - 1)) setsid -w sh -c \"$BODY\"; else exec sleep 1000; fi";
    let process = supervisor.spawn(sh(body).env("BODY", body).env("N", "30").stdout(Stdio::Pipe)).unwrap();
    let pids: Vec<u32> = lines(&process).take(31).map(|pid| pid.parse().unwrap()).collect();
    process.kill();
    assert_eq!(process.wait(LONG).unwrap().survivors, 0);
    assert!(pids.len() == 31 && !pids.into_iter().any(lives));
}

/// What keeps running away is caught.
#[test]
fn what_forks_again_and_again_is_caught() {
    let supervisor = Supervisor::new().unwrap();
    // Each starts the next in a session of its own, and ends.
    let body = "setsid sh -c \"$BODY\" & echo $$";
    let spec = sh("sh -c \"$BODY\" 2>/dev/null & read line").env("BODY", body);
    let process = supervisor.spawn(spec.stdin(Stdio::Pipe).stdout(Stdio::Pipe)).unwrap();
    let mut lines = lines(&process);
    assert_eq!(lines.by_ref().take(200).count(), 200);
    process.kill();
    assert_eq!(process.wait(LONG).expect("it ends").survivors, 0);
    lines.for_each(drop);
}
