//! Waiting for files to change: woken by the system, and by the clock where the system reports nothing.
//!
//! An event is only a reason to look. What has changed is found by looking ([`Stamp`]), and whether a change is over by
//! looking again ([`Settling`]): so a lost event costs a second, and a superfluous one costs nothing.

mod settling;
mod stamp;
mod writing;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};

pub(crate) use settling::Settling;
pub(crate) use stamp::Stamp;
pub(crate) use writing::{Writers, writers};

/// How long something must have been unchanged before it counts as complete.
pub(crate) const QUIET: Duration = Duration::from_millis(150);

/// How often to look without an event: network file systems report none, and a directory that was recreated is not the
/// one being watched.
const REGULARLY: Duration = Duration::from_secs(1);

/// How long to collect events before a look.
const BATCH: Duration = Duration::from_millis(50);

/// The result of a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Something may have changed.
    Look,
    /// The wait must end.
    End,
}

/// Watches directories, not files: a file that is replaced is another file, in the same directory.
pub(crate) struct Watcher {
    /// `None` if the system has no more watches to give; then there is only the clock.
    system: Option<RecommendedWatcher>,
    directories: BTreeMap<PathBuf, Stamp>,
    signals: Receiver<Signal>,
    sender: Sender<Signal>,
}

/// Ends the wait of a [`Watcher`] when it is dropped.
pub(crate) struct Ender(Sender<Signal>);

impl Watcher {
    pub(crate) fn new() -> Self {
        let (sender, signals) = channel();
        let wake = sender.clone();
        let system = notify::recommended_watcher(move |event| {
            if !is_reading(&event) {
                // When the program ends, the receiver is gone.
                let _ = wake.send(Signal::Look);
            }
        });
        let system = system.inspect_err(|error| tracing::warn!("files are checked every second instead: {error}")).ok();
        Watcher { system, directories: BTreeMap::new(), signals, sender }
    }

    pub(crate) fn ender(&self) -> Ender {
        Ender(self.sender.clone())
    }

    /// Watches these directories from now on, and no others. Look at their files afterwards.
    pub(crate) fn watch(&mut self, directories: &BTreeSet<PathBuf>) {
        let Some(system) = &mut self.system else { return };
        self.directories.retain(|directory, stamp| {
            let stays = directories.contains(directory) && Stamp::of(directory).is_same_file(stamp);
            if !stays {
                // The system has already dropped a removed one.
                let _ = system.unwatch(directory);
            }
            stays
        });
        for directory in directories {
            let stamp = Stamp::of(directory);
            if !self.directories.contains_key(directory) && stamp.is_there() {
                match system.watch(directory, RecursiveMode::NonRecursive) {
                    Ok(()) => _ = self.directories.insert(directory.clone(), stamp),
                    Err(error) => tracing::debug!("{} is checked every second instead: {error}", directory.display()),
                }
            }
        }
    }

    /// Waits until it is time to look: soon, if something is `settling`.
    pub(crate) fn wait(&self, settling: bool) -> Signal {
        let pause = if settling { QUIET } else { REGULARLY };
        let Ok(mut last) = self.signals.recv_timeout(pause) else { return Signal::Look };
        // One look covers all events so far: a file that grows all the time must not keep a processor busy.
        let until = Instant::now() + BATCH;
        while last == Signal::Look {
            match self.signals.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(next) => last = next,
                Err(_) => return Signal::Look,
            }
        }
        Signal::End
    }
}

impl Drop for Ender {
    fn drop(&mut self) {
        let _ = self.0.send(Signal::End);
    }
}

/// The directories in which a change of that file is visible: its own, and that of a link's target.
pub(crate) fn directories_of(file: &Path) -> impl Iterator<Item = PathBuf> {
    let behind = file.canonicalize().ok();
    [Some(file), behind.as_deref()]
        .into_iter()
        .flatten()
        .filter_map(|file| file.parent().map(Path::to_owned))
        .collect::<Vec<_>>()
        .into_iter()
}

/// Whether the event only reports reading, which this program does itself.
fn is_reading(event: &notify::Result<Event>) -> bool {
    let written = EventKind::Access(AccessKind::Close(AccessMode::Write));
    matches!(event, Ok(Event { kind, .. }) if kind.is_access() && *kind != written)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Longer than the clock's interval, so that only a signal can have caused the wake-up.
    fn is_woken(watcher: &Watcher) -> bool {
        watcher.signals.recv_timeout(Duration::from_secs(20)) == Ok(Signal::Look)
    }

    #[test]
    fn a_file_that_is_put_in_the_place_of_another_is_noticed() {
        let directory = std::env::temp_dir().join(format!("hookrail-watch-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let mut watcher = Watcher::new();
        watcher.watch(&BTreeSet::from([directory.clone()]));
        std::fs::write(directory.join("new"), "x").unwrap();
        assert!(is_woken(&watcher));
        while watcher.signals.recv_timeout(QUIET).is_ok() {}
        std::fs::rename(directory.join("new"), directory.join("file")).unwrap();
        assert!(is_woken(&watcher));
        std::fs::remove_dir_all(&directory).unwrap();
    }

    #[test]
    fn an_interrupt_is_heard_among_many_changes() {
        let watcher = Watcher::new();
        watcher.sender.send(Signal::Look).unwrap();
        drop(watcher.ender());
        watcher.sender.send(Signal::Look).unwrap();
        assert_eq!(watcher.wait(false), Signal::End);
    }
}
