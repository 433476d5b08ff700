//! The configurations that instances in this worker read and write: the host decides about them.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use hookrail_engine::{NotWritten, Taken, Writable};
use parking_lot::Mutex;

use crate::wire::{ConfigAnswer, ConfigAsk, PluginId, Sender, ToHost};

/// How long the host has for an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// How many may wait for an answer at once.
const AT_ONCE: usize = 16;

type Answer = Result<ConfigAnswer, NotWritten>;

/// The questions that the host has not answered yet.
pub(super) struct Configs {
    host: Arc<Sender>,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    last: u64,
    waiting: HashMap<u64, Waiting>,
}

struct Waiting {
    taken: Option<Taken>,
    answer: SyncSender<Answer>,
}

impl Configs {
    pub(super) fn new(host: Arc<Sender>) -> Arc<Self> {
        Arc::new(Configs { host, open: Mutex::default() })
    }

    /// The host has answered. Runs on the thread that hears the host, so before whatever the host says next.
    pub(super) fn answered(&self, number: u64, answer: Answer) {
        let Some(Waiting { taken, answer: waiting }) = self.open.lock().waiting.remove(&number) else { return };
        if let (Some(taken), Ok(ConfigAnswer { revision, .. })) = (taken, &answer) {
            taken(*revision);
        }
        // Whoever asked may have given up.
        let _ = waiting.try_send(answer);
    }

    fn ask(&self, plugin: PluginId, instance: &str, ask: ConfigAsk, taken: Option<Taken>) -> Answer {
        let (answer, answered) = sync_channel(1);
        let number = {
            let mut open = self.open.lock();
            if open.waiting.len() >= AT_ONCE {
                return Err(NotWritten::Busy("the host has not answered the questions before this one".into()));
            }
            open.last += 1;
            let number = open.last;
            open.waiting.insert(number, Waiting { taken, answer });
            number
        };
        let asked = ToHost::Config { number, plugin, instance: instance.into(), ask };
        if let Err(error) = self.host.send(&asked, None) {
            self.open.lock().waiting.remove(&number);
            return Err(NotWritten::Refused(format!("the host cannot be asked: {error}")));
        }
        answered.recv_timeout(PATIENCE).unwrap_or_else(|error| {
            let what = match error {
                RecvTimeoutError::Timeout => "in time, and may still write it",
                RecvTimeoutError::Disconnected => "",
            };
            Err(NotWritten::Busy(format!("the host has not answered {what}").trim_end().into()))
        })
    }
}

/// Those of one plugin.
pub(super) struct OfPlugin {
    pub(super) plugin: PluginId,
    pub(super) configs: Arc<Configs>,
}

impl Writable for OfPlugin {
    fn stored(&self, instance: &str) -> Result<(String, u64), NotWritten> {
        let ConfigAnswer { json, revision } = self.configs.ask(self.plugin, instance, ConfigAsk::Stored, None)?;
        Ok((json, revision))
    }

    fn write(&self, instance: &str, json: &str, if_revision: Option<u64>, taken: Taken) -> Result<u64, NotWritten> {
        let ask = ConfigAsk::Write { json: json.into(), if_revision };
        Ok(self.configs.ask(self.plugin, instance, ask, Some(taken))?.revision)
    }
}

impl fmt::Debug for OfPlugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OfPlugin").field("plugin", &self.plugin).finish_non_exhaustive()
    }
}
