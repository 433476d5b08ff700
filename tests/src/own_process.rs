//! A process for a single test: for a test that counts the process's resources, that changes process-wide state, or
//! that the readers of other tests would disturb.

use std::env;
use std::fs::{File, read_dir, read_to_string};
use std::io::{Read, Seek};
use std::process::{Child, Command};
use std::thread::{current, sleep};
use std::time::{Duration, Instant};

use crate::probe::eventually;

/// Runs the rest of this test in its own process, without other tests. It must be at the beginning of the test, before
/// anything that is counted.
#[macro_export]
macro_rules! alone {
    () => {
        if !$crate::own_process::is_this() {
            return;
        }
    };
}

/// Set in the process of a single test: the name of that test.
const NAME: &str = "HOOKRAIL_TESTS_ALONE";

/// The longest that a test may take, even on a slow machine and under a sanitizer, with what it has cargo build first.
const LONGEST: Duration = Duration::from_secs(1200);

/// Whether this is the process of the current test. If it is not, that process has been started here and has ended
/// successfully.
///
/// # Panics
/// If the test has failed there, or has not ended within twenty minutes.
pub fn is_this() -> bool {
    let name = test();
    if is_of(&name) {
        return true;
    }
    let mut output = tempfile::tempfile().expect("a file can be made");
    let both = || output.try_clone().expect("a descriptor can be copied");
    let mut own = Own::start(&name, both(), both());
    let status = own.wait();
    let printed = read(&mut output);
    print!("{printed}");
    let status = status.unwrap_or_else(|| panic!("{name} did not come to its end in {LONGEST:?}"));
    // A test name that does not exist would end successfully too.
    let ran = printed.contains("test result: ok. 1 passed; 0 failed;");
    assert!(status.success() && ran, "{name}, in a process of its own: {status}");
    false
}

/// For code that is sound only in such a process.
///
/// # Panics
/// If the test has not begun with [`alone!`](crate::alone).
pub fn require() {
    let name = env::var(NAME).unwrap_or_default();
    assert!(!name.is_empty(), "a test of this begins with `alone!()`");
}

/// Waits until each other thread of this process waits for something. For tests that hold the host to unmapping what it
/// refuses: a thread of the host that has been started and did not run yet could be one of the library that is loaded
/// next, and refusing does not wait long for those.
///
/// # Panics
/// If another thread runs on.
pub fn others_wait() {
    // SAFETY: it takes nothing.
    let own = unsafe { libc::gettid() }.to_string();
    eventually("every other thread waits", || {
        let tasks = read_dir("/proc/self/task").expect("the system lists the threads");
        let others = tasks.filter_map(Result::ok).filter(|task| *task.file_name() != *own);
        // Behind the name stands the state; there is none of a thread that has ended.
        let stats = others.filter_map(|task| read_to_string(task.path().join("stat")).ok());
        let states: Vec<_> = stats.filter_map(|stat| stat.rsplit_once(") ")?.1.chars().next()).collect();
        !states.contains(&'R')
    });
}

fn is_of(name: &str) -> bool {
    env::var_os(NAME).is_some_and(|own| own == *name)
}

/// The current test, after which its thread is named.
fn test() -> String {
    let thread = current();
    let name = thread.name().filter(|name| *name != "main");
    name.expect("`alone!()` stands in a test, on the thread on which that begins").to_owned()
}

/// Such a process. It is killed when this is dropped, unless it has ended.
struct Own(Child);

impl Own {
    fn start(name: &str, stdout: File, stderr: File) -> Self {
        let mut command = Command::new(env::current_exe().expect("the system says what runs"));
        command.args(["--exact", name, "--nocapture", "--test-threads=1"]).env(NAME, name);
        Own(command.stdout(stdout).stderr(stderr).spawn().expect("what runs can be started again"))
    }

    /// How it ended, if it did in time.
    fn wait(&mut self) -> Option<std::process::ExitStatus> {
        let deadline = Instant::now() + LONGEST;
        while Instant::now() < deadline {
            if let Some(status) = self.0.try_wait().expect("it is our child") {
                return Some(status);
            }
            sleep(Duration::from_millis(2));
        }
        let _ = self.0.kill();
        None
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn read(output: &mut File) -> String {
    let mut printed = Vec::new();
    output.rewind().and_then(|()| output.read_to_end(&mut printed)).expect("a file can be read");
    String::from_utf8_lossy(&printed).into_owned()
}
