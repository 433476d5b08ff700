//! `hookrail run --watch`: a library file that changes replaces the one that serves.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::thread::{self, Scope};
use std::time::Instant;

use hookrail::{ApiMisuse, Host};

use crate::error::Error;
use crate::watch::{self, Ender, Settling, Signal, Stamp, Watcher, Writers};
use crate::{digest, duration, stderr};

/// The watched library files of a run's plugins.
pub(super) struct Replacing {
    libraries: Vec<Library>,
}

struct Library {
    plugin: String,
    file: PathBuf,
    settling: Settling<Stamp>,
    /// The digest of the file that the host was given last.
    served: Option<u64>,
    /// Whether the file as it is now cannot serve, which has been reported.
    is_bad: bool,
}

/// What was done with a changed file.
enum Came {
    /// It is not complete, or another operation on the plugin is in progress: look again.
    NotYet,
    /// It is the same as what serves.
    Same,
    Live(String),
    Gone,
}

impl Replacing {
    /// Call it before the files are loaded: a change between the two is then found, at the price of an unnecessary
    /// replacement.
    pub(super) fn of(files: &BTreeMap<String, PathBuf>) -> Self {
        let library = |(plugin, file): (&String, &PathBuf)| {
            // A plugin may change the working directory.
            let file = std::path::absolute(file).unwrap_or_else(|_| file.clone());
            let settling = Settling::new(Stamp::of(&file));
            let served = digest::of(&file).ok();
            Library { plugin: plugin.clone(), file, settling, served, is_bad: false }
        };
        Replacing { libraries: files.iter().map(library).collect() }
    }

    /// Starts watching on its own thread, until the returned value is dropped.
    pub(super) fn begin<'scope>(
        mut self,
        scope: &'scope Scope<'scope, '_>,
        host: &'scope Host,
    ) -> Result<Ender, Error> {
        let mut watcher = Watcher::new();
        let ender = watcher.ender();
        let watching = move || {
            loop {
                watcher
                    .watch(&self.libraries.iter().flat_map(|library| watch::directories_of(&library.file)).collect());
                self.libraries.iter_mut().for_each(|library| library.look(host));
                let is_settling = self.libraries.iter().any(|library| library.settling.is_settling());
                if watcher.wait(is_settling) == Signal::End {
                    break;
                }
            }
        };
        let spawned = thread::Builder::new().name("watch".into()).spawn_scoped(scope, watching);
        spawned.map_err(|cause| Error::system("start a thread", cause))?;
        Ok(ender)
    }
}

impl Library {
    fn look(&mut self, host: &Host) {
        let stamp = Stamp::of(&self.file);
        let is_there = stamp.is_there();
        let Some(since) = self.settling.look(stamp, Instant::now()) else { return };
        let came = if is_there { self.replace(host, since) } else { Ok(Came::Gone) };
        if matches!(came, Ok(Came::NotYet)) {
            return;
        }
        self.settling.handled();
        let was_bad = std::mem::replace(&mut self.is_bad, !matches!(came, Ok(Came::Same | Came::Live(_))));
        let (plugin, file) = (&self.plugin, self.file.display());
        match came {
            Ok(Came::Live(how)) => stderr::line(how),
            Ok(Came::Same) if was_bad => stderr::line(format_args!("{plugin}: {file} is the running build again")),
            Ok(Came::Same | Came::NotYet) => {}
            Ok(Came::Gone) => stderr::line(format_args!("{plugin}: {file} is gone; {}", self.serving(host))),
            Err(error) => {
                stderr::error(&error);
                stderr::line(format_args!("{plugin}: {}", self.serving(host)));
            }
        }
    }

    /// Replaces what serves with the file, which has been unchanged since `since`.
    fn replace(&mut self, host: &Host, since: Instant) -> Result<Came, Error> {
        let reading = |cause| Error::reading(&self.file.display(), cause);
        let Writers::None(lease) = watch::writers(&self.file).map_err(reading)? else { return Ok(Came::NotYet) };
        // Reads the whole file: a truncated one is detected here.
        let inspection = hookrail::inspect(&self.file)?;
        let digest = digest::of(&self.file).map_err(reading)?;
        if self.served == Some(digest) {
            return Ok(Came::Same);
        }
        let plugin = host.plugin(&self.plugin).ok_or_else(|| ApiMisuse::NotLoaded(self.plugin.clone()));
        let settled = Instant::now();
        let plugin = plugin.map_err(hookrail::Error::from)?;
        // SAFETY: the operator named the file, and asked for what it becomes to be loaded.
        let upgrade = || unsafe { host.upgrade(&plugin, &self.file) };
        // On a thread that ends with it: this one sleeps most of the time, and what the plugin leaves for thread exit
        // would stay with it and delay its unload.
        let upgraded = thread::scope(|scope| scope.spawn(upgrade).join());
        let upgraded = match upgraded.unwrap_or_else(|panic| std::panic::resume_unwind(panic)) {
            Err(hookrail::Error::ApiMisuse(ApiMisuse::Busy { .. })) => return Ok(Came::NotYet),
            upgraded => upgraded?,
        };
        drop(lease);
        self.served = Some(digest);
        let times = upgraded.times;
        Ok(Came::Live(format!(
            "{} {}: generation {} is live, {} after its file changed \
             (waited {}, copied {}, opened {}, created {}, swapped {})",
            self.plugin,
            inspection.note.version,
            upgraded.generation,
            duration::text(since.elapsed()),
            duration::text(settled - since),
            duration::text(times.copy),
            duration::text(times.open),
            duration::text(times.create),
            duration::text(times.swap),
        )))
    }

    /// What serves when nothing was replaced.
    fn serving(&self, host: &Host) -> String {
        let view = host.plugin_views().into_iter().find(|view| view.name == self.plugin);
        match view.and_then(|view| view.generation) {
            Some(generation) => format!("generation {generation} keeps running"),
            None => "it is not loaded".into(),
        }
    }
}
