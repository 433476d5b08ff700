//! Tells the host how much memory a plugin holds.

use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use hookrail_loader::Meter;
use hookrail_model::memory::Memory;

use crate::wire::{PluginId, Sender, ToHost};

/// How often the counters are read.
const OFTEN: Duration = Duration::from_millis(100);

/// Tells the host what the meter says whenever that has changed, until the plugin is closed.
pub(super) fn watch(plugin: PluginId, meter: &Arc<Meter>, host: &Arc<Sender>) {
    let (meter, host) = (Arc::downgrade(meter), host.clone());
    let watch = move || {
        let mut told = None;
        while let Some(now) = held(&meter) {
            if told != Some(now) {
                told = Some(now);
                if host.send(&ToHost::Memory(plugin, now.0, now.1), &[]).is_err() {
                    return;
                }
            }
            thread::sleep(OFTEN);
        }
    };
    // Without the thread the numbers are missing, and nothing else is.
    let _ = thread::Builder::new().name("hookrail-memory".into()).spawn(watch);
}

fn held(meter: &Weak<Meter>) -> Option<(Memory, u64)> {
    let view = meter.upgrade()?.view();
    Some((view.held, view.total_allocations))
}
