//! Running the program.

pub mod asked;
pub mod console;
pub mod live;
pub mod stocked;
pub mod terminal;
pub mod tiny;
pub mod whole;

use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::{binary, tmp};

/// What has a host wait, on a machine that is busy with something else, for a thread that is in a plugin, and for a
/// plugin's word on how it is: so what a verb answers is how it ended, and not how far it has come by now.
pub const PATIENT: [(&str, &str); 2] = [("HOOKRAIL_UNLOAD__DEADLINE", "2m"), ("HOOKRAIL_HEALTH__DEADLINE", "2m")];

/// The program with these arguments, in a directory without a configuration.
///
/// # Panics
/// Outside the tests of the program's own package: only those are told by cargo where it is.
pub fn hookrail(arguments: &[&str]) -> Command {
    let program = std::env::var_os("CARGO_BIN_EXE_hookrail").expect("cargo runs this test");
    let mut command = Command::new(program);
    command.args(arguments).current_dir(tmp());
    for variable in ["HOOKRAIL_CONFIG", "HOOKRAIL_LOG", "HOOKRAIL_PLUGINS"] {
        command.env_remove(variable);
    }
    command.env("HOOKRAIL_HOME", home());
    // SAFETY: after the fork it only makes system calls that are safe there.
    unsafe { command.pre_exec(begin) };
    command
}

/// What the program begins with, whatever this process was started with: the signals do what they do by default, which
/// a shell's background job does not have; and it ends with the thread that started it, so that a test that fails leaves
/// nothing behind.
fn begin() -> io::Result<()> {
    for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM] {
        // SAFETY: it installs no function.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    // SAFETY: the call touches no memory.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
    Ok(())
}

/// A home for each test, so that none finds the running hosts of another. Its name is short, since a socket's path must
/// be.
pub fn home() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    thread_local! {
        static HOME: PathBuf = {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let home = tmp().join(format!("{}-{number}", binary()));
            // What another run has left would be its state.
            let _ = std::fs::remove_dir_all(&home);
            home
        };
    }
    HOME.with(PathBuf::clone)
}

/// Runs it with an input.
pub fn run(command: &mut Command, input: &[u8]) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("it was asked for");
    std::thread::scope(|scope| {
        // A program that ends early closes its input, which is fine.
        scope.spawn(move || _ = stdin.write_all(input));
        child.wait_with_output().expect("it can be waited for")
    })
}

/// An empty directory for the test.
pub fn directory(test: &str) -> PathBuf {
    let directory = tmp().join(test);
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir_all(&directory).expect("a directory can be made");
    directory
}

/// Output as text.
pub fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("it is text")
}

/// The summary as JSON: the last line of the output.
pub fn summary(output: &Output) -> serde_json::Value {
    let said = text(&output.stderr);
    serde_json::from_str(said.lines().last().unwrap_or_default()).unwrap_or_else(|_| panic!("no summary in: {said}"))
}
