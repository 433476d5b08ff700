//! Finding plugins and loading them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use hookrail::control::{Manager, NotLoaded};
use hookrail::package::Home;
use hookrail::store::{self, Store, StoreError};
use hookrail::{ApiMisuse, Config, Host};

use crate::args::Setup;
use crate::error::Error;
use crate::prebuilt::operators;
use crate::{overrides, points, settings};

/// The plugins that the command line and the configuration name, before any of them is loaded.
pub(crate) struct Chosen {
    pub(crate) config: Config,
    /// The store, if installed plugins are loaded too.
    store: Option<Store>,
    /// The files, by plugin name.
    pub(crate) files: BTreeMap<String, PathBuf>,
    /// Whether nothing that happens is to be kept in the store.
    pub(crate) is_trial: bool,
}

impl Chosen {
    pub(crate) fn by(setup: &Setup) -> Result<Self, Error> {
        let config = settings::read()?.config;
        let store = if setup.no_store { None } else { store_if_any(&config)? };
        let files = files(setup, &config, store.as_ref())?;
        Ok(Chosen { config, store, files, is_trial: false })
    }

    /// Whether installed plugins are loaded too.
    pub(crate) fn has_store(&self) -> bool {
        self.store.is_some()
    }

    /// Adds the plugins that pipelines use and nobody has named otherwise, as far as they came with the program.
    pub(crate) fn add_used(&mut self) -> Result<(), Error> {
        let finder = Finder::new(&[]);
        let (installed, enabled) = self.store.as_ref().map_or_else(|| Ok(Default::default()), installed)?;
        for plugin in used(&self.config) {
            // What is enabled is loaded with what the store has of it.
            let is_stored = installed.contains(&plugin) || enabled.contains(&plugin);
            if !is_stored && !self.files.contains_key(&plugin) {
                let file = finder.find(&plugin)?;
                self.files.insert(plugin, file);
            }
        }
        Ok(())
    }

    /// Leaves out the files of plugins without a callback on that point; what is installed and enabled stays.
    pub(crate) fn retain_those_on(&mut self, point: &str) -> Result<(), Error> {
        let mut others = Vec::new();
        for (name, file) in &self.files {
            if !hookrail::inspect(file)?.note.hooks.iter().any(|hook| hook.point == point) {
                others.push(name.clone());
            }
        }
        others.iter().for_each(|name| _ = self.files.remove(name));
        Ok(())
    }

    /// A host with all of them, and its manager. `program` is what the catalogue of points calls it.
    pub(crate) fn load(self, program: &'static str) -> Result<(Host, Manager), Error> {
        let host = Host::new(self.config)?;
        host.is_program(program);
        // SAFETY: only the operator and root can open its socket, and they could run any code in this process anyway.
        let manager = unsafe { Manager::new(&host) };
        // Before any plugin's code runs.
        points::check(&host).map_err(hookrail::Error::from)?;
        for file in self.files.values() {
            // SAFETY: the operator named it, and trusts it as this program.
            unsafe { host.load(file)? };
        }
        if let Some(store) = self.store {
            // SAFETY: what is enabled there was signed by whom the operator trusts, or he allowed it.
            let failed = unsafe { if self.is_trial { manager.try_store(store) } else { manager.open_store(store) } };
            let mut failed = failed?.into_iter();
            // Enabled plugins are relied on: without one, messages might pass that should not.
            if let Some(first) = failed.next() {
                failed.for_each(|NotLoaded { plugin, error, .. }| tracing::error!(plugin, "cannot be loaded: {error}"));
                return Err(Error::Enabled(Box::new(first)));
            }
        }
        overrides::check(&host).map_err(hookrail::Error::from)?;
        Ok((host, manager))
    }
}

/// The plugins that pipelines use, of those that come with the program.
pub(crate) fn used(config: &Config) -> BTreeSet<String> {
    let uses = config.pipelines.values().flat_map(|pipeline| {
        let sources = pipeline.sources.values().map(|source| &source.uses);
        sources.chain(pipeline.sinks.values().map(|sink| &sink.uses))
    });
    // `PLUGIN:INSTANCE/ENDPOINT`, of which the last two may be missing.
    let plugins: BTreeSet<_> = uses.filter_map(|uses| uses.split([':', '/']).next()).collect();
    operators().filter(|plugin| plugins.contains(plugin)).map(Into::into).collect()
}

/// A host with the plugins that the command line and the configuration name.
pub(crate) fn host(setup: &Setup) -> Result<Host, Error> {
    Ok(Chosen::by(setup)?.load("hookrail run")?.0)
}

/// The store. If there is no home and none can be created, there is none, since a run does not need it.
pub(crate) fn store_if_any(config: &Config) -> Result<Option<Store>, Error> {
    match store(config) {
        Err(error) if !config.home_dir().join("state.json").exists() => {
            tracing::debug!("nothing is installed, and nothing can be installed: {error}");
            Ok(None)
        }
        store => store.map(Some),
    }
}

/// The store in the configuration's home, with the plugins that came with the program.
pub(crate) fn store(config: &Config) -> Result<Store, Error> {
    let finder = Finder::new(&[]);
    let prebuilt = operators().filter_map(|name| Some((name.to_owned(), finder.find(name).ok()?)));
    let store = Store::open(Home::open(config.home_dir())?)?;
    // SAFETY: they lie beside the program, or where the operator has the program look, and are trusted as it is.
    Ok(store.with_prebuilt(prebuilt, |file| unsafe { hookrail::schema(file) }))
}

