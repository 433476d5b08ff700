//! The units of instances in this worker: their processes are the host's.

use std::collections::HashMap;
use std::fmt;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use hookrail_engine::{UnitControl, UnitEvent, UnitInbox, UnitNow, UnitSaid, UnitSpec};
use parking_lot::Mutex;

use super::questions::{Questions, Unanswered};
use crate::wire::{PluginId, Sender, ToHost, UnitAnswer, UnitAsk, UnitId};

/// The units of all plugins of this worker.
pub(super) struct Units {
    questions: Questions<UnitAnswer>,
    begun: Mutex<Begun>,
}

#[derive(Default)]
struct Begun {
    last: UnitId,
    inboxes: HashMap<UnitId, (PluginId, Arc<UnitInbox>)>,
}

impl Units {
    pub(super) fn new(host: Arc<Sender>) -> Arc<Self> {
        Arc::new(Units { questions: Questions::new(host), begun: Mutex::default() })
    }

    /// The host has answered.
    pub(super) fn answered(&self, number: u64, answer: UnitAnswer) {
        self.questions.answered(number, answer);
    }

    /// The host tells what has happened.
    pub(super) fn happened(&self, unit: UnitId, event: UnitEvent, descriptors: Vec<OwnedFd>) {
        let mut begun = self.begun.lock();
        let inbox = match event {
            UnitEvent::Gone => begun.inboxes.remove(&unit),
            _ => begun.inboxes.get(&unit).cloned(),
        };
        drop(begun);
        // Of one that nobody has begun nobody wants to know, and its descriptors are closed.
        let Some((plugin, inbox)) = inbox else { return };
        let order = match event {
            UnitEvent::Order { run, number, .. } => Some((run, number)),
            _ => None,
        };
        if !inbox.put(event, descriptors)
            && let Some((run, number)) = order
        {
            self.tell(plugin, UnitAsk::Say { unit, run, said: UnitSaid::Untaken(number) });
        }
    }

    fn tell(&self, plugin: PluginId, ask: UnitAsk) {
        self.questions.tell(&ToHost::Unit { number: 0, plugin, ask });
    }

    fn ask(&self, plugin: PluginId, ask: UnitAsk) -> Result<UnitAnswer, String> {
        let answer = self.questions.ask(|number| ToHost::Unit { number, plugin, ask }, |_| {});
        answer.map_err(|(Unanswered::Late(why) | Unanswered::NotAsked(why))| why)
    }
}

/// Those of one plugin.
pub(super) struct OfPlugin {
    pub(super) plugin: PluginId,
    pub(super) units: Arc<Units>,
}

/// A unit of a plugin.
struct Asked {
    unit: UnitId,
    plugin: PluginId,
    units: Arc<Units>,
}

impl Asked {
    fn tell(&self, ask: UnitAsk) {
        self.units.tell(self.plugin, ask);
    }
}

impl hookrail_engine::Units for OfPlugin {
    fn begin(&self, instance: &str, spec: UnitSpec, inbox: Arc<UnitInbox>) -> Result<Arc<dyn UnitControl>, String> {
        let unit = {
            let mut begun = self.units.begun.lock();
            begun.last += 1;
            let unit = begun.last;
            // First, since what happens to it may be heard before the answer is.
            begun.inboxes.insert(unit, (self.plugin, inbox));
            unit
        };
        let answer = self.units.ask(self.plugin, UnitAsk::Begin { unit, instance: instance.into(), spec });
        let refused = match answer {
            Ok(UnitAnswer::Began(Ok(()))) => {
                return Ok(Arc::new(Asked { unit, plugin: self.plugin, units: self.units.clone() }));
            }
            Ok(UnitAnswer::Began(Err(refused))) => refused,
            Ok(_) => "the host has answered something else".into(),
            Err(why) => {
                // It may still begin.
                self.units.tell(self.plugin, UnitAsk::End(unit));
                why
            }
        };
        self.units.begun.lock().inboxes.remove(&unit);
        Err(refused)
    }
}

impl UnitControl for Asked {
    fn say(&self, run: u64, said: UnitSaid) {
        self.tell(UnitAsk::Say { unit: self.unit, run, said });
    }

    fn signal(&self, signal: i32) -> bool {
        let answer = self.units.ask(self.plugin, UnitAsk::Signal { unit: self.unit, signal });
        matches!(answer, Ok(UnitAnswer::Signalled(true)))
    }

    fn now(&self) -> Option<UnitNow> {
        match self.units.ask(self.plugin, UnitAsk::Now(self.unit)) {
            Ok(UnitAnswer::Now(now)) => now,
            _ => None,
        }
    }

    fn end(&self) {
        self.tell(UnitAsk::End(self.unit));
    }
}

impl fmt::Debug for OfPlugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OfPlugin").field("plugin", &self.plugin).finish_non_exhaustive()
    }
}

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked").field("plugin", &self.plugin).field("unit", &self.unit).finish_non_exhaustive()
    }
}
