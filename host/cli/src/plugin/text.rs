//! Plugins in readable form.

use std::fmt::Write;

use hookrail::control::command::{Ended, ImportResult, PluginDetail, Replaced};
use hookrail::store::{Kind, Listed, SignatureStatus, TrustSource};
use hookrail::{End, LimitView, Memory, MemoryView, Placed, PlacedBy, PluginView, UpgradeTimes, WorkerView};
use indicatif::HumanBytes;

use crate::harmless::part;
use crate::hooks::{fault, origin};
use crate::place::place;
use crate::table::{Column, Target, table};
use crate::{inspect, print};

pub(super) fn list(plugins: &[PluginView]) -> String {
    if plugins.is_empty() {
        return "no plugin is loaded, and none is installed; `hookrail plugin install FILE` installs a package".into();
    }
    let columns = [
        Column::Text("plugin"),
        Column::Text("version"),
        Column::Text("status"),
        Column::Text("health"),
        Column::Text("signature"),
        Column::Text("process"),
        Column::Number("gen"),
        Column::Number("memory"),
        Column::Text("instances"),
    ];
    let rows = plugins.iter().map(|plugin| {
        vec![
            plugin.name.clone(),
            plugin.version.clone(),
            plugin.status.name().into(),
            plugin.health.name().into(),
            plugin.installed.as_ref().map_or("a file", |installed| installed.signature.name()).into(),
            plugin.isolation.as_ref().map_or_else(|| "-".into(), |placed| placed.process.to_string()),
            plugin.generation.map_or_else(|| "-".into(), |generation| generation.to_string()),
            match &plugin.memory {
                Some(memory) => held(memory),
                None => "-".into(),
            },
            plugin.instances.join(", "),
        ]
    });
    let reasons = plugins
        .iter()
        .filter_map(|plugin| Some(format!("\n  {}", part(format!("{}: {}", plugin.name, plugin.reason.as_ref()?)))));
    table(Target::Stdout, &columns, rows) + &reasons.collect::<String>()
}

pub(super) fn show(detail: &PluginDetail) -> String {
    let plugin = &detail.plugin;
    let mut text =
        format!("{}, {}\n", print::bold(&format!("{} {}", plugin.name, plugin.version)), part(about(plugin)));
    if let Some(installed) = &plugin.installed {
        let _ = writeln!(text, "{}", part(about_installed(installed, plugin.loaded)));
    }
    if let Some(place) = &plugin.isolation {
        let _ = writeln!(text, "{}", part(placed(place)));
    }
    if let Some(metadata) = &detail.metadata {
        let _ = write!(text, "{}\n{}\n", part(metadata.description.clone()), inspect::about(metadata));
    }
    if let Some(memory) = &plugin.memory {
        let MemoryView { held: Memory { allocations, .. }, total_allocations, .. } = memory;
        let _ = writeln!(text, "memory: {} in {allocations} of {total_allocations} allocations", held(memory));
    }
    if let Some(worker) = &plugin.worker {
        let _ = writeln!(text, "{}", part(about_worker(worker)));
        for limit in &worker.limits {
            let _ = writeln!(text, "  {}", part(about_limit(limit)));
        }
    }
    let columns = [
        Column::Text("point"),
        Column::Number("priority"),
        Column::Text("origin"),
        Column::Text("callback"),
        Column::Text("on fault"),
        Column::Number("faults"),
    ];
    let rows = detail.callbacks.iter().map(|hook| {
        let callback = &hook.callback;
        vec![
            hook.point.clone(),
            callback.priority.to_string(),
            origin(callback),
            callback.callback.clone(),
            fault(callback).into(),
            callback.faults.to_string(),
        ]
    });
    match detail.callbacks.is_empty() {
        true if plugin.declared.is_empty() => text.push_str("  no callbacks"),
        true => {
            let _ = write!(text, "declared, and in no chain now:\n{}", inspect::hooks(&plugin.declared));
        }
        false => text.push_str(&table(Target::Stdout, &columns, rows)),
    }
    for left_out in &detail.left_out {
        let left_out = part(format!("{} on {}", left_out.callback, left_out.point));
        let _ = write!(text, "\n  declared and not registered: {left_out}");
    }
    text.push_str(&inspect::endpoints(&plugin.endpoints));
    if !plugin.former.is_empty() {
        let columns = [Column::Number("generation"), Column::Text("version"), Column::Text("how it ended")];
        let rows = plugin.former.iter().map(|former| {
            vec![
                former.generation.to_string(),
                former.version.clone(),
                end(&former.end, former.skipped_destructors, former.unfreed_memory),
            ]
        });
        let _ = write!(text, "\n\n{}", table(Target::Stdout, &columns, rows));
    }
    text
}

