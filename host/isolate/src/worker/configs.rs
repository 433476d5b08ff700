//! The configurations that instances in this worker read and write: the host decides about them.

use std::fmt;
use std::sync::Arc;

use hookrail_engine::{NotWritten, Taken, Writable};

use super::questions::{Questions, Unanswered};
use crate::wire::{ConfigAnswer, ConfigAsk, PluginId, ToHost};

type Answer = Result<ConfigAnswer, NotWritten>;

/// What all plugins of this worker ask.
pub(super) type Configs = Questions<Answer>;

/// Those of one plugin.
pub(super) struct OfPlugin {
    pub(super) plugin: PluginId,
    pub(super) configs: Arc<Configs>,
}

impl OfPlugin {
    fn ask(&self, instance: &str, ask: ConfigAsk, taken: Option<Taken>) -> Answer {
        let (plugin, instance) = (self.plugin, instance.to_owned());
        let ask = move |number| ToHost::Config { number, plugin, instance, ask };
        let heard = |answer: &Answer| {
            if let (Some(taken), Ok(ConfigAnswer { revision, .. })) = (taken, answer) {
                taken(*revision);
            }
        };
        self.configs.ask(ask, heard).unwrap_or_else(|unanswered| {
            Err(match unanswered {
                Unanswered::Late(why) => NotWritten::Busy(why),
                Unanswered::NotAsked(why) => NotWritten::Refused(why),
            })
        })
    }
}

impl Writable for OfPlugin {
    fn stored(&self, instance: &str) -> Result<(String, u64), NotWritten> {
        let ConfigAnswer { json, revision } = self.ask(instance, ConfigAsk::Stored, None)?;
        Ok((json, revision))
    }

    fn write(&self, instance: &str, json: &str, if_revision: Option<u64>, taken: Taken) -> Result<u64, NotWritten> {
        let ask = ConfigAsk::Write { json: json.into(), if_revision };
        Ok(self.ask(instance, ask, Some(taken))?.revision)
    }
}

impl fmt::Debug for OfPlugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OfPlugin").field("plugin", &self.plugin).finish_non_exhaustive()
    }
}
