//! The operator's verbs, in the store and in the host.

use std::path::Path;
use std::time::Duration;

use hookrail_dispatch::reclaim;
use hookrail_engine::Upgraded;
use hookrail_model::command::{Changed, Ended, Installed, Replaced, Staged, Uninstalled, Validated};
use hookrail_model::error::{ApiMisuse, Error as HostError};
use hookrail_model::installed::{Allowance, Installation};
use hookrail_model::log;
use hookrail_model::package::Digest;
use hookrail_model::view::Status;
use hookrail_store::{Install, LoadSpec, StoreError, Version};

use super::start::Opened;
use super::{Swap, Verbs};
use crate::ending;
use crate::error::Error;

impl Verbs<'_> {
    pub(crate) fn allow(
        self,
        name: &str,
        version: Version,
        sha256: Digest,
        lasts: Duration,
    ) -> Result<Allowance, Error> {
        Ok(self.attached.store.change()?.allow(name, version, sha256, lasts)?)
    }

    /// A dry run of an installation.
    pub(crate) fn validate(self, file: &Path) -> Result<Validated, Error> {
        let swap = Swap { fresh: false, wait_ms: None };
        let Installation { metadata, trusted_by, .. } =
            self.install(file, None, Install::new().dry_run(), swap)?.installation;
        Ok(Validated::new(metadata, trusted_by))
    }

    pub(crate) fn stage(self, file: &Path) -> Result<Staged, Error> {
        let mut change = self.attached.store.change()?;
        let (installation, file) = change.stage(file)?;
        let metadata = &installation.metadata;
        let plan = self.plan(&metadata.name, &metadata.hooks, change.state());
        Ok(Staged::new(installation, plan, file))
    }

    /// As [`install`](Self::install), for a plugin that is already installed.
    pub(crate) fn upgrade(self, file: &Path, plugin: &str, how: Install, swap: Swap) -> Result<Installed, Error> {
        self.attached.store.state()?.installed(plugin)?;
        self.install(file, Some(plugin), how, swap)
    }

    /// Installs a package, which must be of `plugin` if that is given. If another version of the plugin runs, this one
    /// replaces it.
    pub(crate) fn install(
        self,
        file: &Path,
        plugin: Option<&str>,
        how: Install,
        swap: Swap,
    ) -> Result<Installed, Error> {
        let mut change = self.attached.store.change()?;
        let is_meant = |found: &str| match plugin {
            Some(plugin) if found != plugin => Err(ApiMisuse::another_plugin(plugin, found)),
            _ => Ok(()),
        };
        let mut upgraded = None;
        let installed = change.install::<Error>(file, how, |spec| {
            is_meant(&spec.library.name)?;
            upgraded = self.bring_in(spec.clone(), swap, how.dry_run)?;
            Ok(())
        });
        let installation =
            installed.inspect_err(|_| self.go_back(upgraded.as_ref())).or_else(|error| match &error {
                Error::Store { plugin: found, .. } => is_meant(found).map_err(Error::from).and(Err(error)),
                _ => Err(error),
            })?;
        let metadata = &installation.metadata;
        if !how.dry_run {
            self.leave_stopped(&metadata.name)?;
        }
        let plan = self.plan(&metadata.name, &metadata.hooks, change.state());
        // Other changes may proceed while this one waits.
        drop(change);
        Ok(Installed::new(installation, plan, self.waited(upgraded, swap)))
    }

    pub(crate) fn rollback(self, name: &str, swap: Swap) -> Result<Changed, Error> {
        let mut upgraded = None;
        let mut change = self.attached.store.change()?;
        let rolled_back = change.rollback::<Error>(name, |spec| {
            upgraded = self.bring_in(spec.clone(), swap, false)?;
            Ok(())
        });
        rolled_back.inspect_err(|_| self.go_back(upgraded.as_ref()))?;
        self.leave_stopped(name)?;
        drop(change);
        let replaced = self.waited(upgraded, swap);
        let mut changed = Changed::new(true, self.view(name)?);
        changed.replaced = replaced;
        Ok(changed)
    }

    pub(crate) fn enable(self, name: &str) -> Result<Changed, Error> {
        let mut change = self.attached.store.change()?;
        let mut is_loaded = false;
        let changed = change.enable::<Error>(name, |spec| {
            if !self.attached.is_live {
                self.foresee(spec)?;
                self.is_configured(spec)?;
            } else if self.core.table.plugin(name).is_none() {
                self.load(Opened::of(spec.clone())?)?;
                is_loaded = true;
            }
            Ok(())
        });
        if changed.is_err() && is_loaded {
            self.unload(name, Some(0))?;
        }
        let changed = changed?;
        if !changed && self.attached.is_live && self.core.table.plugin(name).is_none() {
            // Another host has enabled it, or it has been unloaded here.
            self.load(Opened::of(self.attached.store.load_spec(name)?)?)?;
        }
        Ok(Changed::new(changed, self.view(name)?))
    }

    pub(crate) fn disable(self, name: &str, wait_ms: Option<u64>) -> Result<Changed, Error> {
        self.is_not_declared(name)?;
        let mut change = self.attached.store.change()?;
        self.settle(name)?;
        let changed = change.disable(name)?;
        drop(change);
        let ended = self.unload(name, wait_ms)?;
        let mut changed = Changed::new(changed, self.view(name)?);
        changed.ended = ended;
        Ok(changed)
    }

    pub(crate) fn uninstall(self, name: &str, purge: bool, wait_ms: Option<u64>) -> Result<Uninstalled, Error> {
        let mut change = self.attached.store.change()?;
        self.settle(name)?;
        let version = change.uninstall(name, purge)?;
        drop(change);
        let ended = self.unload(name, wait_ms)?;
        Ok(Uninstalled::new(name, version, purge, ended))
    }

    /// Loads a plugin that is enabled and not loaded.
    pub(crate) fn start(self, name: &str) -> Result<(), Error> {
        let spec = self.attached.store.load_spec(name)?;
        if !self.attached.store.state()?.settings(name).enabled {
            return Err(Error::Store { plugin: name.into(), why: StoreError::Disabled });
        }
        self.load(Opened::of(spec)?)
    }

    /// As [`replace`](Self::replace), with other code. Does nothing if the plugin is disabled and the running one was
    /// loaded by hand. In a dry run, and where no host runs, nothing is replaced: only what the next host would refuse is found out.
    fn bring_in(self, spec: LoadSpec, swap: Swap, dry_run: bool) -> Result<Option<Upgraded>, Error> {
        let is_enabled = self.attached.store.state()?.settings(&spec.library.name).enabled;
        if !is_enabled {
            return Ok(None);
        }
        if dry_run || !self.attached.is_live {
            self.foresee(&spec)?;
            return Ok(None);
        }
        self.replace(spec, swap)
    }

    /// Replaces the running plugin with this one, if one runs.
    pub(super) fn replace(self, spec: LoadSpec, swap: Swap) -> Result<Option<Upgraded>, Error> {
        let name = &spec.library.name;
        let runs = self.attached.is_live && self.core.table.status(name) != Some(Status::Stopped);
        let Some(plugin) = self.core.table.plugin(name).filter(|_| runs) else { return Ok(None) };
        let Opened { spec, copy } = Opened::of(spec)?;
        let wishes = self.wishes(&spec);
        // SAFETY: the store is live, so it came by `Manager::open_store`, whose caller trusts what is installed in it.
        let upgraded = unsafe { self.core.upgrade(&plugin, copy, swap.fresh, Some(wishes))? };
        Ok(Some(upgraded))
    }

    /// Unloads a stopped plugin when the installed version has changed, so that the next start loads the new one.
    pub(super) fn leave_stopped(self, name: &str) -> Result<(), Error> {
        if self.attached.is_live && self.core.table.status(name) == Some(Status::Stopped) {
            self.unload(name, Some(0))?;
        }
        Ok(())
    }

    /// Makes the host serve the stored version again, after the host was changed and the store could not be.
    pub(super) fn go_back(self, upgraded: Option<&Upgraded>) {
        let Some(name) = upgraded.map(|upgraded| upgraded.old.plugin()) else { return };
        let back = || -> Result<Upgraded, Error> {
            let spec = self.attached.store.load_spec(name)?;
            let (wishes, copy) = (self.wishes(&spec), spec.library.open()?);
            let plugin = self.core.table.plugin(name).ok_or_else(|| ApiMisuse::NotLoaded(name.into()))?;
            // SAFETY: it was replaced in a store that is live, which came by `Manager::open_store`: its caller trusts
            // what is installed.
            unsafe { Ok(self.core.recall(&plugin, spec.library.path, copy, wishes)?) }
        };
        if let Err(error) = back() {
            log!(error, plugin = name, "the running version is not the installed one: {error}");
        }
    }

    pub(super) fn waited(self, upgraded: Option<Upgraded>, swap: Swap) -> Option<Replaced> {
        upgraded.map(|upgraded| ending::replaced(self.core, upgraded, swap.wait_ms))
    }

    fn unload(self, name: &str, wait_ms: Option<u64>) -> Result<Option<Ended>, Error> {
        while let Some(plugin) = self.core.table.plugin(name) {
            match ending::unload(self.core, &plugin, wait_ms) {
                // Another operation has just begun, or has unloaded it.
                Err(Error::Host(HostError::ApiMisuse(ApiMisuse::Busy { .. }))) => self.settle(name)?,
                Err(Error::Host(HostError::ApiMisuse(ApiMisuse::NotLoaded(_)))) => {}
                ended => return ended.map(Some),
            }
        }
        Ok(None)
    }

    /// Waits until no operation on a plugin is in progress. Called before the store is changed, so that a plugin that
    /// cannot be unloaded now stays as it is.
    pub(super) fn settle(self, name: &str) -> Result<(), Error> {
        let timeout = if reclaim::is_inside() { Duration::ZERO } else { self.core.wait_timeout() };
        let plugin = self.core.table.plugin(name);
        Ok(plugin.map_or(Ok(()), |plugin| self.core.table.settle(&plugin, timeout))?)
    }
}
