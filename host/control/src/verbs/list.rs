//! Loaded and installed plugins, side by side.

use std::collections::BTreeMap;
use std::path::Path;

use hookrail_engine::Remark;
use hookrail_model::error::ApiMisuse;
use hookrail_model::health::Health;
use hookrail_model::installed::{Kind, Listed};
use hookrail_model::package::Metadata;
use hookrail_model::view::{PluginView, Status};
use hookrail_store::{Declared, Depth};

use super::Verbs;
use crate::error::Error;

impl Verbs<'_> {
    /// The plugins that are loaded or installed, by name.
    pub(crate) fn list(self, loaded: Vec<PluginView>, depth: Depth) -> Result<Vec<PluginView>, Error> {
        let installed = self.attached.store.list(depth)?.into_iter();
        let mut loaded: BTreeMap<_, _> = loaded.into_iter().map(|plugin| (plugin.name.clone(), plugin)).collect();
        let mut plugins: Vec<_> = installed.map(|listed| self.both(loaded.remove(&listed.name), listed)).collect();
        plugins.extend(loaded.into_values().map(|plugin| self.alone(plugin)));
        plugins.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(plugins)
    }

    /// One plugin that is loaded or installed.
    pub(crate) fn view(self, name: &str) -> Result<PluginView, Error> {
        let loaded = self.core.view(name);
        let view = match self.attached.store.listed(name, Depth::Metadata)? {
            Some(listed) => Some(self.both(loaded, listed)),
            None => loaded.map(|plugin| self.alone(plugin)),
        };
        Ok(view.ok_or_else(|| ApiMisuse::NotLoaded(name.into()))?)
    }

    /// A loaded plugin that is not installed; if it came from the store, it has been uninstalled through another host.
    fn alone(self, mut plugin: PluginView) -> PluginView {
        if !plugin.file.as_ref().is_some_and(|file| self.is_of_store(&plugin.name, file)) {
            return plugin;
        }
        let reason = format!("it still runs, and is uninstalled; `hookrail plugin unload {}` removes it", plugin.name);
        (plugin.health, plugin.reason) = (Health::Degraded, Some(reason));
        plugin
    }

    /// An installed plugin, with what the host knows of it.
    fn both(self, loaded: Option<PluginView>, listed: Listed) -> PluginView {
        let mut plugin = loaded.unwrap_or_else(|| self.absent(&listed));
        self.judge(&mut plugin, &listed);
        self.remember(&mut plugin);
        plugin.installed = Some(listed);
        plugin
    }

    /// What an installed plugin declares, and its metadata if it is from a package. Unreadable parts are left out; the
    /// list reports why.
    pub(crate) fn said(self, name: &str) -> (Declared, Option<Metadata>) {
        let store = &self.attached.store;
        let metadata = store.installed_metadata(name).unwrap_or_default();
        let declared = match &metadata {
            Some(metadata) => Declared::from(metadata),
            None => store.state().and_then(|state| store.declared(&state, name)).unwrap_or_default(),
        };
        (declared, metadata)
    }

    /// Notes the rollback of a plugin that is otherwise healthy.
    fn remember(self, plugin: &mut PluginView) {
        if let (None, Some(Remark::GivenUp(why))) = (&plugin.reason, self.core.table.remarked(&plugin.name)) {
            (plugin.health, plugin.reason) = (Health::Degraded, Some(why));
        }
    }

    /// A plugin that is installed but not loaded.
    fn absent(self, listed: &Listed) -> PluginView {
        let status = if listed.enabled { Status::Stopped } else { Status::Disabled };
        let mut plugin = PluginView::new(&listed.name, listed.version.to_string(), status);
        plugin.isolation = Some(self.core.config.placed(&listed.name).unwrap_or_else(|| listed.isolation.clone()));
        plugin.former = self.core.table.history(&listed.name);
        if let Some(Remark::NotLoaded(why)) = self.core.table.remarked(&listed.name).filter(|_| listed.enabled) {
            (plugin.health, plugin.reason) = (Health::Failed, Some(why));
        }
        if let Some((doing, took)) = self.core.table.doing(&listed.name) {
            (plugin.health, plugin.reason) =
                (Health::Degraded, Some(format!("it is still being {doing} after {took:.1?}")));
        }
        plugin
    }

    /// Sets what is wrong with an installed plugin.
    fn judge(self, plugin: &mut PluginView, listed: &Listed) {
        let is_external = listed.kind == Kind::External;
        let why = if let Some(why) = &listed.reason {
            plugin.health = Health::Failed;
            why.clone()
        } else if let Some(file) =
            plugin.file.as_ref().filter(|file| is_external && !self.is_of_store(&listed.name, file))
        {
            plugin.health = Health::Degraded;
            format!("{file} runs in place of what is installed; `hookrail plugin unload {}` removes it", plugin.name)
        } else if plugin.version != listed.version.to_string() {
            plugin.health = Health::Degraded;
            let (serves, installed, name) = (&plugin.version, &listed.version, &plugin.name);
            format!("{serves} serves, {installed} is installed; `hookrail plugin unload {name}` and `start` load that")
        } else if !listed.enabled && is_external && plugin.loaded {
            plugin.health = Health::Degraded;
            let name = &plugin.name;
            format!("it still runs, and is disabled; `hookrail plugin enable {name}` keeps it, `unload` removes it")
        } else {
            return;
        };
        plugin.reason = Some(plugin.reason.take().map_or_else(|| why.clone(), |reason| format!("{why}; {reason}")));
    }

    /// Whether a file was installed as a plugin of that name.
    fn is_of_store(self, name: &str, file: &str) -> bool {
        Path::new(file).starts_with(self.attached.store.directory_of(name))
    }
}
