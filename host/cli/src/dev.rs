//! `hookrail dev`: watches the source of a plugin, builds it, and replaces the plugin in a running host.

mod counters;
mod post_upgrade;
mod project;
mod replacement;
mod sources;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Instant, SystemTime};

use hookrail::PluginView;
use hookrail::control::Manage;
use hookrail::control::command::{List, Load, Replace, Status};

use crate::args::Dev;
use crate::built::Built;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::interrupt::Interrupt;
use crate::watch::{Settling, Signal, Watcher};
use crate::{digest, duration, print, remote, stderr};

use counters::Counters;
use post_upgrade::PostUpgrade;
use project::Project;
use replacement::{How, Replacement};
use sources::Sources;

pub(crate) fn run(options: &Dev) -> Result<ExitCode, Error> {
    let project = Project::of(&options.directory)?;
    let interrupt = Interrupt::install()?;
    // Checked first, so that a missing host is reported before the build.
    let program = remote::connect(&options.selection)?.ask(Status::new())?.pid;
    stderr::line(format_args!("{} in {}, for the host {program}", project.plugin(), project.directory().display()));
    let mut watcher = Watcher::new();
    let ender = watcher.ender();
    interrupt.then(|| drop(ender))?;
    let mut development = Development {
        options,
        project,
        interrupt,
        plugin: None,
        handed_over: None,
        post_upgrade: PostUpgrade::default(),
    };
    let mut read = BTreeSet::new();
    loop {
        // Taken before the build: a change from here on causes another one.
        let began = SystemTime::now();
        let mut sources = Sources::of(development.project.files(), &read);
        match development.round() {
            Ok(Round::Interrupted) => return Ok(development.end()),
            Ok(Round::Failed) if options.once => return Ok(ExitCode::Failure),
            Ok(Round::Done(_)) if options.once => return Ok(ExitCode::Ok),
            Ok(Round::Failed) => {}
            Ok(Round::Done(library)) => {
                let before = std::mem::replace(&mut read, development.project.read_for(&library));
                sources.count(&before, &read, began);
            }
            // The reader of stdout has gone.
            Err(error @ Error::Stdout(_)) => return Err(error),
            Err(error) if options.once => return Err(error),
            Err(error) => {
                stderr::error(&error);
                stderr::line(development.goes_on());
            }
        }
        let mut sources = Settling::new(sources);
        loop {
            let seen = Sources::of(development.project.files(), &read);
            watcher.watch(&seen.directories());
            if sources.look(seen, Instant::now()).is_some() {
                break;
            }
            if watcher.wait(sources.is_settling()) == Signal::End {
                return Ok(development.end());
            }
        }
    }
}

/// A plugin in development.
struct Development<'a> {
    options: &'a Dev,
    project: Project,
    interrupt: Interrupt,
    /// Its name, once it has been built.
    plugin: Option<String>,
    handed_over: Option<HandedOver>,
    post_upgrade: PostUpgrade,
}

/// The library that the host was given last.
#[derive(PartialEq, Eq)]
struct HandedOver {
    pid: u32,
    generation: u64,
    digest: u64,
}

/// The result of a round.
enum Round {
    /// The library serves.
    Done(PathBuf),
    /// The compiler has reported why, and the author was told what serves.
    Failed,
    Interrupted,
}

impl Development<'_> {
    /// Builds, and replaces the plugin.
    fn round(&mut self) -> Result<Round, Error> {
        // A host that is not running now may be by the end of the build.
        let before = remote::connect(&self.options.selection).ok().and_then(|mut host| Counters::of(&mut host));
        // The first build may take long, so its progress is shown.
        let talkative = self.plugin.is_none();
        let (file, built) = match self.project.build(self.options, talkative, &self.interrupt)? {
            Built::Library { file, time } => (file, time),
            Built::Interrupted => return Ok(Round::Interrupted),
            Built::Failed(time) => {
                stderr::line(format_args!("the build failed after {}; {}", duration::text(time), self.goes_on()));
                return Ok(Round::Failed);
            }
        };
        let inspection = hookrail::inspect(&file)?;
        self.plugin = Some(inspection.note.name.clone());
        let reading = |cause| Error::reading(&file.display(), cause);
        let digest = digest::of(&file).map_err(reading)?;
        let mut host = remote::connect(&self.options.selection)?;
        let pid = host.ask(Status::new())?.pid;
        let serving = host.ask(List::new())?.into_iter().find(|view| view.name == inspection.note.name);
        let serving = serving.and_then(|view| view.generation);
        if let Some(generation) = serving
            && self.handed_over == Some(HandedOver { pid, generation, digest })
        {
            let built = duration::text(built);
            stderr::line(format_args!("built in {built}: the same library; generation {generation} keeps running"));
            return Ok(Round::Done(file));
        }
        self.post_upgrade.of(&inspection.note.name, || remote::connect(&self.options.selection))?;
        let began = Instant::now();
        let (how, generation, times) = match serving {
            None => (How::Loaded, host.ask(Load::new(&file))?.generation.unwrap_or_default(), None),
            Some(_) => {
                let replaced = host.ask(Replace::new(&*inspection.note.name, &file).wait(std::time::Duration::ZERO))?;
                (How::Upgraded, replaced.generation, Some(replaced.times))
            }
        };
        let live = began.elapsed();
        self.handed_over = Some(HandedOver { pid, generation, digest });
        let traffic = before.and_then(|before| before.until_now(&mut host));
        let (plugin, version) = (inspection.note.name, inspection.note.version);
        let replacement = Replacement { plugin, version, generation, how, built, live, times, traffic };
        if self.options.json {
            print::compact(&replacement)?
        } else {
            print::line(&replacement)?
        }
        Ok(Round::Done(file))
    }

    /// What serves when a build does not.
    fn goes_on(&self) -> String {
        let name = self.plugin.clone().unwrap_or_else(|| self.project.plugin().into());
        let views = remote::connect(&self.options.selection).and_then(|mut host| Ok(host.ask(List::new())?));
        let generation = |views: Vec<PluginView>| views.into_iter().find(|view| view.name == name)?.generation;
        match views.map(generation) {
            Ok(Some(generation)) => format!("generation {generation} of {name} keeps running"),
            Ok(None) => format!("{name} is not loaded"),
            Err(_) => "the host cannot be reached".into(),
        }
    }

    fn end(&self) -> ExitCode {
        stderr::line(format_args!("no longer watching; {}", self.goes_on()));
        ExitCode::Interrupted
    }
}
