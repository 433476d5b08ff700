//! A list of what shall be installed, enabled and configured, carried out step by step.

use std::collections::BTreeMap;
use std::path::Path;

use super::Manager;
use super::verbs::Swap;
use crate::config::HookOverride;
use crate::control::wire::{Applied, Deed, Desire, Problem, Step};
use crate::error::Error;
use crate::package::Digest;
use crate::store::{Install, Installation, Refused};

const SWAP: Swap = Swap { fresh: false, wait_ms: None };

/// What is done, and what came of it so far.
struct Course<'a> {
    manager: Manager<'a>,
    dry_run: bool,
    steps: Vec<Step>,
}

impl Manager<'_> {
    /// Carries out what is not so yet. Stops at the first step that fails; those before it stay.
    pub(crate) fn apply(self, desires: &BTreeMap<String, Desire>, dry_run: bool) -> Applied {
        let mut course = Course { manager: self, dry_run, steps: Vec::new() };
        let (failed, problem) = course.run(desires).err().unzip();
        Applied { steps: course.steps, dry_run, failed, problem }
    }
}

impl Course<'_> {
    fn run(&mut self, desires: &BTreeMap<String, Desire>) -> Result<(), (String, Problem)> {
        let of = |name: &String| {
            let name = name.clone();
            move |error: Error| (name, Problem::from(&error))
        };
        for (name, desire) in desires {
            self.install(name, desire).map_err(of(name))?;
        }
        // Before they are enabled: what is not configured may not start.
        for (name, desire) in desires {
            self.configure(name, desire).map_err(of(name))?;
        }
        // Some may need others, in either direction: whatever goes first makes room for the next.
        let mut left: Vec<_> = desires.iter().collect();
        while !left.is_empty() {
            let (mut waiting, mut last) = (Vec::new(), None);
            for (name, desire) in &left {
                match self.switch(name, desire.enabled) {
                    Err(error @ Error::Store { why: Refused::Lacks(_) | Refused::Needed(_), .. }) => {
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

    fn install(&mut self, name: &str, desire: &Desire) -> Result<(), Error> {
        let Some(package) = &desire.package else {
            return self.manager.stock.store.wanted(name).map(|_| ());
        };
        if self.has(name, package)? {
            return Ok(());
        }
        let how = Install { dry_run: self.dry_run, downgrade: desire.downgrade };
        let installation = self.manager.install(package, Some(name), how, SWAP)?.installation;
        let Installation { metadata, replaces, .. } = installation;
        self.did(name, Deed::Install { version: metadata.version, replaces });
        Ok(())
    }

    /// Whether what is installed came from this very file.
    fn has(&self, name: &str, package: &Path) -> Result<bool, Error> {
        let state = self.manager.stock.store.state()?;
        let Ok((_, _, installed)) = state.installed(name) else { return Ok(false) };
        let failed = |source| Error::System { what: format!("read {}", package.display()), source };
        Ok(installed.package == Digest::of_file(package).map_err(failed)?)
    }

    fn configure(&mut self, name: &str, desire: &Desire) -> Result<(), Error> {
        // Of a plugin that a dry run would have installed nothing is known yet.
        if self.dry_run && self.steps.iter().any(|step| step.plugin == name) {
            let deeds =
                [desire.config.as_ref().map(|_| Deed::Configure), desire.hooks.as_ref().map(|_| Deed::Override)];
            deeds.into_iter().flatten().for_each(|deed| self.did(name, deed));
            return Ok(());
        }
        if let Some(config) = desire.config.as_ref() {
            let is_new = self.manager.config(name)?.value != *config;
            if is_new && !self.dry_run {
                self.manager.configure(name, config.clone(), desire.restart, SWAP)?;
            }
            if is_new {
                self.did(name, Deed::Configure);
            }
        }
        let Some(hooks) = &desire.hooks else { return Ok(()) };
        if self.manager.stock.store.state()?.desired(name).hooks == *hooks {
            return Ok(());
        }
        if !self.dry_run {
            self.manager.override_hooks(name, hooks.clone())?;
        }
        self.did(name, Deed::Override);
        Ok(())
    }

    fn switch(&mut self, name: &str, enabled: bool) -> Result<(), Error> {
        if self.manager.stock.store.state()?.desired(name).enabled == enabled {
            return Ok(());
        }
        match (enabled, self.dry_run) {
            (_, true) => {}
            (true, false) => _ = self.manager.enable(name)?,
            (false, false) => _ = self.manager.disable(name, None)?,
        }
        self.did(name, if enabled { Deed::Enable } else { Deed::Disable });
        Ok(())
    }

    fn did(&mut self, plugin: &str, deed: Deed) {
        self.steps.push(Step { plugin: plugin.into(), deed });
    }
}

impl Manager<'_> {
    /// Changes what is said of a plugin's callbacks. Where it runs, the next generation of the same code takes
    /// its place with it.
    pub(crate) fn override_hooks(self, name: &str, hooks: Vec<HookOverride>) -> Result<(), Error> {
        let mut upgraded = None;
        let mut change = self.stock.store.change()?;
        let overridden = change.override_hooks(name, hooks, |wanted| {
            upgraded = self.replace(wanted.clone(), SWAP)?;
            Ok(())
        });
        overridden.inspect_err(|_| self.go_back(upgraded.as_ref()))?;
        self.leave_stopped(name)
    }
}