/// Where an installed plugin comes from.
fn about_installed(installed: &Listed, is_loaded: bool) -> String {
    let Listed { kind, signature, trusted_by: by, installed_at: at, previous, enabled, .. } = installed;
    let kind_is_prebuilt = *kind == Kind::Prebuilt;
    let kind = match kind {
        Kind::External => "installed from a package",
        Kind::Prebuilt => "bundled with the program",
        _ => "of an origin that this version does not know",
    };
    let standing = match (signature, by) {
        (SignatureStatus::Signed | SignatureStatus::Unsigned, Some(by)) => trusted_by(by),
        _ => signature.name().into(),
    };
    let at = at.as_ref().map(|at| format!(", since {at}")).unwrap_or_default();
    let previous = previous.as_ref().map(|version| format!(", before it {version}")).unwrap_or_default();
    let enabled = match (enabled, kind_is_prebuilt && is_loaded) {
        (true, _) => "enabled",
        // Its configuration or command line names it.
        (false, true) => "loaded by this host itself, not enabled for others",
        (false, false) => "disabled",
    };
    format!("{kind}, {standing}{at}{previous}, {enabled}")
}

/// What makes a package trusted.
pub(super) fn trusted_by(by: &TrustSource) -> String {
    match by {
        TrustSource::Allowed => "allowed by you".into(),
        TrustSource::Key { id, name, .. } => format!("signed by {name} ({id})"),
        _ => "trusted for a reason that this version does not know".into(),
    }
}

pub(super) fn line(plugin: &PluginView) -> String {
    part(format!("{} {}, {}", plugin.name, plugin.version, about(plugin)))
}

fn about(plugin: &PluginView) -> String {
    let generation = plugin.generation.map_or_else(String::new, |generation| format!("generation {generation}, "));
    let reason = plugin.reason.as_ref().map(|reason| format!(", {}: {reason}", plugin.health.name()));
    format!("{generation}{}{}", plugin.status.name(), reason.unwrap_or_default())
}

/// In which process a plugin runs, and why there.
pub(super) fn placed(placed: &Placed) -> String {
    let why = match placed.by {
        PlacedBy::Command => ", until it is unloaded".into(),
        PlacedBy::Default => String::new(),
        PlacedBy::Note => ", as its note asks for".into(),
        by => format!(", as {by} says"),
    };
    format!("runs {}{why}", place(&placed.process))
}

fn about_worker(worker: &WorkerView) -> String {
    let WorkerView { name, state, pid, restarts, last_end, .. } = worker;
    let pid = pid.map_or_else(String::new, |pid| format!(", process {pid}"));
    let restarts = match restarts {
        0 => String::new(),
        1 => ", started again once".into(),
        times => format!(", started again {times} times"),
    };
    let last_end = last_end.as_ref().map_or_else(String::new, |how| format!(", the last time since it {how}"));
    format!("worker {name}: {state}{pid}{restarts}{last_end}")
}

fn about_limit(limit: &LimitView) -> String {
    let LimitView { key, value, by, .. } = limit;
    let value = if key == "max_memory" { HumanBytes(*value).to_string() } else { value.to_string() };
    format!("{key} {value}, {by}")
}

