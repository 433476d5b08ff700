//! A running `hookrail`, with lines sent through it and its output read.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{JoinHandle, spawn};
use std::time::{Duration, Instant};

use crate::probe::{LONG, eventually};

/// The running program, which is killed when this is dropped.
pub struct Live {
    child: Child,
    stdin: Option<ChildStdin>,
    /// Its stdout, line by line.
    pub out: Heard,
    /// Its stderr, line by line.
    pub said: Heard,
}

/// The lines received so far.
#[derive(Clone)]
pub struct Heard(Arc<(Mutex<Lines>, Condvar)>);

#[derive(Default)]
struct Lines {
    lines: Vec<String>,
    over: bool,
}

impl Live {
    /// Starts it, with its input and its outputs connected here.
    pub fn start(command: &mut Command) -> Self {
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (out, said) = (Heard::of(child.stdout.take().unwrap()), Heard::of(child.stderr.take().unwrap()));
        Live { stdin: child.stdin.take(), child, out, said }
    }

    /// Its PID.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Stops it, as `kill -STOP` does; none of its threads runs any more when this returns.
    ///
    /// # Panics
    /// If that takes minutes.
    pub fn stop(&self) {
        // SAFETY: our own child, which has not been waited for.
        unsafe { libc::kill(self.child.id() as i32, libc::SIGSTOP) };
        eventually("it is stopped", || is_stopped(self.child.id()));
    }

    /// Sends one line, and returns the line that comes out for it.
    pub fn through(&mut self, line: &str) -> String {
        let before = self.out.count();
        self.send(line);
        self.out.line(before)
    }

    /// Sends one line.
    pub fn send(&mut self, line: &str) {
        self.stdin.as_mut().unwrap().write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    /// Whether a line that `screen` denies is denied; the next one comes through in any case.
    pub fn screens(&mut self) -> bool {
        let before = self.out.count();
        self.send("confidential");
        self.send("end");
        let first = self.out.line(before);
        let is_screened = first == "end";
        if !is_screened {
            assert_eq!((&*first, &*self.out.line(before + 1)), ("confidential", "end"));
        }
        is_screened
    }

    /// Sends numbers without pause, until the returned value is ended.
    pub fn flood(&mut self) -> Flood {
        let mut stdin = self.stdin.take().unwrap();
        let over = Arc::new(AtomicBool::new(false));
        let is_over = over.clone();
        let sending = spawn(move || {
            let mut sent = 0;
            while !is_over.load(Ordering::SeqCst) {
                let lines: String = (sent..sent + 100).map(|number| format!("{number}\n")).collect();
                stdin.write_all(lines.as_bytes()).unwrap();
                sent += 100;
            }
            sent
        });
        Flood { over, sending }
    }

    /// Interrupts it, as Ctrl-C does.
    pub fn interrupt(&self) {
        // SAFETY: our own child, which has not been waited for.
        unsafe { libc::kill(self.child.id() as i32, libc::SIGINT) };
    }

    /// Closes its input, waits until it has ended, and returns its exit code and its remaining output.
    ///
    /// # Panics
    /// If it does not end. It has longer than for anything else, since it may wait for minutes itself.
    pub fn end(mut self) -> (Option<i32>, Vec<String>, Vec<String>) {
        drop(self.stdin.take());
        let deadline = Instant::now() + LONG * 5;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "it does not end; what it said: {:#?}", self.said.so_far());
            std::thread::sleep(Duration::from_millis(1));
        };
        (status.code(), self.out.all(), self.said.all())
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether no thread of a process runs: each of them is stopped when it would run next, and not when the signal is sent.
pub fn is_stopped(process: u32) -> bool {
    let tasks = std::fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let states = tasks.map(|task| std::fs::read_to_string(task.path().join("stat")).unwrap_or_default());
    let states: Vec<_> = states.filter_map(|stat| Some(stat.rsplit_once(") ")?.1.starts_with('T'))).collect();
    !states.is_empty() && states.into_iter().all(|is_stopped| is_stopped)
}

/// A thread that sends numbers.
pub struct Flood {
    over: Arc<AtomicBool>,
    sending: JoinHandle<u64>,
}

impl Flood {
    /// Closes the input; returns how many numbers were sent, starting at 0.
    pub fn end(self) -> u64 {
        self.over.store(true, Ordering::SeqCst);
        self.sending.join().unwrap()
    }
}

impl Heard {
    fn of(from: impl Read + Send + 'static) -> Self {
        let heard = Heard(Arc::default());
        let to = heard.clone();
        spawn(move || {
            for line in BufReader::new(from).lines() {
                to.0.0.lock().unwrap().lines.push(line.unwrap());
                to.0.1.notify_all();
            }
            to.0.0.lock().unwrap().over = true;
            to.0.1.notify_all();
        });
        heard
    }

    /// The number of lines received so far.
    pub fn count(&self) -> usize {
        self.0.0.lock().unwrap().lines.len()
    }

    /// Waits for the line with that number.
    pub fn line(&self, number: usize) -> String {
        self.until(|lines| lines.get(number).cloned())
    }

    /// Waits for a line that contains `part`, and returns it.
    pub fn wait_for(&self, part: &str) -> String {
        self.until(|lines| lines.iter().find(|line| line.contains(part)).cloned())
    }

    /// Repeats an action until a line is received.
    pub fn until_told(&self, mut again: impl FnMut()) {
        let deadline = Instant::now() + LONG;
        while self.count() == 0 {
            assert!(Instant::now() < deadline, "nothing was told");
            again();
        }
    }

    /// How many of the lines received so far contain `part`.
    pub fn with(&self, part: &str) -> usize {
        self.0.0.lock().unwrap().lines.iter().filter(|line| line.contains(part)).count()
    }

    fn until<T>(&self, find: impl Fn(&[String]) -> Option<T>) -> T {
        let mut lines = self.0.0.lock().unwrap();
        loop {
            if let Some(found) = find(&lines.lines) {
                return found;
            }
            assert!(!lines.over, "it ended, and what came was: {:#?}", tail(&lines.lines));
            let (guard, waited) = self.0.1.wait_timeout(lines, LONG).unwrap();
            assert!(!waited.timed_out(), "what came so far: {:#?}", tail(&guard.lines));
            lines = guard;
        }
    }

    /// The last lines received so far.
    fn so_far(&self) -> Vec<String> {
        tail(&self.0.0.lock().unwrap().lines).to_vec()
    }

    /// All lines, once there will be no more.
    fn all(&self) -> Vec<String> {
        let (mut lines, waited) =
            self.0.1.wait_timeout_while(self.0.0.lock().unwrap(), LONG, |lines| !lines.over).unwrap();
        assert!(!waited.timed_out(), "it has ended, and somebody else still has its output");
        std::mem::take(&mut lines.lines)
    }
}

fn tail(lines: &[String]) -> &[String] {
    &lines[lines.len().saturating_sub(30)..]
}
