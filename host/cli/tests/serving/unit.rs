//! The unit for systemd that a release contains: what it says is what the program does, and the program runs under what it
//! allows.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use hookrail_tests::cli::live::Live;
use hookrail_tests::{has_peer, plugin, root};

use crate::scenes::{Place, Supervisor, signal};

/// As it is, with its directories in that of a test.
struct Unit {
    text: String,
    place: Place,
}

impl Unit {
    fn new(test: &str) -> Self {
        _ = ["tail", "mask", "file-log"].map(plugin);
        let place = Place::new(test, CONFIG);
        fs::create_dir_all(place.path("logs")).unwrap();
        let text = fs::read_to_string(root().join("host/cli/systemd/hookrail.service")).unwrap();
        Unit { text, place }
    }

    /// The values of a key.
    fn all(&self, key: &str) -> Vec<&str> {
        self.text.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('=')).collect()
    }

    #[track_caller]
    fn one(&self, key: &str) -> &str {
        let all = self.all(key);
        assert_eq!(all.len(), 1, "{key}: {all:?}");
        all[0]
    }

    /// What it starts.
    fn command(&self) -> Command {
        let words: Vec<_> = self.one("ExecStart").split(' ').collect();
        assert_eq!(words[0], "/opt/hookrail/hookrail");
        let (config, home) = (self.place.directory.to_str().unwrap(), hookrail_tests::cli::home());
        let home = home.to_str().unwrap();
        let here = |word: &&str| word.replace("/etc/hookrail", config).replace("/var/lib/hookrail", home);
        let arguments: Vec<_> = words[1..].iter().map(here).collect();
        self.place.command(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    }
}

/// With a worker, a queue on disk, and files.
const CONFIG: &str = r#"
[plugins.mask]
isolation = "worker"
worker.deadline = "2m"
[plugins.mask.config]
patterns = ["secret[0-9]+"]
[pipelines.logs.sources.files]
use = "tail"
config = { paths = ["DIR/logs/*.log"], start_at = "beginning", poll_every = "20ms" }
[pipelines.logs.sinks.all]
use = "file-log"
config = { path = "DIR/out.txt" }
queue = { policy = "spill" }
"#;

#[test]
fn the_program_starts_reloads_watches_and_ends_as_the_unit_says() {
    let unit = Unit::new("unit");
    assert_eq!((unit.one("Type"), unit.one("NotifyAccess")), ("notify", "main"));
    let supervisor = Supervisor::new("unit");
    let watchdog: u64 = unit.one("WatchdogSec").parse().unwrap();
    let mut command = unit.command();
    // In the time of the test, as many signs of life as in that of the unit.
    command.env("NOTIFY_SOCKET", &supervisor.socket).env("WATCHDOG_USEC", (watchdog * 1000).to_string());
    let serving = Live::start(&mut command);
    assert_eq!([supervisor.told(), supervisor.told()], ["READY=1", "WATCHDOG=1"]);
    assert_eq!(unit.one("ExecReload"), "/bin/kill -HUP $MAINPID");
    signal(serving.id(), libc::SIGHUP);
    serving.said.wait_for("the configuration was read again");
    // systemd ends it by SIGTERM, and at first the host alone.
    assert_eq!((unit.all("KillSignal"), unit.one("KillMode")), (vec![], "mixed"));
    let patience: u64 = unit.one("TimeoutStopSec").parse().unwrap();
    assert!(patience > 10, "longer than what --drain is by default");
    supervisor.hears_it_end(&serving, libc::SIGTERM);
    assert_eq!(serving.end().0, Some(0));
}

#[test]
fn systemd_understands_each_key() {
    if !has_peer("systemd-analyze", "systemd") {
        return;
    }
    let unit = Unit::new("unit-verify");
    let file = unit.place.path("hookrail.service");
    let program = std::env::var("CARGO_BIN_EXE_hookrail").unwrap();
    fs::write(&file, unit.text.replace("/opt/hookrail/hookrail", &program)).unwrap();
    let output = Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&file).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    // It looks at other units of the machine, too.
    assert!(output.status.success() && !said.contains("hookrail.service:"), "{said}");
}

