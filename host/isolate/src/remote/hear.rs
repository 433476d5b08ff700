//! What a worker says, heard on a thread of its own.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use super::live::{Asked, Live};
use super::replay::Replay;
use crate::wire::{PluginId, Receiver, ToHost};

impl Live {
    pub(super) fn asked(&self, plugin: PluginId) -> Option<Arc<dyn Asked>> {
        self.told.lock().get(&plugin)?.asked.as_ref()?.upgrade()
    }

    /// Hears what the worker says until it says nothing more.
    pub(super) fn hear(self: &Arc<Self>, mut receiver: Receiver, ready: &SyncSender<String>) {
        let mut replay = Replay::default();
        loop {
            match receiver.receive::<ToHost>() {
                Ok(Some((ToHost::Ready { version }, _))) => drop(ready.try_send(version)),
                Ok(Some((ToHost::Answer(number, answer), _))) => {
                    let waiting = self.pending.lock().answers.remove(&number);
                    if let Some(waiting) = waiting {
                        let _ = waiting.try_send(answer);
                    }
                }
                Ok(Some((ToHost::Bus { number, plugin, instance, ask }, _))) => {
                    if let Some(asked) = self.asked(plugin) {
                        asked.bus(self, number, &instance, ask);
                    }
                }
                Ok(Some((ToHost::Config { number, plugin, instance, ask }, _))) => {
                    // Of a plugin that is gone nobody is left to wait for an answer.
                    if let Some(asked) = self.asked(plugin) {
                        asked.config(self, number, instance, ask);
                    }
                }
                Ok(Some((ToHost::Dispatch { number, plugin }, _))) => {
                    if let Some(asked) = self.asked(plugin) {
                        asked.dispatch(self, number);
                    }
                }
                Ok(Some((ToHost::Fault { plugin, callback, kind, text }, _))) => {
                    if let Some(asked) = self.asked(plugin) {
                        asked.faulted(self, callback, kind, text);
                    }
                }
                Ok(Some((ToHost::Unit { number, plugin, ask }, _))) => {
                    if let Some(asked) = self.asked(plugin) {
                        asked.unit(self, number, ask);
                    }
                }
                Ok(Some((ToHost::Waits(plugin, end), _))) => {
                    if let Some(told) = self.told.lock().get_mut(&plugin) {
                        told.waits = Some(end);
                    }
                }
                Ok(Some((ToHost::Memory(plugin, held, total), _))) => {
                    let meter = self.told.lock().get(&plugin).and_then(|told| told.meter.clone());
                    if let Some(meter) = meter {
                        meter.tell(held, total);
                    }
                }
                Ok(Some((ToHost::Numbers(plugin, values), _))) => {
                    let numbers = self.told.lock().get(&plugin).and_then(|told| told.numbers.clone());
                    if let Some(numbers) = numbers {
                        numbers.tell(values);
                    }
                }
                Ok(Some((ToHost::Record(record), _))) => replay.tell(record),
                Ok(None) => break,
                // It does not keep to the form.
                Err(_) => {
                    self.kill();
                    break;
                }
            }
        }
        self.let_go();
    }
}
