//! The marks of one source: where it begins when its host is started again.
//!
//! A mark is durable soon after it is kept, never before: what was sent in between comes again. The file is replaced
//! as a whole, so that it is the old one or the new one, whatever ends the host while it is written.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use serde::{Deserialize, Serialize};

use crate::whole::{self, invalid};

/// The format of the file.
const FORMAT: u32 = 1;
/// The most keys of one source.
const MOST: usize = 100_000;
/// The largest file that is read, in bytes.
const LARGEST: u64 = 1 << 30;

/// The marks of one source.
#[derive(Debug)]
pub(crate) struct Marks {
    /// `None` for a source that nothing is kept of.
    file: Option<PathBuf>,
    changes: Arc<Changes>,
    state: Mutex<State>,
    /// Held while the file is written.
    writing: Mutex<()>,
}

/// What tells whoever writes marks that there are some.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    state: Mutex<Due>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Due {
    is_due: bool,
    is_over: bool,
}

impl Changes {
    pub(crate) fn tell(&self) {
        self.state.lock().is_due = true;
        self.changed.notify_all();
    }

    /// None will be written any more.
    pub(crate) fn end(&self) {
        self.state.lock().is_over = true;
        self.changed.notify_all();
    }

    /// Waits until there is something to write; returns false if nothing will be.
    pub(crate) fn wait(&self) -> bool {
        let mut state = self.state.lock();
        while !state.is_due && !state.is_over {
            self.changed.wait(&mut state);
        }
        std::mem::take(&mut state.is_due) || !state.is_over
    }

    /// Waits for that long, unless nothing will be written any more.
    pub(crate) fn rest(&self, time: Duration) {
        let mut state = self.state.lock();
        let until = Instant::now() + time;
        while !state.is_over && !self.changed.wait_until(&mut state, until).timed_out() {}
    }
}

#[derive(Debug, Default)]
struct State {
    /// Those up to which everything is settled.
    kept: BTreeMap<String, String>,
    /// Those of all that was sent.
    newest: BTreeMap<String, String>,
    /// Whether `kept` has changed since it was written.
    is_changed: bool,
    generation: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    format: u32,
    marks: BTreeMap<String, String>,
}

impl Marks {
    /// Those that a file has; none if there is no file.
    ///
    /// # Errors
    /// If it cannot be read, or is not of this format.
    pub(crate) fn open(file: PathBuf, changes: &Arc<Changes>) -> io::Result<Self> {
        let kept = match read(&file) {
            Ok(kept) => kept,
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(error),
        };
        let state = State { newest: kept.clone(), kept, ..State::default() };
        Ok(Marks { file: Some(file), changes: changes.clone(), state: Mutex::new(state), writing: Mutex::default() })
    }

    /// None, which are never written.
    pub(crate) fn in_memory() -> Self {
        Marks { file: None, changes: Arc::default(), state: Mutex::default(), writing: Mutex::default() }
    }

    /// Everything up to there was sent.
    pub(crate) fn sent(&self, key: &str, value: &str) {
        set(&mut self.state.lock().newest, key, value);
    }

    /// Whether there is room for a mark of that key.
    pub(crate) fn has_room(&self, key: &str) -> bool {
        let state = self.state.lock();
        state.newest.len() < MOST || state.newest.contains_key(key)
    }

    /// Which marks are kept: those of what was sent since [`begin_again`](Self::begin_again).
    pub(crate) fn generation(&self) -> u64 {
        self.state.lock().generation
    }

    /// Everything up to there is settled, of what was sent in that generation.
    pub(crate) fn keep(&self, generation: u64, key: &str, value: &str) {
        let mut state = self.state.lock();
        if state.generation != generation {
            return;
        }
        set(&mut state.kept, key, value);
        let was_changed = std::mem::replace(&mut state.is_changed, true);
        drop(state);
        if !was_changed {
            self.changes.tell();
        }
    }

    /// Nothing is under way any more: a source goes on where everything is settled.
    pub(crate) fn begin_again(&self) {
        let mut state = self.state.lock();
        state.newest = state.kept.clone();
        state.generation += 1;
    }