pub(super) fn replaced(replaced: &Replaced) -> String {
    let Replaced { plugin, generation, version, times: took, old, .. } = replaced;
    let text = format!(
        "{plugin} {version}, generation {generation}: {}; before it {} {}",
        times(took),
        old.version,
        ending(old)
    );
    part(text)
}

/// How long the phases of an upgrade took.
pub(crate) fn times(took: &UpgradeTimes) -> String {
    let UpgradeTimes { copy, open, create, swap, .. } = took;
    format!("copy {copy:.1?}, open {open:.1?}, create {create:.1?}, swap {swap:.1?}")
}

pub(super) fn ending(ended: &Ended) -> String {
    let end = end(&ended.end, ended.skipped_destructors, ended.unfreed_memory);
    part(format!("generation {}: {end}", ended.generation))
}

/// The memory that a plugin holds, and its limit if it exceeds that.
fn held(memory: &MemoryView) -> String {
    let held = HumanBytes(memory.held.bytes).to_string();
    match memory.max_bytes {
        Some(max) if memory.over => format!("{held}, over the {} allowed", HumanBytes(max)),
        _ => held,
    }
}

fn end(end: &End, skipped: usize, left: Option<Memory>) -> String {
    let mut text = end.to_string();
    if let End::PinnedByThreads(_) = end {
        text.push_str("; when they have ended it is closed");
    }
    if skipped > 0 {
        let _ = write!(text, "; {skipped} destructor(s) of its thread-locals were never run");
    }
    if let Some(left) = left.filter(|left| left.allocations > 0) {
        let _ = write!(text, "; {}", lost(left));
    }
    text
}

/// The memory that was never freed.
pub(crate) fn lost(left: Memory) -> String {
    format!("{} in {} allocation(s) of it are lost", HumanBytes(left.bytes), left.allocations)
}

/// What was done with a package from the drop-in directory.
pub(crate) fn taken(taken: &ImportResult) -> String {
    let ImportResult { file, installation, error, .. } = taken;
    part(match (installation, error) {
        (Some(installation), _) => {
            format!("{} was installed from {}", installation.metadata.full_name(), file.display())
        }
        (None, Some(error)) if taken.waiting => {
            format!("{} waits to be tried again: error[{}]: {error}", file.display(), error.code)
        }
        (None, Some(error)) => format!("{} was refused: error[{}]: {error}", file.display(), error.code),
        (None, None) => file.display().to_string(),
    })
}

#[cfg(test)]
mod tests {
    use hookrail::GenerationView;

    use super::*;

    #[test]
    fn losses_of_former_generations_are_shown() {
        let left = Some(Memory::new(96, 3));
        let mut former = GenerationView::new(1, "1.0.0", End::Unmapped);
        (former.skipped_destructors, former.unfreed_memory) = (2, left);
        let plugin = serde_json::json!({
            "name": "a", "version": "2.0.0", "generation": 2, "status": "running", "instances": ["a"], "log_level": "info",
            "former": [former],
        });
        let plugin = serde_json::from_value(plugin).unwrap();
        let text = show(&PluginDetail::new(plugin));
        let last = text.lines().last().unwrap();
        let lost =
            "unmapped; 2 destructor(s) of its thread-locals were never run; 96 B in 3 allocation(s) of it are lost";
        assert!(last.ends_with(lost), "{text}");
    }

    #[test]
    fn memory_beyond_the_limit_is_shown() {
        let held = Memory::new(3 << 20, 5);
        let memory = |max_bytes| MemoryView::new(held, 9, Some(max_bytes));
        assert_eq!(super::held(&memory(4 << 20)), "3.00 MiB");
        assert_eq!(super::held(&memory(1 << 20)), "3.00 MiB, over the 1.00 MiB allowed");
    }
}
