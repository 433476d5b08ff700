//! Tells the host what a plugin counts: how much memory it holds, and its own numbers.

use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use hookrail_loader::{Meter, Numbers};
use hookrail_model::memory::Memory;

use crate::wire::{PluginId, Sender, ToHost};

/// How often the counters are read.
const OFTEN: Duration = Duration::from_millis(100);

/// Tells the host what both say whenever that has changed, until the plugin is closed.
pub(super) fn watch(plugin: PluginId, meter: Option<&Arc<Meter>>, numbers: Option<&Arc<Numbers>>, host: &Arc<Sender>) {
    if meter.is_none() && numbers.is_none() {
        return;
    }
    let (meter, numbers, host) = (meter.map(Arc::downgrade), numbers.map(Arc::downgrade), host.clone());
    let watch = move || {
        let (mut told_memory, mut told_numbers) = (None, None);
        loop {
            let (memory, counted) = (held(meter.as_ref()), bits(numbers.as_ref()));
            if memory.is_none() && counted.is_none() {
                return;
            }
            let memory_news = memory.filter(|now| told_memory.replace(*now) != Some(*now));
            let numbers_news = counted.filter(|now| told_numbers.as_ref() != Some(now));
            let told = memory_news.map(|(held, total)| ToHost::Memory(plugin, held, total));
            let told = told.into_iter().chain(numbers_news.map(|now| {
                told_numbers = Some(now.clone());
                ToHost::Numbers(plugin, now)
            }));
            for news in told {
                if host.send(&news, &[]).is_err() {
                    return;
                }
            }
            thread::sleep(OFTEN);
        }
    };
    // Without the thread the numbers are missing, and nothing else is.
    let _ = thread::Builder::new().name("hookrail-counts".into()).spawn(watch);
}

fn held(meter: Option<&Weak<Meter>>) -> Option<(Memory, u64)> {
    let view = meter?.upgrade()?.view();
    Some((view.held, view.total_allocations))
}

fn bits(numbers: Option<&Weak<Numbers>>) -> Option<Vec<u64>> {
    Some(numbers?.upgrade()?.bits())
}
