//! What a child begins with.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};

use hookrail_supervise::{Group, Limit, Spec, Stdio, Supervisor};

use crate::common::{LONG, lines, output, sh};

#[test]
fn a_child_has_its_arguments_environment_and_directory_and_nothing_else() {
    let supervisor = Supervisor::new().unwrap();
    let spec = Spec::new("/usr/bin/env").env("A", "1").env("B", "x y").env("A", "2");
    assert_eq!(output(&supervisor, spec), "B=x y\nA=2\n");
    let spec = Spec::new("/bin/sh").args(["-c", "echo $0 $1; pwd -P", "zero", "one"]).dir("/usr/bin");
    assert_eq!(output(&supervisor, spec), "zero one\n/usr/bin\n");
    let name = output(&supervisor, Spec::new("/bin/cat").arg0("named").args(["/proc/self/cmdline"]));
    assert_eq!(name, "named\0/proc/self/cmdline\0");
}

#[test]
fn a_child_has_the_descriptors_that_it_was_given_and_no_other() {
    let supervisor = Supervisor::new().unwrap();
    // One that is not closed on exec, as other libraries leave them.
    let leaked = File::open("/dev/zero").unwrap();
    // SAFETY: it changes a flag of this descriptor.
    assert_eq!(unsafe { libc::fcntl(leaked.as_raw_fd(), libc::F_SETFD, 0) }, 0);
    let open = |path: &str| OwnedFd::from(File::open(path).unwrap());
    let spec = sh("exec ls -l /proc/self/fd").stdin(Stdio::Fd(open("/dev/null")));
    let spec = spec.descriptor(open("/etc"), 9).descriptor(open("/usr"), 3).stderr(Stdio::Null);
    let said = output(&supervisor, spec);
    let mut found: Vec<_> = said.lines().filter_map(|line| line.split_once(" -> ")).collect();
    // The one with which it reads the directory.
    found.retain(|(_, target)| !target.starts_with("/proc/"));
    let found: Vec<_> = found.iter().map(|(name, target)| (name.rsplit(' ').next().unwrap(), *target)).collect();
    let pipe = found.iter().find(|(name, _)| *name == "1").unwrap().1;
    let expected = [("0", "/dev/null"), ("1", pipe), ("2", "/dev/null"), ("3", "/usr"), ("9", "/etc")];
    assert!(pipe.starts_with("pipe:") && found == expected, "{said}");
}

#[test]
fn descriptors_may_change_places() {
    let supervisor = Supervisor::new().unwrap();
    let files = ["/etc", "/usr"].map(|path| OwnedFd::from(File::open(path).unwrap()));
    let [a, b] = files.each_ref().map(AsRawFd::as_raw_fd);
    let [first, second] = files;
    let spec = sh(&format!("readlink /proc/self/fd/{a}; readlink /proc/self/fd/{b}"));
    let said = output(&supervisor, spec.descriptor(first, b).descriptor(second, a));
    assert_eq!(said, "/usr\n/etc\n");
}

#[test]
fn pipes_lead_to_the_child_and_back() {
    let supervisor = Supervisor::new().unwrap();
    let spec = sh("cat; echo done >&2").stdin(Stdio::Pipe).stdout(Stdio::Pipe).stderr(Stdio::Pipe);
    let process = supervisor.spawn(spec).unwrap();
    File::from(process.take_stdin().unwrap()).write_all(b"through\n").unwrap();
    assert!(process.take_stdin().is_none(), "once");
    assert_eq!(lines(&process).collect::<Vec<_>>(), ["through"]);
    let mut said = String::new();
    File::from(process.take_stderr().unwrap()).read_to_string(&mut said).unwrap();
    assert_eq!(said, "done\n");
    assert!(process.wait(LONG).unwrap().is_success());
}

#[test]
fn a_program_runs_from_its_descriptor() {
    let supervisor = Supervisor::new().unwrap();
    let program = OwnedFd::from(File::open("/bin/echo").unwrap());
    assert_eq!(output(&supervisor, Spec::new(program).arg0("echo").args(["from", "there"])), "from there\n");
}

#[test]
fn a_child_leads_a_group_or_a_session() {
    let supervisor = Supervisor::new().unwrap();
    // Own number, parent, group, session.
    let script = "read pid name state parent group session rest < /proc/$$/stat; echo $pid $group $session";
    for (group, is_session) in [(Group::Own, false), (Group::Session, true)] {
        let said = output(&supervisor, sh(script).group(group));
        let [pid, group, session] = said.split_whitespace().collect::<Vec<_>>()[..] else { panic!("{said}") };
        assert_eq!((pid == group, pid == session), (true, is_session), "{said}");
    }
}

#[test]
fn a_child_is_limited() {
    let supervisor = Supervisor::new().unwrap();
    let spec = sh("ulimit -Hn; ulimit -n; ulimit -c; ulimit -v; ulimit -t; cat /proc/self/limits");
    let spec = spec.limit(Limit::Files, 30).limit(Limit::Core, 0).limit(Limit::AddressSpace, 1 << 30);
    let said = output(&supervisor, spec.limit(Limit::Cpu, 77).limit(Limit::Processes, 5000));
    let numbers: Vec<_> = said.lines().take(5).collect();
    assert_eq!(numbers, ["30", "30", "0", "1048576", "77"]);
    assert!(said.lines().any(|line| line.starts_with("Max processes") && line.contains(" 5000 ")), "{said}");
}

#[test]
fn a_child_gains_no_privileges_unless_it_may() {
    let supervisor = Supervisor::new().unwrap();
    let script = "grep NoNewPrivs /proc/self/status";
    assert_eq!(output(&supervisor, sh(script)), "NoNewPrivs:\t1\n");
    assert_eq!(output(&supervisor, sh(script).may_gain_privileges()), "NoNewPrivs:\t0\n");
}

#[test]
fn signals_are_as_in_a_fresh_process() {
    // SAFETY: nothing in this process relies on it.
    unsafe { libc::signal(libc::SIGUSR2, libc::SIG_IGN) };
    let supervisor = Supervisor::new().unwrap();
    let said = output(&supervisor, Spec::new("/bin/grep").args(["^Sig[BI]", "/proc/self/status"]));
    assert_eq!(said, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

#[test]
fn what_cannot_be_started_is_told_and_leaves_nothing() {
    let supervisor = Supervisor::new().unwrap();
    let check = |spec: Spec, said: &str| {
        let error = supervisor.spawn(spec).unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
        assert_eq!(error.code(), "HR0501");
    };
    check(Spec::new("/no/such/program"), "cannot execute /no/such/program: No such file");
    check(Spec::new("/etc"), "cannot execute /etc: Permission denied");
    check(sh("").dir("/no/such"), "cannot enter the directory of /bin/sh: No such file");
    check(sh("").descriptor(File::open("/").unwrap().into(), 1 << 30), "cannot pass its descriptors to /bin/sh: ");
    check(Spec::new("/bin/a\0b"), "cannot create a process for");
    check(sh("").env("A=B", ""), "the name of a variable");
    assert_eq!(supervisor.children(), 0);
}