#[test]
fn the_program_its_workers_and_its_queues_run_under_what_the_unit_allows() {
    let header = PathBuf::from("/usr/include/x86_64-linux-gnu/asm/unistd_64.h");
    if !has_peer("systemd-analyze", "systemd") {
        return;
    }
    let Ok(header) = fs::read_to_string(header) else {
        println!("skipped: needs the numbers of the system calls of x86_64 (apt install linux-libc-dev)");
        return;
    };
    let unit = Unit::new("unit-allowed");
    assert_eq!(unit.one("SystemCallErrorNumber"), "EPERM");
    assert_eq!((unit.one("MemoryDenyWriteExecute"), unit.one("NoNewPrivileges")), ("yes", "yes"));
    let mut names = BTreeSet::new();
    // What each filter allows beside it.
    allowed("@default", &mut names);
    unit.one("SystemCallFilter").split(' ').for_each(|set| allowed(set, &mut names));
    let numbers: Vec<_> = header.lines().filter_map(|line| number_of(line, &names)).collect();
    assert!(numbers.len() > 200 && names.contains("membarrier"), "{names:?}");
    let filter = filter(&numbers);
    let mut command = unit.command();
    // SAFETY: after the fork it only makes system calls.
    unsafe { command.pre_exec(move || confine(&filter)) };
    let place = &unit.place;
    place.append("logs/app.log", "one secret1\n");
    let serving = Live::start(&mut command);
    place.wait_for_lines("out.txt", 1);
    assert_eq!(place.lines("out.txt"), ["one ***"]);
    let status = fs::read_to_string(format!("/proc/{}/status", serving.id())).unwrap();
    assert!(status.contains("Seccomp:\t2") && status.contains("NoNewPrivs:\t1"), "it is confined: {status}");
    let shown = place.ask(&["plugin", "show", "mask", "--json"]);
    assert!(shown.contains("worker"), "{shown}");
    place.configure(&CONFIG.replace("secret", "hidden"));
    signal(serving.id(), libc::SIGHUP);
    serving.said.wait_for("mask has another configuration");
    place.append("logs/app.log", "two hidden2\n");
    place.wait_for_lines("out.txt", 2);
    signal(serving.id(), libc::SIGTERM);
    let (code, _, said) = serving.end();
    assert_eq!(code, Some(0), "{said:?}");
    assert_eq!(place.lines("out.txt"), ["one ***", "two ***"]);
}

/// The system calls of a set of systemd's, and of the sets in it.
fn allowed(set: &str, names: &mut BTreeSet<String>) {
    let output = Command::new("systemd-analyze").args(["syscall-filter", set]).output().unwrap();
    for line in String::from_utf8(output.stdout).unwrap().lines().skip(1).map(str::trim) {
        match line {
            inner if inner.starts_with('@') => allowed(inner, names),
            name if name.starts_with('#') || name.is_empty() => {}
            name => _ = names.insert(name.into()),
        }
    }
}

/// The number in a line of the header, if it is that of one of these calls.
fn number_of(line: &str, names: &BTreeSet<String>) -> Option<u32> {
    let (name, number) = line.strip_prefix("#define __NR_")?.split_once(' ')?;
    if names.contains(name) { number.trim().parse().ok() } else { None }
}

/// A filter that allows these, and answers EPERM to all others.
fn filter(numbers: &[u32]) -> Vec<libc::sock_filter> {
    let statement = |code: u32, jf, k| libc::sock_filter { code: code as u16, jt: 0, jf, k };
    // The number of a call is the first word of what a filter is shown.
    let mut filter = vec![statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0)];
    for number in numbers {
        filter.push(statement(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 1, *number));
        filter.push(statement(libc::BPF_RET | libc::BPF_K, 0, libc::SECCOMP_RET_ALLOW));
    }
    filter.push(statement(libc::BPF_RET | libc::BPF_K, 0, libc::SECCOMP_RET_ERRNO | libc::EPERM as u32));
    filter
}

/// Confines this process as the unit does: its system calls, and no memory that was written is executed.
fn confine(filter: &[libc::sock_filter]) -> io::Result<()> {
    const SET_MDWE: libc::c_int = 65;
    let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_ptr().cast_mut() };
    // SAFETY: the calls take numbers, and a program that is there until they return.
    unsafe {
        // Linux has it since 6.3; before, systemd uses a filter for that.
        libc::prctl(SET_MDWE, 1, 0, 0, 0);
        let is_confined = libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
            && libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &program) == 0;
        if is_confined { Ok(()) } else { Err(io::Error::last_os_error()) }
    }
}