    /// Where a source goes on: behind what was sent, which this process delivers.
    pub(crate) fn newest(&self) -> Vec<(String, String)> {
        let state = self.state.lock();
        state.newest.iter().map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    /// Where a source begins when the host is started again.
    #[cfg(test)]
    pub(crate) fn kept(&self) -> Vec<(String, String)> {
        let state = self.state.lock();
        state.kept.iter().map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    /// Makes those that are kept durable, if they have changed.
    ///
    /// # Errors
    /// If the file cannot be written: then it is as it was, and the next call tries again.
    pub(crate) fn write(&self) -> io::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let _writing = self.writing.lock();
        let marks = {
            let mut state = self.state.lock();
            if !std::mem::take(&mut state.is_changed) {
                return Ok(());
            }
            state.kept.clone()
        };
        whole::replace(file, &Stored { format: FORMAT, marks }).inspect_err(|_| {
            self.state.lock().is_changed = true;
            // To be tried again.
            self.changes.tell();
        })
    }
}

fn set(marks: &mut BTreeMap<String, String>, key: &str, value: &str) {
    if value.is_empty() {
        marks.remove(key);
    } else if let Some(known) = marks.get_mut(key) {
        value.clone_into(known);
    } else {
        marks.insert(key.into(), value.into());
    }
}

fn read(file: &Path) -> io::Result<BTreeMap<String, String>> {
    let length = fs::metadata(file)?.len();
    if length > LARGEST {
        return Err(invalid(format!("it has {length} bytes, {LARGEST} are allowed")));
    }
    let stored: Stored = serde_json::from_slice(&fs::read(file)?).map_err(|error| invalid(error.to_string()))?;
    match stored.format {
        FORMAT => Ok(stored.marks),
        other => Err(invalid(format!("its format is {other}, this host reads {FORMAT}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(file: &Path) -> io::Result<Marks> {
        Marks::open(file.to_owned(), &Arc::default())
    }

    #[test]
    fn whoever_writes_is_told_at_once_and_once() {
        let directory = tempfile::tempdir().unwrap();
        let changes = Arc::new(Changes::default());
        let marks = Marks::open(directory.path().join("marks.json"), &changes).unwrap();
        marks.keep(0, "a", "1");
        marks.keep(0, "a", "2");
        assert!(changes.wait());
        marks.write().unwrap();
        marks.keep(0, "a", "3");
        assert!(changes.wait());
        changes.end();
        assert!(!changes.wait());
    }

    #[test]
    fn what_is_kept_and_written_is_there_again() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("a pipeline/a source.json");
        let marks = open(&file).unwrap();
        marks.sent("a", "2");
        marks.keep(0, "a", "1");
        marks.keep(0, "b", "7");
        marks.write().unwrap();
        marks.keep(0, "b", "8");
        let again = open(&file).unwrap();
        assert_eq!(again.newest(), [("a".into(), "1".into()), ("b".into(), "7".into())]);
        again.keep(0, "a", "");
        again.write().unwrap();
        assert_eq!(open(&file).unwrap().kept(), [("b".into(), "7".into())]);
    }

    #[test]
    fn a_file_that_is_none_is_named_as_such_and_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        for (content, said) in
            [("{}", "missing field"), (r#"{"format": 9, "marks": {}}"#, "its format is 9"), ("", "EOF")]
        {
            let file = directory.path().join("marks.json");
            fs::write(&file, content).unwrap();
            let error = open(&file).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
            assert_eq!(fs::read_to_string(file).unwrap(), content);
        }
    }

    #[test]
    fn what_cannot_be_written_is_tried_again() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("there/marks.json");
        let marks = open(&file).unwrap();
        marks.keep(0, "a", "1");
        fs::write(directory.path().join("there"), "in the way").unwrap();
        assert!(marks.write().is_err());
        fs::remove_file(directory.path().join("there")).unwrap();
        marks.write().unwrap();
        assert_eq!(open(&file).unwrap().kept().len(), 1);
    }
}
