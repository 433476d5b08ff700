//! A check in its own process: what it does there affects no other.

use std::fs;
use std::io::{self, Read};
use std::mem::zeroed;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::answer::{Answer, Status};
use super::check::Check;
use super::child::{ANSWER, DOING};
use super::plan::{One, Plan};
use super::report::Outcome;

/// How much of its output is kept, in bytes.
const KEPT: usize = 64 << 10;

/// Runs a check in the child that `child` makes, and kills what is left of that child's process group.
pub(super) fn run(
    plan: &Plan,
    check: &'static Check,
    directory: &Path,
    child: impl FnOnce(&One) -> io::Result<Command>,
) -> Outcome {
    let began = Instant::now();
    let command = fs::create_dir_all(directory).and_then(|()| child(&plan.one(check)));
    let ended = command.and_then(|command| End::of(command, plan.timeout, directory));
    let read = |name: &str| fs::read_to_string(directory.join(name)).unwrap_or_default();
    let (answer, output) = match ended {
        Ok(end) => (end.answer(plan.timeout, &read(ANSWER)), end.output),
        Err(error) => (failed(format!("its process cannot be started: {error}")), String::new()),
    };
    let doing = read(DOING).trim_end().to_owned();
    Outcome { check, answer, doing, output, took: began.elapsed() }
}

/// How a child ended.
struct End {
    /// `None` if it was killed for taking too long.
    status: Option<std::process::ExitStatus>,
    output: String,
}

impl End {
    fn of(mut command: Command, timeout: Duration, directory: &Path) -> io::Result<Self> {
        let mut child = command
            .current_dir(directory)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()?;
        let streams = [
            child.stdout.take().map(|stream| Box::new(stream) as Box<dyn Read + Send>),
            child.stderr.take().map(|stream| Box::new(stream) as Box<dyn Read + Send>),
        ];
        let kept = Arc::new(Mutex::new(Vec::new()));
        let read: Vec<_> = streams.into_iter().flatten().map(|stream| keep(stream, kept.clone())).collect();
        let in_time = wait(&child).recv_timeout(timeout).is_ok();
        // Its PID is not given to anybody else before it was waited for.
        // SAFETY: the call takes numbers; the group is the child's own, and what it started there.
        unsafe { libc::kill(-(child.id() as libc::pid_t), libc::SIGKILL) };
        let status = child.wait()?;
        for over in read {
            // A process that has left the group may hold the other end forever.
            let _ = over.recv_timeout(Duration::from_secs(1));
        }
        let output = kept.lock().unwrap_or_else(PoisonError::into_inner);
        let output = String::from_utf8_lossy(&output).trim_end().to_owned();
        Ok(End { status: in_time.then_some(status), output })
    }

    fn answer(&self, timeout: Duration, written: &str) -> Answer {
        let answer = serde_json::from_str::<Answer>(written).ok();
        let Some(status) = self.status else {
            let detail = match answer {
                Some(_) => "its process did not end when the check was over".to_owned(),
                None => format!("no answer within {} s: it was killed", timeout.as_secs_f64()),
            };
            return Answer { status: Status::TimedOut, detail };
        };
        Answer::of_ended(answer, status.signal(), status.code(), "process")
    }
}

fn failed(detail: String) -> Answer {
    Answer { status: Status::Failed, detail }
}

/// Signals when the child has ended, without reaping it.
fn wait(child: &Child) -> Receiver<()> {
    let (sender, receiver) = channel();
    let pid = child.id();
    thread::spawn(move || {
        // SAFETY: all zeros is a `siginfo_t`; it is room for one.
        while unsafe { libc::waitid(libc::P_PID, pid, &mut zeroed(), libc::WEXITED | libc::WNOWAIT) } != 0 {
            if io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
                break;
            }
        }
        let _ = sender.send(());
    });
    receiver
}

/// Reads a whole stream and keeps its beginning; signals at its end.
fn keep(mut stream: Box<dyn Read + Send>, kept: Arc<Mutex<Vec<u8>>>) -> Receiver<()> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(read @ 1..) = stream.read(&mut buffer) {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            let room = KEPT - kept.len();
            kept.extend_from_slice(&buffer[..read.min(room)]);
        }
        let _ = sender.send(());
    });
    receiver
}

/// A directory for the checks' own directories, which is removed when this is dropped.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    pub(super) fn new() -> io::Result<Self> {
        let path = std::env::temp_dir().join(format!("hookrail-check-{}", std::process::id()));
        fs::create_dir_all(&path)?;
        Ok(Scratch(path.canonicalize()?))
    }

    pub(super) fn directory(&self, check: &Check) -> PathBuf {
        self.0.join(check.name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed now is in a directory that the system clears.
        let _ = fs::remove_dir_all(&self.0);
    }
}
