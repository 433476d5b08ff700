//! A command in execution: on what, and for which caller.

use std::fmt;
use std::sync::Arc;

use hookrail_engine::{Core, PluginHandle};
use hookrail_model::error::ApiMisuse;
use hookrail_model::view::PluginView;
use hookrail_store::Depth;
use serde_json::Value;

use crate::attached_store::AttachedStore;
use crate::error::Error;
use crate::verbs::Verbs;

/// The caller that sent a command.
pub(crate) trait Caller {
    /// Whether the caller has gone and will not take the answer.
    fn is_gone(&self) -> bool;

    /// The program's own report.
    fn report(&self) -> Value;
}

/// A command in execution.
pub struct Call<'a> {
    core: &'a Arc<Core>,
    attached: Option<&'a AttachedStore>,
    caller: &'a dyn Caller,
}

impl fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("is_gone", &self.is_gone()).finish_non_exhaustive()
    }
}

impl<'a> Call<'a> {
    pub(crate) fn new(core: &'a Arc<Core>, attached: Option<&'a AttachedStore>, caller: &'a dyn Caller) -> Self {
        Call { core, attached, caller }
    }

    /// The host that it is executed on.
    pub(crate) fn core(&self) -> &'a Arc<Core> {
        self.core
    }

    /// Whether the caller has gone and will not take the answer; a long wait may end then.
    pub fn is_gone(&self) -> bool {
        self.caller.is_gone()
    }

    /// The program's own report.
    pub(crate) fn report(&self) -> Value {
        self.caller.report()
    }

    /// The verbs on the store, if the host has one.
    pub(crate) fn stored(&self) -> Option<Verbs<'a>> {
        self.attached.map(|attached| Verbs { core: self.core, attached })
    }

    /// The verbs on the store.
    pub(crate) fn verbs(&self) -> Result<Verbs<'a>, ApiMisuse> {
        self.stored().ok_or(ApiMisuse::NoStore)
    }

    /// A loaded plugin, by name.
    pub(crate) fn find(&self, name: &str) -> Result<PluginHandle, ApiMisuse> {
        self.core.table.plugin(name).ok_or_else(|| ApiMisuse::NotLoaded(name.into()))
    }

    /// The plugins that are loaded or installed, by name.
    pub(crate) fn plugins(&self, depth: Depth) -> Result<Vec<PluginView>, Error> {
        match self.stored() {
            Some(verbs) => verbs.list(self.core.loaded(), depth),
            None => Ok(self.core.loaded()),
        }
    }

    /// One plugin that is loaded or installed.
    pub(crate) fn view(&self, name: &str) -> Result<PluginView, Error> {
        match self.stored() {
            Some(verbs) => verbs.view(name),
            None => Ok(self.core.view(name).ok_or_else(|| ApiMisuse::NotLoaded(name.into()))?),
        }
    }
}
