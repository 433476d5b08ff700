//! Applies a list of the plugins that should be installed, enabled and configured, step by step.
//!
//! A dry run does the same on a rehearsal copy of the store: whatever that refuses, the dry run refuses.

use std::collections::BTreeMap;
use std::path::Path;

use hookrail_engine::Host;
use hookrail_model::command::{Action, Applied, PluginSpec, Step};
use hookrail_model::config::CallbackOverride;
use hookrail_model::wire::Problem;
use hookrail_package::{Digest, digest_of_file};
use hookrail_store::{Install, Installation, StoreError, Version, validate};

use super::{Reconfigure, Swap, Verbs};
use crate::attached_store::AttachedStore;
use crate::error::Error;

const SWAP: Swap = Swap { fresh: false, wait_ms: None };

/// A plugin that is not in the desired state, and why.
type Failed = (String, Problem);

/// The actions planned and their results so far.
struct Course<'a> {
    verbs: Verbs<'a>,
    steps: Vec<Step>,
}

impl Verbs<'_> {
    /// Performs the actions that are still needed. Stops at the first one that fails; earlier ones stay. Begins none if
    /// one of them can never succeed.
    pub(crate) fn apply(self, desires: &BTreeMap<String, PluginSpec>, dry_run: bool) -> Result<Applied, Error> {
        if let Err((failed, problem)) = validate_all(desires) {
            let mut applied = Applied::new(Vec::new(), dry_run);
            (applied.failed, applied.error) = (Some(failed), Some(problem));
            return Ok(applied);
        }
        if dry_run { self.rehearse(desires) } else { Ok(self.execute(desires)) }
    }

    fn execute(self, desires: &BTreeMap<String, PluginSpec>) -> Applied {
        let mut course = Course { verbs: self, steps: Vec::new() };
        let failed = course.run(desires).err();
        let mut applied = Applied::new(course.steps, false);
        (applied.failed, applied.error) = failed.unzip();
        applied
    }

    fn rehearse(self, desires: &BTreeMap<String, PluginSpec>) -> Result<Applied, Error> {
        let rehearsal = self.attached.store.rehearsal()?;
        // This host loads nothing, so nothing that runs is changed.
        let host = Host::new(self.core.config.clone().with_home(rehearsal.store.home().path()))?;
        let attached = AttachedStore { store: rehearsal.store.clone(), is_live: false, is_kept: true };
        let mut applied = Verbs { core: host.core(), attached: &attached }.execute(desires);
        applied.dry_run = true;
        if let Some(problem) = &mut applied.error {
            problem.message = rehearsal.in_place(&problem.message);
        }
        Ok(applied)
    }
}

/// Refuses what can never succeed, whatever is installed.
fn validate_all(desires: &BTreeMap<String, PluginSpec>) -> Result<(), Failed> {
    desires.iter().try_for_each(|(name, desire)| {
        validate(name, desire.overrides.as_deref().unwrap_or_default()).map_err(Error::from).map_err(of(name))
    })
}

fn of(name: &str) -> impl Fn(Error) -> Failed {
    move |error| (name.into(), error.problem())
}

impl Course<'_> {
    fn run(&mut self, desires: &BTreeMap<String, PluginSpec>) -> Result<(), Failed> {
        for (name, desire) in desires {
            self.install(name, desire).map_err(of(name))?;
        }
        // Before they are enabled: an unconfigured plugin might not start.
        for (name, desire) in desires {
            self.configure(name, desire).map_err(of(name))?;
        }
        // Some may depend on others, in either direction: each one that succeeds may unblock the next.
        let mut left: Vec<_> = desires.iter().collect();
        while !left.is_empty() {
            let (mut waiting, mut last) = (Vec::new(), None);
            for (name, desire) in &left {
                match self.switch(name, desire.enabled) {
                    Err(
                        error @ Error::Store {
                            why: StoreError::MissingRequirements(_) | StoreError::RequiredByOthers(_),
                            ..
                        },
                    ) => {
                        waiting.push((*name, *desire));
                        last = Some(of(name)(error));
                    }
                    switched => switched.map_err(of(name))?,
                }
            }
            if let Some(last) = last.filter(|_| waiting.len() == left.len()) {
                return Err(last);
            }
            left = waiting;
        }
        Ok(())
    }

    fn install(&mut self, name: &str, desire: &PluginSpec) -> Result<(), Error> {
        let Some(package) = &desire.package else {
            self.verbs.attached.store.load_spec(name)?;
            return Ok(());
        };
        let state = self.verbs.attached.store.state()?;
        if let Ok((plugin, current, installed)) = state.installed(name) {
            let sha256 = digest(package)?;
            if installed.package == sha256 {
                return Ok(());
            }
            let is_it = |previous: &&Version| plugin.versions[*previous].package == sha256;
            if let Some(previous) = plugin.previous.as_ref().filter(is_it).filter(|_| desire.downgrade) {
                self.verbs.rollback(name, SWAP)?;
                let (version, replaces) = (previous.clone(), Some(current.clone()));
                self.did(name, Action::install(version, replaces));
                return Ok(());
            }
        }
        let how = if desire.downgrade { Install::new().downgrade() } else { Install::new() };
        let installation = self.verbs.install(package, Some(name), how, SWAP)?.installation;
        let Installation { metadata, replaces, .. } = installation;
        self.did(name, Action::install(metadata.version, replaces));
        Ok(())
    }

    fn configure(&mut self, name: &str, desire: &PluginSpec) -> Result<(), Error> {
        if let Some(config) = desire.config.as_ref()
            && self.verbs.config(name)?.value != *config
        {
            let how = Reconfigure { restart: desire.restart, if_revision: None, swap: SWAP };
            self.verbs.configure(name, config.clone(), how)?;
            self.did(name, Action::Configure);
        }
        if let Some(overrides) = &desire.overrides
            && self.verbs.attached.store.state()?.settings(name).overrides != *overrides
        {
            self.verbs.override_callbacks(name, overrides.clone())?;
            self.did(name, Action::Override);
        }
        Ok(())
    }

    fn switch(&mut self, name: &str, enabled: bool) -> Result<(), Error> {
        if self.verbs.attached.store.state()?.settings(name).enabled == enabled {
            return Ok(());
        }
        if enabled {
            self.verbs.enable(name)?;
            self.did(name, Action::Enable);
        } else {
            self.verbs.disable(name, None)?;
            self.did(name, Action::Disable);
        }
        Ok(())
    }

    fn did(&mut self, plugin: &str, action: Action) {
        self.steps.push(Step::new(plugin, action));
    }
}

fn digest(package: &Path) -> Result<Digest, Error> {
    digest_of_file(package).map_err(|source| Error::system(format!("read {}", package.display()), source))
}

impl Verbs<'_> {
    /// Changes what is said of a plugin's callbacks. Where it runs, they go on being called meanwhile.
    pub(crate) fn override_callbacks(self, name: &str, overrides: Vec<CallbackOverride>) -> Result<(), Error> {
        self.are_not_declared(name, &overrides)?;
        let mut change = self.attached.store.change()?;
        self.override_in(&mut change, name, overrides)
    }
}
