//! What `doctor` finds on this machine, and on one that lacks something.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::process::Command;

use hookrail_tests::cli::live::Live;
use hookrail_tests::cli::{directory, home, hookrail, text};
use hookrail_tests::plugin;
use hookrail_tests::probe::eventually;
use serde_json::Value;

/// Its exit code, and what it has found: state, found and fix, by `GROUP/NAME`.
fn found(command: &mut Command) -> (i32, Vec<(String, String, String, String)>) {
    let output = command.arg("--json").output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output.stderr)));
    let findings = report["findings"].as_array().unwrap();
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    let row = |finding: &Value| {
        let name = format!("{}/{}", text(finding, "group"), text(finding, "name"));
        (name, text(finding, "state"), text(finding, "found"), text(finding, "fix"))
    };
    let findings: Vec<_> = findings.iter().map(row).collect();
    for state in ["failure", "warning"] {
        let count = findings.iter().filter(|finding| finding.1 == state).count();
        assert_eq!(report[format!("{state}s")], count, "{findings:?}");
    }
    (output.status.code().unwrap(), findings)
}

fn doctor() -> Command {
    let mut command = hookrail(&["doctor"]);
    command.env("HOOKRAIL_PLUGINS", plugin("mask").parent().unwrap());
    command
}

/// The first finding of that name.
#[track_caller]
fn one<'a>(findings: &'a [(String, String, String, String)], name: &str) -> (&'a str, &'a str, &'a str) {
    let found = findings.iter().find(|finding| finding.0 == name);
    let (_, state, found, fix) = found.unwrap_or_else(|| panic!("{name} is not in {findings:?}"));
    (state, found, fix)
}

#[test]
fn a_machine_that_runs_these_tests_has_what_hosts_need() {
    let (code, findings) = found(&mut doctor());
    assert_eq!(code, 0, "{findings:?}");
    for name in ["kernel/membarrier", "kernel/executable memory files", "kernel/pidfd", "kernel//proc", "kernel/clock"]
    {
        assert_eq!(one(&findings, name).0, "ok", "{name}");
    }
    for name in
        ["kernel/Landlock", "kernel/seccomp", "kernel/cgroup", "limits/nofile", "limits/nproc", "limits/threads"]
    {
        one(&findings, name);
    }
    let output = doctor().output().unwrap();
    let shown = text(&output.stdout);
    assert!(shown.contains("ok       membarrier") && shown.contains("0 failures"), "{shown}");
}

#[test]
fn a_home_that_others_can_write_to_or_that_cannot_be_is_a_failure() {
    let home = directory("doctor-home");
    let of = |home: &str| found(doctor().args(["--home", home]));
    fs::set_permissions(&home, PermissionsExt::from_mode(0o770)).unwrap();
    let (code, findings) = of(home.to_str().unwrap());
    let (state, found, fix) = one(&findings, "home/directory");
    assert_eq!((code, state), (1, "failure"), "{found}");
    assert!(found.contains("mode 770: other users can write there"), "{found}");
    assert_eq!(fix, format!("`chmod go-w {}`", home.display()));
    fs::set_permissions(&home, PermissionsExt::from_mode(0o750)).unwrap();
    assert_eq!(of(home.to_str().unwrap()).0, 0);
    let file = home.join("file");
    fs::write(&file, "").unwrap();
    let (code, findings) = of(file.to_str().unwrap());
    assert_eq!((code, one(&findings, "home/directory").0), (1, "failure"));
    let (code, findings) = of(home.join("not/there").to_str().unwrap());
    assert_eq!((code, one(&findings, "home/directory").0), (0, "note"));
    assert!(!home.join("not").exists(), "it only looks");
}

#[test]
fn too_few_descriptors_and_missing_or_open_directories_of_plugins_are_named_with_the_way_out() {
    let open = directory("doctor-plugins");
    fs::set_permissions(&open, PermissionsExt::from_mode(0o777)).unwrap();
    let mut command = doctor();
    command.env("HOOKRAIL_PLUGINS", format!("/nowhere:{}", open.display()));
    // SAFETY: after the fork it only makes a system call.
    unsafe { command.pre_exec(few_files) };
    let (code, findings) = found(&mut command);
    assert_eq!(code, 1);
    let (state, found, fix) = one(&findings, "limits/nofile");
    assert!(state == "warning" && found.starts_with("100 open files") && fix.contains("`ulimit -n "), "{found}: {fix}");
    let of =
        |said: &str| findings.iter().find(|(name, _, found, _)| name == "plugins/directory" && found.contains(said));
    assert_eq!(of("/nowhere").unwrap().1, "warning");
    let (_, state, _, fix) = of("all users can write there").unwrap();
    assert!(state == "failure" && fix.contains("chmod o-w"), "{fix}");
}

fn few_files() -> std::io::Result<()> {
    let few = libc::rlimit { rlim_cur: 100, rlim_max: 100 };
    // SAFETY: the call reads the structure alone.
    if unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &few) } == 0 {
        Ok(())
    } else {
        Err(std::io::Error::last_os_error())
    }
}

#[test]
fn a_configuration_with_mistakes_is_a_failure() {
    let directory = directory("doctor-config");
    fs::write(directory.join("hookrail.toml"), "lmits = 1\nhme = 2\n").unwrap();
    let (code, findings) = found(doctor().current_dir(&directory));
    let (state, found, fix) = one(&findings, "plugins/configuration");
    assert_eq!((code, state, found), (1, "failure", "hookrail.toml has 2 mistakes"));
    assert!(fix.contains("hookrail config check"), "{fix}");
}

#[test]
fn hosts_that_run_are_named_and_what_dead_ones_have_left_is_removed() {
    let live = Live::start(&mut hookrail(&["run"]));
    let socket = home().join("run").join(format!("{}.sock", live.id()));
    eventually("it listens", || UnixStream::connect(&socket).is_ok());
    let stale = home().join("run/999999999.sock");
    let (mut code, mut findings) = (0, Vec::new());
    eventually("it answers within the three seconds that it has", || {
        drop(UnixListener::bind(&stale).unwrap());
        (code, findings) = found(&mut doctor());
        one(&findings, "home/hosts").0 == "note"
    });
    let (_, found, _) = one(&findings, "home/hosts");
    assert_eq!(code, 0, "{findings:?}");
    assert!(found.starts_with(&format!("runs and answers: {} ", live.id())), "{found}");
    assert_eq!(one(&findings, "home/sockets").1, "1 of hosts that are gone; 1 were removed");
    assert!(!stale.exists());
    // One that is there, and does nothing.
    live.stop();
    let (code, findings) = self::found(&mut doctor());
    let (state, found, fix) = one(&findings, "home/hosts");
    assert!(code == 1 && state == "failure" && found.contains("does not answer"), "{found}");
    assert!(fix.contains(&format!("kill {}", live.id())), "{fix}");
}
