//! What the tests share. Nothing here waits for luck: each wait is for an event, with a bound of minutes.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use hookrail_supervise::{Process, Spec, Stdio, Supervisor};

/// The bound of every wait.
pub(crate) const LONG: Duration = Duration::from_secs(180);

/// A shell that runs a script.
pub(crate) fn sh(script: &str) -> Spec {
    Spec::new("/bin/sh").args(["-c", script]).env("PATH", "/usr/bin:/bin")
}

/// A script's output, its status being 0.
pub(crate) fn output(supervisor: &Supervisor, spec: Spec) -> String {
    let process = supervisor.spawn(spec.stdout(Stdio::Pipe)).unwrap();
    let mut output = String::new();
    fs::File::from(process.take_stdout().unwrap()).read_to_string(&mut output).unwrap();
    let exit = process.wait(LONG).expect("it ends");
    assert!(exit.is_success(), "{exit}: {output}");
    output
}

/// The lines that a child has written to its stdout, as it writes them.
pub(crate) fn lines(process: &Process) -> impl Iterator<Item = String> + use<> {
    BufReader::new(fs::File::from(process.take_stdout().expect("it is a pipe"))).lines().map(Result::unwrap)
}

/// Waits until something holds.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < LONG, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Whether this process runs this test alone; if not, one that does has done so. Other tests start processes meanwhile.
pub(crate) fn alone(test: &str) -> bool {
    if std::env::var_os("ALONE").is_some() {
        return true;
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    let output = command.args(["--exact", test, "--nocapture"]).env("ALONE", "").output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
    false
}

/// The state letter of a process, if there is one of that number.
pub(crate) fn state(pid: u32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

/// Whether there is such a process that is not dead already.
pub(crate) fn lives(pid: u32) -> bool {
    !matches!(state(pid), None | Some('Z' | 'X'))
}

/// A guardian that does not get to run. A signal would not do: the system lets those go on that are stopped when the
/// last process ends which could.
pub(crate) struct Stopped(u32);

impl Stopped {
    pub(crate) fn new(guardian: u32) -> Self {
        let stopped = Stopped(guardian);
        stopped.trace(libc::PTRACE_SEIZE);
        stopped.trace(libc::PTRACE_INTERRUPT);
        // SAFETY: it writes no status.
        unsafe { libc::waitpid(guardian.cast_signed(), std::ptr::null_mut(), libc::__WALL) };
        assert_eq!(state(guardian), Some('t'));
        stopped
    }

    fn trace(&self, request: libc::c_uint) {
        let none = std::ptr::null_mut::<libc::c_void>();
        // SAFETY: the requests touch no memory.
        let traced = unsafe { libc::ptrace(request, self.0.cast_signed(), none, none) };
        assert_eq!(traced, 0, "{}", std::io::Error::last_os_error());
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        self.trace(libc::PTRACE_DETACH);
    }
}

/// The parent of a process.
pub(crate) fn parent(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
}

/// How a process began, so that another one of its number is not taken for it.
pub(crate) fn start_time(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.split(' ').nth(19).map(str::to_owned)
}

/// The descriptors of this process.
pub(crate) fn descriptors() -> Vec<PathBuf> {
    let read = |entry: std::io::Result<fs::DirEntry>| fs::read_link(entry.unwrap().path()).ok();
    fs::read_dir("/proc/self/fd").unwrap().filter_map(read).collect()
}

/// The children of this process, zombies too.
pub(crate) fn children() -> Vec<u32> {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let of = |task: &Path| fs::read_to_string(task.join("children")).unwrap_or_default();
    tasks
        .flat_map(|task| {
            of(&task.unwrap().path()).split_whitespace().map(|pid| pid.parse().unwrap()).collect::<Vec<_>>()
        })
        .collect()
}
