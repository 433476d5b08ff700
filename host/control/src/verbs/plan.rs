//! Where the callbacks of a plugin are in their chains, or would be if it ran.

use std::collections::BTreeMap;

use hookrail_dispatch::view;
use hookrail_model::command::Planned;
use hookrail_model::config::CallbackOverride;
use hookrail_model::instance::plugin_of;
use hookrail_model::note::NoteHook;
use hookrail_model::order::Place;
use hookrail_model::view::CallbackView;
use hookrail_store::State;

use super::Verbs;

impl Verbs<'_> {
    /// The places of these callbacks of a plugin, among those of the loaded plugins and of the plugins that hosts
    /// should load.
    pub(super) fn plan(self, name: &str, hooks: &[NoteHook], state: &State) -> Vec<Planned> {
        let mut chains = self.chains(name, state);
        let own = self.placed(name, hooks, &state.settings(name).overrides);
        for (point, callback) in &own {
            chains.entry(point.clone()).or_default().push(callback.clone());
        }
        chains.values_mut().for_each(|chain| chain.sort());
        let planned = own.into_iter().map(|(point, callback)| {
            let chain = &chains[&point];
            let at = chain.iter().position(|other| *other == callback).expect("it was added");
            let neighbour = |at: Option<usize>| at.and_then(|at| chain.get(at)).map(named);
            let is_known = self.core.registry.point(&point).is_some();
            let mut planned = Planned::new(point, named(&callback), callback.priority);
            planned.point_known = is_known;
            (planned.position, planned.chain_length) = (at + 1, chain.len());
            (planned.previous, planned.next) = (neighbour(at.checked_sub(1)), neighbour(Some(at + 1)));
            planned
        });
        planned.collect()
    }

    /// The chains without the callbacks of that plugin.
    fn chains(self, name: &str, state: &State) -> BTreeMap<String, Vec<Place<String>>> {
        let mut chains = BTreeMap::<_, Vec<_>>::new();
        for point in view::points(&self.core.registry) {
            let others = point.chain.into_iter().filter(|callback| plugin_of(&callback.instance) != name);
            let placed = others.map(|CallbackView { priority, instance, name, .. }| Place { priority, instance, name });
            chains.entry(point.point).or_default().extend(placed);
        }
        let absent = state.enabled().filter(|other| *other != name && self.core.table.plugin(other).is_none());
        for other in absent {
            // What cannot be read will not be loaded either.
            let Ok(declared) = self.attached.store.declared(state, other) else { continue };
            for (point, callback) in self.placed(other, &declared.hooks, &state.settings(other).overrides) {
                chains.entry(point).or_default().push(callback);
            }
        }
        chains
    }

    /// What a plugin declares, as the operator wants it, once for each of its instances.
    fn placed(self, name: &str, hooks: &[NoteHook], overrides: &[CallbackOverride]) -> Vec<(String, Place<String>)> {
        let config = &self.core.config;
        let mut placed = Vec::new();
        for (instance, _) in config.instances(name) {
            for hook in hooks {
                let wish = config.override_of(overrides, &hook.point, &instance, &hook.name);
                let priority = wish.and_then(|(wish, _)| wish.priority).unwrap_or(hook.priority);
                let (instance, name) = (instance.clone(), hook.name.clone());
                placed.push((hook.point.clone(), Place { priority, instance, name }));
            }
        }
        placed
    }
}

fn named(Place { instance, name, .. }: &Place<String>) -> String {
    format!("{instance}/{name}")
}
