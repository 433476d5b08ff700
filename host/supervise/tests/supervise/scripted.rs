//! A kind of units for tests: a shell that is told what to do by lines, and answers by lines.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;

use hookrail_supervise::{
    Acknowledgement, Answer, Deadlines, Error, Kind, Lock, Order, Pong, Restarts, Spec, Start, Stdio, Supervisor, Unit,
    UnitCommand, UnitState, UnitView,
};
use tempfile::TempDir;

use crate::common::{LONG, sh, until};

/// A shell whose script is told `ORDER NUMBER`, and says `ready`, `ok NUMBER`, `no NUMBER WHY`, or to a ping
/// `init NUMBER`, `error NUMBER WHY`.
pub(crate) struct Scripted {
    script: String,
    directory: PathBuf,
    stdin: Option<File>,
    answers: Arc<Mutex<HashMap<u64, Answer>>>,
    orders: u64,
}

impl Scripted {
    /// It does what it is told. In its directory, some files change that:
    /// - `die`: it exits with status 1 at once;
    /// - `late`: it is not ready while that is there;
    /// - `stay`: it does not end while that is there, though it says that it will;
    /// - `ill`: it says so, when it is pinged;
    /// - `ORDER`: what it runs in place of what it does for that order.
    ///
    /// In the file `log`, it writes what it does.
    pub(crate) fn new(directory: &Path) -> Self {
        let script = "
            [ ! -e die ] || exit 1
            echo begin $$ >> log
            { while [ -e late ]; do sleep 0.01; done; echo ready; } &
            while read order number; do
                echo $order >> log
                if [ -e $order ]; then . ./$order; continue; fi
                case $order in
                    ping) if [ -e ill ]; then echo error $number it is ill; else echo ok $number; fi ;;
                    shutdown) echo ok $number; while [ -e stay ]; do sleep 0.01; done; exit 0 ;;
                    *) echo ok $number ;;
                esac
            done";
        let answers = Arc::default();
        Scripted { script: script.into(), directory: directory.into(), stdin: None, answers, orders: 0 }
    }

    pub(crate) fn spec(&self) -> Spec {
        sh(&self.script).dir(&self.directory).stdin(Stdio::Pipe).stdout(Stdio::Pipe)
    }
}

impl Kind for Scripted {
    fn start(&mut self, start: &Start<'_>) -> Result<(), Error> {
        let halted = OsString::from(if start.is_halted() { "halted" } else { "" });
        let process = start.spawn(self.spec().env("BEGIN", halted))?;
        self.stdin = process.take_stdin().map(File::from);
        let answers = Arc::new(Mutex::new(HashMap::<u64, Answer>::new()));
        self.answers = answers.clone();
        let (voice, stdout) = (start.voice(), process.take_stdout().expect("it is a pipe"));
        thread::spawn(move || {
            for line in BufReader::new(File::from(stdout)).lines().map_while(Result::ok) {
                let mut words = line.splitn(3, ' ');
                let (word, number) = (words.next().unwrap_or_default(), words.next().and_then(|n| n.parse().ok()));
                let why = words.next().unwrap_or_default();
                let answer = number.and_then(|number| answers.lock().unwrap().remove(&number));
                match (word, answer) {
                    ("ready", _) => voice.ready(),
                    ("ok", Some(answer)) => answer.acknowledge(),
                    ("no", Some(answer)) => answer.refuse(why),
                    ("init", Some(answer)) => answer.pong(Pong::Init),
                    ("error", Some(answer)) => answer.pong(Pong::Error { reason: why.into() }),
                    _ => panic!("the script says {line}"),
                }
            }
        });
        Ok(())
    }

    fn order(&mut self, order: Order, answer: Answer) {
        self.orders += 1;
        self.answers.lock().unwrap().insert(self.orders, answer);
        let line = format!("{} {}\n", order.name(), self.orders);
        // It may have ended.
        let _ = self.stdin.as_mut().expect("it was started").write_all(line.as_bytes());
    }
}

/// A unit in a directory of its own.
pub(crate) struct Scene {
    /// Dropped before the unit, which is not to wait for what would keep it.
    _free: Free,
    pub(crate) unit: Unit,
    pub(crate) directory: PathBuf,
    pub(crate) owned: Option<TempDir>,
}

