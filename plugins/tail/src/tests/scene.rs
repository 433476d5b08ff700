//! A directory with files, and a host that keeps marks.

use std::cell::RefCell;
use std::fs::{self, File};
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use hookrail_abi::testing::{self, Running, Sent};
use tempfile::TempDir;

use crate::Tail;

/// How long nothing may happen until it is believed that nothing will.
const QUIET: Duration = Duration::from_millis(100);

/// How often it is looked meanwhile, at least: on a busy machine that time may be over before the source has looked.
const LOOKS: usize = 40;

/// How long something may take.
const PATIENCE: Duration = Duration::from_secs(300);

pub(super) struct Scene {
    directory: TempDir,
    pub(super) plugin: Running<Tail>,
    /// What the host has kept.
    pub(super) marks: RefCell<Vec<(String, String)>>,
}

/// What happens once that many messages were sent.
pub(super) type Step<'a> = (usize, &'a dyn Fn());

impl Scene {
    pub(super) fn new() -> Self {
        let plugin = testing::start("{}").unwrap();
        Scene { directory: tempfile::tempdir().unwrap(), plugin, marks: RefCell::default() }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(super) fn write(&self, name: &str, content: &str) {
        fs::write(self.path(name), content).unwrap();
    }

    pub(super) fn append(&self, name: &str, content: &str) {
        append(&self.path(name), content);
    }

    pub(super) fn rename(&self, old: &str, new: &str) {
        fs::rename(self.path(old), self.path(new)).unwrap();
    }

    pub(super) fn remove(&self, name: &str) {
        fs::remove_file(self.path(name)).unwrap();
    }

    /// The configuration: `*.log` of the directory, looked at often, unless `more` has it.
    pub(super) fn config(&self, more: &str) -> String {
        let mut config: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&format!(
            r#"{{"paths": [{:?}], "start_at": "beginning", "poll_every": "2ms", "rescan_every": "10ms", "idle_flush": "0s"}}"#,
            self.path("*.log")
        ))
        .unwrap();
        let more = more.trim_start_matches([',', ' ']);
        config.extend(serde_json::from_str::<serde_json::Map<_, _>>(&format!("{{{more}}}")).unwrap());
        serde_json::Value::from(config).to_string()
    }

    /// Runs the source until that many messages were sent, and no more come.
    pub(super) fn run(&self, more: &str, count: usize) -> Sent {
        self.steps(more, &[], count)
    }

    /// Runs the source, with what happens meanwhile, until that many messages were sent and no more come.
    pub(super) fn steps(&self, more: &str, steps: &[Step<'_>], count: usize) -> Sent {
        let (mut steps, mut last, mut looks, mut seen) = (steps.iter(), Instant::now(), 0, 0);
        let mut next = steps.next();
        let began = Instant::now();
        let sent = self.until(more, |sent| {
            looks += 1;
            if sent.messages.len() != seen {
                (seen, last, looks) = (sent.messages.len(), Instant::now(), 0);
            }
            if began.elapsed() > PATIENCE {
                return true;
            }
            match next {
                Some((count, act)) if seen >= *count && last.elapsed() > QUIET / 2 && looks > LOOKS / 2 => {
                    act();
                    (next, last, looks) = (steps.next(), Instant::now(), 0);
                    false
                }
                Some(_) => false,
                None => seen >= count && last.elapsed() > QUIET && looks > LOOKS,
            }
        });
        assert_eq!(sent.messages.len(), count, "the last ones are {:?}", tail_of(&sent));
        sent
    }

    /// Runs the source until `until` says so; the host keeps the marks.
    pub(super) fn until(&self, more: &str, mut until: impl FnMut(&Sent) -> bool) -> Sent {
        let source = self.plugin.source("tail", &self.config(more)).unwrap();
        let kept = self.marks.borrow().clone();
        let marks: Vec<_> = kept.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        // A panic must not cross the source, which would be the end of all tests.
        let mut panicked = None;
        let sent = source.run(&marks, |sent| {
            catch_unwind(AssertUnwindSafe(|| until(sent))).unwrap_or_else(|panic| {
                panicked = Some(panic);
                true
            })
        });
        if let Some(panic) = panicked {
            resume_unwind(panic);
        }
        let sent = sent.unwrap();
        self.keep(&sent.marks);
        sent
    }

    /// Keeps marks as a host does.
    pub(super) fn keep(&self, marks: &[(String, String)]) {
        let mut kept = self.marks.borrow_mut();
        for (key, value) in marks {
            kept.retain(|(kept, _)| kept != key);
            if !value.is_empty() {
                kept.push((key.clone(), value.clone()));
            }
        }
    }

    /// The mark of a file.
    pub(super) fn mark(&self, name: &str) -> Option<String> {
        let key = crate::identity::Identity::of(&self.path(name).metadata().unwrap()).to_string();
        self.marks.borrow().iter().find(|(kept, _)| *kept == key).map(|(_, value)| value.clone())
    }

    /// How many files of the directory this process has open.
    pub(super) fn open_files(&self) -> usize {
        let links = fs::read_dir("/proc/self/fd").unwrap().flatten().flat_map(|entry| fs::read_link(entry.path()));
        links.filter(|link| link.starts_with(self.directory.path()) && link != self.directory.path()).count()
    }
}

pub(super) fn append(path: &Path, content: &str) {
    File::options().append(true).create(true).open(path).unwrap().write_all(content.as_bytes()).unwrap();
}

/// What is said of a test that fails.
fn tail_of(sent: &Sent) -> Vec<String> {
    bodies(sent).split_off(sent.messages.len().saturating_sub(10))
}

/// The bodies of what was sent.
pub(super) fn bodies(sent: &Sent) -> Vec<String> {
    sent.messages.iter().map(|message| message.body.to_display().into_owned()).collect()
}
