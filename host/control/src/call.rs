//! A command that is being carried out: on what, and for whom.

use std::sync::Arc;

use hookrail_engine::{Core, Plugin};
use hookrail_model::error::ApiMisuse;
use hookrail_model::view::PluginView;
use hookrail_store::Depth;
use serde_json::Value;

use crate::attached_store::AttachedStore;
use crate::error::Error;
use crate::verbs::Verbs;

/// Whoever asks for something.
pub(crate) trait Caller {
    /// Whether nobody is there any more to take the answer.
    fn is_gone(&self) -> bool;

    /// What the program has to say of itself.
    fn report(&self) -> Value;
}

/// A command that is being carried out.
pub struct Call<'a> {
    core: &'a Arc<Core>,
    attached: Option<&'a AttachedStore>,
    asker: &'a dyn Caller,
}

impl<'a> Call<'a> {
    pub(crate) fn new(core: &'a Arc<Core>, attached: Option<&'a AttachedStore>, asker: &'a dyn Caller) -> Self {
        Call { core, attached, asker }
    }

    /// The host that it is carried out on.
    pub(crate) fn core(&self) -> &'a Arc<Core> {
        self.core
    }

    /// Whether nobody is there any more to take the answer: a long wait may end.
    pub fn is_gone(&self) -> bool {
        self.asker.is_gone()
    }

    /// What the program has to say of itself.
    pub(crate) fn report(&self) -> Value {
        self.asker.report()
    }

    /// The verbs on what is installed, where the host has a store.
    pub(crate) fn stored(&self) -> Option<Verbs<'a>> {
        self.attached.map(|attached| Verbs { core: self.core, attached })
    }

    /// The verbs on what is installed.
    pub(crate) fn verbs(&self) -> Result<Verbs<'a>, ApiMisuse> {
        self.stored().ok_or(ApiMisuse::NoStore)
    }

    /// A plugin that is loaded.
    pub(crate) fn find(&self, name: &str) -> Result<Plugin, ApiMisuse> {
        self.core.table.plugin(name).ok_or_else(|| ApiMisuse::NotLoaded(name.into()))
    }

    /// The plugins that are loaded or installed, by name.
    pub(crate) fn plugins(&self, depth: Depth) -> Result<Vec<PluginView>, Error> {
        match self.stored() {
            Some(verbs) => verbs.list(self.core.loaded(), depth),
            None => Ok(self.core.loaded()),
        }
    }

    /// One of them.
    pub(crate) fn view(&self, name: &str) -> Result<PluginView, Error> {
        match self.stored() {
            Some(verbs) => verbs.view(name),
            None => Ok(self.core.view(name).ok_or_else(|| ApiMisuse::NotLoaded(name.into()))?),
        }
    }
}
