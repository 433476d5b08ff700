//! Views of the plugins of a host.

use std::sync::Arc;
use std::time::Duration;

use hookrail_model::schema::Schema;
use hookrail_model::view::{GenerationView, PluginView, Status};

use super::{Entry, Former, Remark, Table};

impl Table {
    /// The loaded plugins, by name.
    pub fn views(&self) -> Vec<PluginView> {
        self.names.lock().by_name.iter().filter_map(|(name, entry)| entry.view(name)).collect()
    }

    /// One loaded plugin.
    pub(crate) fn view(&self, name: &str) -> Option<PluginView> {
        self.names.lock().by_name.get(name)?.view(name)
    }

    /// The schema that the configurations of a loaded plugin were validated against.
    pub fn schema(&self, name: &str) -> Option<Arc<Schema>> {
        self.names.lock().by_name.get(name)?.current.as_ref()?.schema.clone()
    }

    /// The status of a loaded plugin.
    pub fn status(&self, name: &str) -> Option<Status> {
        self.names.lock().by_name.get(name)?.current.as_ref().map(|current| current.status)
    }

    /// The operation in progress on a plugin, and how long it has been running.
    pub fn doing(&self, name: &str) -> Option<(&'static str, Duration)> {
        let names = self.names.lock();
        let doing = names.by_name.get(name)?.doing.as_ref()?;
        Some((doing.what, doing.since.elapsed()))
    }

    /// The operations that have taken longer than `limit`, with their plugins; each is returned once.
    pub(in crate::host) fn take_long(&self, limit: Duration) -> Vec<(String, &'static str, Duration)> {
        let mut names = self.names.lock();
        let long = names.by_name.iter_mut().filter_map(|(name, entry)| {
            let doing = entry.doing.as_mut().filter(|doing| !doing.is_told)?;
            let took = doing.since.elapsed();
            doing.is_told = took >= limit;
            doing.is_told.then(|| (name.clone(), doing.what, took))
        });
        long.collect()
    }

    /// What went wrong with a plugin, if anything did since the last operation on it.
    pub fn remarked(&self, name: &str) -> Option<Remark> {
        self.names.lock().by_name.get(name)?.remark.clone()
    }

    /// The former generations of a name, whether or not it is loaded.
    pub fn history(&self, name: &str) -> Vec<GenerationView> {
        self.names.lock().by_name.get(name).map(Entry::history).unwrap_or_default()
    }
}

impl Entry {
    fn view(&self, name: &str) -> Option<PluginView> {
        let current = self.current.as_ref()?;
        let mut view = PluginView::new(name, &*current.version, current.status);
        view.generation = Some(self.generation);
        view.file = Some(current.file.clone());
        view.instances = current.instances.clone();
        view.declared = current.declared.clone();
        view.endpoints = current.declared_endpoints.clone();
        view.loaded = true;
        view.log_level = current.diagnostics.level();
        view.health = current.said.health;
        view.reason = current.said.reason.clone();
        view.memory = current.meter.as_ref().map(|meter| meter.view());
        view.metrics = current.numbers.as_ref().map(|numbers| numbers.view()).unwrap_or_default();
        view.isolation = Some(current.placed.clone());
        view.worker = current.worker.as_ref().map(|worker| worker.view());
        view.former = self.history();
        Some(view)
    }

    fn history(&self) -> Vec<GenerationView> {
        let view = |former: &Former| {
            let mut view = GenerationView::new(former.generation, &*former.version, former.ticket.so_far());
            (view.skipped_destructors, view.unfreed_memory) =
                (former.ticket.skipped_destructors(), former.ticket.unfreed_memory());
            view
        };
        self.former.iter().map(view).collect()
    }
}