/// The files to load, by plugin name. A file on the command line takes precedence over the one in the configuration.
fn files(setup: &Setup, config: &Config, store: Option<&Store>) -> Result<BTreeMap<String, PathBuf>, Error> {
    let finder = Finder::new(&setup.directories);
    let (installed, enabled) = store.map_or_else(|| Ok(Default::default()), installed)?;
    let mut files = BTreeMap::new();
    for plugin in &setup.plugins {
        if let Some(name) = plugin.to_str().filter(|name| installed.contains(*name) && !plugin.exists()) {
            if enabled.contains(name) {
                continue;
            }
            return Err(store::Error::refused(name, StoreError::Disabled).into());
        }
        let file = finder.resolve(plugin)?;
        let name = hookrail::inspect(&file)?.note.name;
        if let Some(first) = files.insert(name.clone(), file.clone()) {
            return Err(Error::TwicePlugin { name, first, second: file });
        }
    }
    for (name, plugin) in &config.plugins {
        if files.contains_key(name) {
            continue;
        }
        if plugin.library.is_none() && installed.contains(name) {
            if !enabled.contains(name) && plugin.required {
                return Err(store::Error::refused(name, StoreError::Disabled).into());
            }
            if !enabled.contains(name) {
                tracing::warn!("[plugins.{name}] is about a plugin that is disabled: `hookrail plugin enable {name}`");
            }
            continue;
        }
        let file = plugin.library.clone().map_or_else(|| finder.find(name), Ok)?;
        // Its configuration is found by the name in the file: under another name it would be ignored.
        let is_it = hookrail::inspect(&file).and_then(|inspection| match inspection.note.name {
            found if found == *name => Ok(()),
            found => Err(ApiMisuse::another_plugin(name, found).into()),
        });
        is_it.map_err(|error| Error::Library { plugin: name.clone(), error: Box::new(error) })?;
        files.insert(name.clone(), file);
    }
    Ok(files)
}

/// The names of the installed plugins, and of the enabled ones.
fn installed(store: &Store) -> Result<(BTreeSet<String>, BTreeSet<String>), Error> {
    let state = store.state()?;
    let installed = state.plugins().iter().filter(|(_, plugin)| plugin.current.is_some());
    let enabled = state.enabled().map(str::to_owned).collect();
    Ok((installed.map(|(name, _)| name.clone()).collect(), enabled))
}

/// The directories in which plugins are looked for.
pub(crate) struct Finder {
    directories: Vec<PathBuf>,
}

impl Finder {
    /// The given directories, then that of the program, then those in `$HOOKRAIL_PLUGINS`.
    pub(crate) fn new(directories: &[PathBuf]) -> Self {
        let program = std::env::current_exe().ok().and_then(|program| program.parent().map(Path::to_owned));
        let variable = std::env::var_os("HOOKRAIL_PLUGINS").unwrap_or_default();
        let from_variable = std::env::split_paths(&variable).filter(|directory| !directory.as_os_str().is_empty());
        Finder { directories: directories.iter().cloned().chain(program).chain(from_variable).collect() }
    }

    pub(crate) fn directories(&self) -> &[PathBuf] {
        &self.directories
    }

    /// The library of the plugin with that name.
    pub(crate) fn find(&self, name: &str) -> Result<PathBuf, Error> {
        let files = file_names(name);
        let candidates = self.directories.iter().flat_map(|directory| files.iter().map(|file| directory.join(file)));
        candidates
            .into_iter()
            .find(|file| file.is_file())
            .ok_or_else(|| Error::NoPlugin { name: name.into(), looked: self.directories.clone() })
    }

    /// The library for an argument: a file, or a name to look for.
    pub(crate) fn resolve(&self, argument: &Path) -> Result<PathBuf, Error> {
        match argument.to_str() {
            Some(name) if is_name(name) && !argument.exists() => self.find(name),
            _ => Ok(argument.into()),
        }
    }
}

/// The file names that a plugin's library may have: that of a prebuilt plugin, and that of any other package.
fn file_names(name: &str) -> [String; 2] {
    let name = name.replace('-', "_");
    [format!("libhookrail_{name}.so"), format!("lib{name}.so")]
}

fn is_name(argument: &str) -> bool {
    !argument.is_empty() && argument.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_told_from_a_file() {
        for (argument, name) in
            [("mask", true), ("file-log", true), ("./mask", false), ("libmask.so", false), ("", false)]
        {
            assert_eq!(is_name(argument), name, "{argument}");
        }
    }

    #[test]
    fn a_dash_in_a_name_is_an_underscore_in_its_file() {
        assert_eq!(file_names("file-log"), ["libhookrail_file_log.so", "libfile_log.so"]);
    }

    #[test]
    fn a_missing_plugin_is_named_with_the_directories() {
        let finder = Finder { directories: vec!["/nowhere".into()] };
        let error = finder.find("mask").unwrap_err();
        assert_eq!(error.to_string(), "there is no plugin `mask` in /nowhere");
        assert!(error.fix().contains("cargo build --release"));
        assert!(finder.find("mine").unwrap_err().fix().contains("--plugin FILE"));
    }
}