struct Free(PathBuf);

impl Drop for Free {
    fn drop(&mut self) {
        for file in ["late", "stay"] {
            let _ = std::fs::remove_file(self.0.join(file));
        }
    }
}

/// Nothing is due for minutes, and the clock asks nobody.
pub(crate) fn patient() -> Deadlines {
    let deadlines = Deadlines::default().with_ready(LONG).with_order(LONG).with_shutdown(LONG).with_pong(LONG);
    deadlines.with_ping_every(None)
}

/// It is started again once at once, and then not within minutes.
pub(crate) fn once() -> Restarts {
    Restarts::default().with_first(LONG * 2).with_longest(LONG * 2)
}

impl Scene {
    pub(crate) fn new(deadlines: Deadlines, restarts: Restarts) -> Self {
        let directory = TempDir::new().unwrap();
        let mut scene = Self::within(directory.path(), deadlines, restarts);
        scene.owned = Some(directory);
        scene
    }

    pub(crate) fn within(directory: &Path, deadlines: Deadlines, restarts: Restarts) -> Self {
        let lock = Lock::take_within(directory, "unit", LONG).unwrap();
        let supervisor = Supervisor::new().unwrap();
        let unit = Unit::new(&supervisor, lock, Scripted::new(directory), deadlines, restarts).unwrap();
        Scene { _free: Free(directory.into()), unit, directory: directory.into(), owned: None }
    }

    pub(crate) fn write(&self, file: &str, text: &str) {
        // At once, since the script may look at any moment.
        let new = self.directory.join(format!("{file}.new"));
        std::fs::write(&new, text).unwrap();
        std::fs::rename(new, self.directory.join(file)).unwrap();
    }

    pub(crate) fn remove(&self, file: &str) {
        std::fs::remove_file(self.directory.join(file)).unwrap();
    }

    pub(crate) fn log(&self) -> Vec<String> {
        let log = std::fs::read_to_string(self.directory.join("log")).unwrap_or_default();
        log.lines().map(str::to_owned).collect()
    }

    /// Gives a command that is to be acknowledged.
    pub(crate) fn done(&self, command: UnitCommand) {
        assert_eq!(self.unit.ask(command), Acknowledgement::Acknowledged, "{command}: {:?}", self.unit);
    }

    pub(crate) fn until(&self, what: &str, holds: impl Fn(&UnitView) -> bool) -> UnitView {
        let view = self.unit.wait_until(LONG, holds);
        view.unwrap_or_else(|| panic!("waited in vain: {what}: {:?}", self.unit))
    }

    pub(crate) fn state(&self) -> UnitState {
        self.unit.view().state
    }

    /// Has the unit get into a state from being stopped, and removes what would keep it there.
    pub(crate) fn bring_to(&self, state: UnitState) {
        use {UnitCommand as C, UnitState as S};
        match state {
            S::Init => {
                self.write("late", "");
                drop(self.unit.begin(C::Start));
                until("it begins", || !self.log().is_empty());
            }
            S::Running => self.done(C::Start),
            S::Halted => {
                self.done(C::Start);
                self.done(C::Halt);
            }
            S::Error => {
                self.done(C::Start);
                self.write("ill", "");
                self.done(C::Ping);
                self.remove("ill");
            }
            S::Stopping => {
                self.write("stay", "");
                self.done(C::Start);
                drop(self.unit.begin(C::Shutdown));
                until("it is told so", || self.log().iter().any(|line| line == "shutdown"));
            }
            S::Waiting => {
                self.write("die", "");
                drop(self.unit.begin(C::Start));
                self.until("it has ended twice", |view| view.restarts == 2 && view.state == S::Waiting);
                self.remove("die");
            }
            // Its limit is one.
            S::Failed => {
                self.write("die", "");
                drop(self.unit.begin(C::Start));
                self.until("it has failed", |view| view.state == S::Failed);
                self.remove("die");
            }
            _ => {}
        }
        self.until("it gets there", |view| view.state == state);
    }
}
