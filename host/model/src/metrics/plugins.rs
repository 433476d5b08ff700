//! Plugins, and the workers that they run in.

use std::collections::BTreeMap;

use super::{Family, FamilyKind, PLUGIN};
use crate::health::Health;
use crate::isolation::{WorkerState, WorkerView};
use crate::plugin_metrics::{MetricInfo, PluginMetric};
use crate::view::{PluginView, Status};

/// The families of plugins that are loaded, or should be: one that cannot be loaded is there with its health.
pub fn of_plugins(plugins: &[PluginView]) -> Vec<Family> {
    let mut info = Family::gauge("hookrail_plugin_info", "The version of the plugin; always 1.");
    let mut running = Family::gauge("hookrail_plugin_up", "Whether the plugin runs: 1 or 0.");
    let mut health = Family::gauge("hookrail_plugin_health", "1 for the health that the plugin has, 0 for the others.");
    let mut bytes = Family::gauge("hookrail_plugin_memory_bytes", "Memory that the plugin holds, if it counts that.");
    let mut blocks = Family::gauge("hookrail_plugin_memory_blocks", "Blocks of memory that the plugin holds.");
    let mut most = Family::gauge("hookrail_plugin_memory_limit_bytes", "Memory that the plugin may hold.");
    let mut allocated =
        Family::counter("hookrail_plugin_allocations_total", "Blocks of memory that this generation has allocated.");
    let (mut workers, mut own) = (BTreeMap::new(), BTreeMap::new());
    for plugin in plugins.iter().filter(|plugin| plugin.loaded || plugin.health == Health::Failed) {
        let name = (PLUGIN, &*plugin.name);
        info.add([name, ("version", &plugin.version)], 1);
        running.add([name], (plugin.status == Status::Running).into());
        for each in [Health::Degraded, Health::Failed, Health::Good] {
            health.add([name, ("health", each.name())], (plugin.health == each).into());
        }
        if let Some(memory) = plugin.memory {
            bytes.add([name], memory.held.bytes);
            blocks.add([name], memory.held.allocations);
            allocated.add([name], memory.total_allocations);
            if let Some(max_bytes) = memory.max_bytes {
                most.add([name], max_bytes);
            }
        }
        add_own(&mut own, plugin);
        // Plugins that share one have the same.
        workers.extend(plugin.worker.as_ref().map(|worker| (&worker.name, worker)));
    }
    let mut families = vec![info, running, health, bytes, blocks, most, allocated];
    families.extend(of_workers(workers.into_values()));
    families.extend(own.into_values());
    families
}

/// The numbers that a plugin counts itself: under its own name, so that no two plugins mean different things by one.
fn add_own(own: &mut BTreeMap<String, Family>, plugin: &PluginView) {
    for PluginMetric { info, value, .. } in &plugin.metrics {
        let MetricInfo { help, kind, .. } = info;
        let mut full = format!("hookrail_plugins_{}_{}", plugin.name.replace('-', "_"), info.full_name());
        if *kind == FamilyKind::Counter {
            full.push_str("_total");
        }
        let family = own.entry(full.clone()).or_insert_with(|| Family::of(full, help, *kind));
        // Names with dashes and underscores may meet: the first one says what it is.
        if family.kind == *kind {
            family.sample("", [(PLUGIN, &plugin.name)], *value as f64);
        }
    }
}

fn of_workers<'a>(workers: impl Iterator<Item = &'a WorkerView>) -> [Family; 3] {
    let mut up = Family::gauge("hookrail_worker_up", "Whether the worker's process serves: 1 or 0.");
    let mut restarts =
        Family::counter("hookrail_worker_restarts_total", "Processes started in place of one that had ended.");
    let mut dropped = Family::counter(
        "hookrail_worker_dropped_calls_total",
        "Calls that nobody waits for, dropped since the queue was full or no process ran.",
    );
    for worker in workers {
        let name = ("worker", &*worker.name);
        up.add([name], (worker.state == WorkerState::Running).into());
        restarts.add([name], worker.restarts);
        dropped.add([name], worker.dropped);
    }
    [up, restarts, dropped]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::{Memory, MemoryView};
    use crate::metrics::text;

    #[test]
    fn a_loaded_plugin_has_series_and_an_unloaded_one_none() {
        let mut plugin = PluginView::new("mask", "1.2.3", Status::Running);
        (plugin.loaded, plugin.health) = (true, Health::Degraded);
        plugin.memory = Some(MemoryView::new(Memory::new(4096, 3), 17, Some(1 << 20)));
        let shown = text(&of_plugins(&[plugin.clone(), PluginView::new("gone", "1.0.0", Status::Unloaded)]));
        for line in [
            r#"hookrail_plugin_info{plugin="mask",version="1.2.3"} 1"#,
            r#"hookrail_plugin_up{plugin="mask"} 1"#,
            r#"hookrail_plugin_health{health="degraded",plugin="mask"} 1"#,
            r#"hookrail_plugin_health{health="good",plugin="mask"} 0"#,
            r#"hookrail_plugin_memory_bytes{plugin="mask"} 4096"#,
            r#"hookrail_plugin_memory_limit_bytes{plugin="mask"} 1048576"#,
            r#"hookrail_plugin_allocations_total{plugin="mask"} 17"#,
        ] {
            assert!(shown.contains(&format!("{line}\n")), "{line} is missing in\n{shown}");
        }
        plugin.metrics = vec![MetricInfo::new("seen", "What it saw.", FamilyKind::Counter).with_bits(5)];
        let own = text(&of_plugins(&[plugin]));
        assert!(own.contains("# TYPE hookrail_plugins_mask_seen_total counter\n"), "{own}");
        assert!(own.contains("hookrail_plugins_mask_seen_total{plugin=\"mask\"} 5\n"), "{own}");
        assert!(!shown.contains("gone") && !shown.contains("worker"), "{shown}");

        let mut failed = PluginView::new("broken", "1.0.0", Status::Stopped);
        failed.health = Health::Failed;
        assert!(text(&of_plugins(&[failed])).contains(r#"hookrail_plugin_health{health="failed",plugin="broken"} 1"#));
    }
}
