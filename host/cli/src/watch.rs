//! Waiting for files to change: woken by the system, and by the clock where the system says nothing.
//!
//! An event is only a reason to look. What has changed is found by looking ([`Stamp`]), and whether
//! it is over by looking again ([`Settling`]): so a lost event costs a second, and one too many costs
//! nothing.

mod settling;
mod stamp;
mod writing;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};

pub(crate) use settling::Settling;
pub(crate) use stamp::Stamp;
pub(crate) use writing::{Writers, writers};

/// How long something must have stayed as it is before it counts as complete.
pub(crate) const QUIET: Duration = Duration::from_millis(150);

/// How often to look when nothing is heard: network file systems are silent, and a folder that was
/// made anew is not the one that was watched.
const REGULARLY: Duration = Duration::from_secs(1);

/// What a wait came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Something may have changed.
    Look,
    /// Somebody wants this to end.
    End,
}

/// Watches folders, not files: a file that is replaced is another file, in the same folder.
pub(crate) struct Watcher {
    /// `None` where the system has no more to give; then there is the clock.
    system: Option<RecommendedWatcher>,
    folders: BTreeMap<PathBuf, Stamp>,
    signals: Receiver<Signal>,
    sender: Sender<Signal>,
}

/// Ends the waiting of a [`Watcher`] when it is dropped.
pub(crate) struct Ender(Sender<Signal>);

impl Watcher {
    pub(crate) fn new() -> Self {
        let (sender, signals) = channel();
        let wake = sender.clone();
        let system = notify::recommended_watcher(move |event| {
            if !is_reading(&event) {
                // Nobody waits any more when the program ends.
                let _ = wake.send(Signal::Look);
            }
        });
        let system = system.inspect_err(|error| tracing::warn!("files are looked at every second: {error}")).ok();
        Watcher { system, folders: BTreeMap::new(), signals, sender }
    }

    pub(crate) fn ender(&self) -> Ender {
        Ender(self.sender.clone())
    }

    /// Watches these folders from now on, and no others. Look at their files afterwards.
    pub(crate) fn watch(&mut self, folders: &BTreeSet<PathBuf>) {
        let Some(system) = &mut self.system else { return };
        self.folders.retain(|folder, stamp| {
            let stays = folders.contains(folder) && Stamp::of(folder).is_same_file(stamp);
            if !stays {
                // The system has forgotten one that was removed.
                let _ = system.unwatch(folder);
            }
            stays
        });
        for folder in folders {
            let stamp = Stamp::of(folder);
            if !self.folders.contains_key(folder) && stamp.is_there() {
                match system.watch(folder, RecursiveMode::NonRecursive) {
                    Ok(()) => _ = self.folders.insert(folder.clone(), stamp),
                    Err(error) => tracing::debug!("{} is looked at every second: {error}", folder.display()),
                }
            }
        }
    }

    /// Waits until it is time to look: soon, while something is `settling`.
    pub(crate) fn wait(&self, settling: bool) -> Signal {
        let patience = if settling { QUIET } else { REGULARLY };
        let first = self.signals.recv_timeout(patience).unwrap_or(Signal::Look);
        // One look is enough for all that has come.
        let ended = first == Signal::End || self.signals.try_iter().any(|signal| signal == Signal::End);
        if ended { Signal::End } else { Signal::Look }
    }
}

impl Drop for Ender {
    fn drop(&mut self) {
        let _ = self.0.send(Signal::End);
    }
}

/// The folders in which a change of that file shows: its own, and the one of the file behind a link.
pub(crate) fn folders_of(file: &Path) -> impl Iterator<Item = PathBuf> {
    let behind = file.canonicalize().ok();
    [Some(file), behind.as_deref()]
        .into_iter()
        .flatten()
        .filter_map(|file| file.parent().map(Path::to_owned))
        .collect::<Vec<_>>()
        .into_iter()
}

/// Whether it says only that somebody read: we do so ourselves.
fn is_reading(event: &notify::Result<Event>) -> bool {
    let written = EventKind::Access(AccessKind::Close(AccessMode::Write));
    matches!(event, Ok(Event { kind, .. }) if kind.is_access() && *kind != written)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Longer than the clock would take, so that only a signal can be what woke us.
    fn is_woken(watcher: &Watcher) -> bool {
        watcher.signals.recv_timeout(Duration::from_secs(20)) == Ok(Signal::Look)
    }

    #[test]
    fn a_file_that_is_put_in_the_place_of_another_is_noticed() {
        let folder = std::env::temp_dir().join(format!("hookrail-watch-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let mut watcher = Watcher::new();
        watcher.watch(&BTreeSet::from([folder.clone()]));
        std::fs::write(folder.join("new"), "x").unwrap();
        assert!(is_woken(&watcher));
        while watcher.signals.recv_timeout(QUIET).is_ok() {}
        std::fs::rename(folder.join("new"), folder.join("file")).unwrap();
        assert!(is_woken(&watcher));
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn whoever_ends_it_is_heard_among_many_changes() {
        let watcher = Watcher::new();
        watcher.sender.send(Signal::Look).unwrap();
        drop(watcher.ender());
        watcher.sender.send(Signal::Look).unwrap();
        assert_eq!(watcher.wait(false), Signal::End);
    }
}
