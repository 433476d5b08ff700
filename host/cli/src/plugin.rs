//! `hookrail plugin`: the plugins of a running host, and what is installed.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use hookrail::control::Command;
use hookrail::control::wire::{Ended, PluginDetail, Replaced};
use hookrail::{End, Memory, MemoryView, PluginView, UpgradeTimes};
use indicatif::HumanBytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::args::{Common, Plugin};
use crate::error::Error;
use crate::exit::ExitCode;
use crate::hooks::{fault, origin};
use crate::table::{Column, Target, table};
use crate::{print, remote, store, talk};

pub(crate) fn run(command: &Plugin) -> Result<ExitCode, Error> {
    let wait_ms = |no_wait: bool| no_wait.then_some(0);
    match command {
        Plugin::Store(command) => store::run(command),
        Plugin::List { installed, verify, common } if *installed || *verify => store::list(*verify, common.json),
        Plugin::List { common, .. } => match ask(common, &Command::List, |plugins: &Vec<PluginView>| list(plugins)) {
            Err(Error::NoneRuns(_)) if common.selection.is_empty() => {
                talk::line("no host is running: this is what is installed");
                store::list(false, common.json)
            }
            listed => listed,
        },
        Plugin::Show { name, common } => ask(common, &Command::Show { plugin: name.clone() }, show),
        Plugin::Log { name, level, common } => {
            let told = |plugin: &PluginView| format!("{}, log {}", line(plugin), plugin.log.name());
            ask(common, &Command::Log { plugin: name.clone(), level: *level }, told)
        }
        Plugin::Load { file, common } => ask(common, &Command::Load { file: absolute(file)? }, line),
        Plugin::Upgrade { name, file, fresh, no_wait, common } => {
            let (plugin, file) = (name.clone(), absolute(file)?);
            let command = Command::Upgrade { plugin, file, fresh: *fresh, wait_ms: wait_ms(*no_wait) };
            ask(common, &command, replaced)
        }
        Plugin::Unload { name, no_wait, common } => {
            let command = Command::Unload { plugin: name.clone(), wait_ms: wait_ms(*no_wait) };
            ask(common, &command, |ended: &Ended| format!("{} {}", ended.plugin, ending(ended)))
        }
        Plugin::Stop { name, common } => ask(common, &Command::Stop { plugin: name.clone() }, line),
        Plugin::Start { name, common } => ask(common, &Command::Start { plugin: name.clone() }, line),
    }
}

/// Has a command carried out, and prints the answer.
fn ask<T: Serialize + DeserializeOwned>(
    common: &Common,
    command: &Command,
    text: impl FnOnce(&T) -> String,
) -> Result<ExitCode, Error> {
    let answer: T = remote::connect(&common.selection)?.ask(command)?;
    if common.json {
        print::json(&answer)?
    } else {
        print::line(text(&answer))?
    }
    Ok(ExitCode::Ok)
}

/// The file as the host will find it, from whatever folder.
fn absolute(file: &Path) -> Result<PathBuf, Error> {
    let failed = |source| Error::Input { file: file.display().to_string(), source };
    // Looked for here as well: what is not there is told as with other files.
    std::fs::metadata(file).map_err(failed)?;
    std::path::absolute(file).map_err(failed)
}

fn list(plugins: &[PluginView]) -> String {
    if plugins.is_empty() {
        return "no plugin is loaded".into();
    }
    let columns = [
        Column::Text("plugin"),
        Column::Text("version"),
        Column::Number("generation"),
        Column::Text("status"),
        Column::Number("memory"),
        Column::Text("instances"),
    ];
    let rows = plugins.iter().map(|plugin| {
        vec![
            plugin.name.clone(),
            plugin.version.clone(),
            plugin.generation.to_string(),
            plugin.status.name().into(),
            plugin.memory.as_ref().map_or_else(|| "not counted".into(), held),
            plugin.instances.join(", "),
        ]
    });
    table(Target::Stdout, &columns, rows)
}

fn show(detail: &PluginDetail) -> String {
    let plugin = &detail.plugin;
    let mut text = format!("{}, {}\n", print::bold(&format!("{} {}", plugin.name, plugin.version)), about(plugin));
    if let Some(memory) = &plugin.memory {
        let MemoryView { held: Memory { allocations, .. }, total_allocations, .. } = memory;
        let _ = writeln!(text, "memory: {} in {allocations} of {total_allocations} allocations", held(memory));
    }
    let columns = [
        Column::Text("point"),
        Column::Number("priority"),
        Column::Text("origin"),
        Column::Text("instance"),
        Column::Text("callback"),
        Column::Text("on fault"),
        Column::Number("faults"),
    ];
    let rows = detail.hooks.iter().map(|hook| {
        let callback = &hook.callback;
        vec![
            hook.point.clone(),
            callback.priority.to_string(),
            origin(callback),
            callback.instance.clone(),
            callback.callback.clone(),
            fault(callback).into(),
            callback.faults.to_string(),
        ]
    });
    match detail.hooks.is_empty() {
        true => text.push_str("  no callbacks"),
        false => text.push_str(&table(Target::Stdout, &columns, rows)),
    }
    for left_out in &detail.left_out {
        let _ = write!(text, "\n  declared and not registered: {} on {}", left_out.callback, left_out.point);
    }
    if !plugin.former.is_empty() {
        let columns = [Column::Number("generation"), Column::Text("version"), Column::Text("how it ended")];
        let rows = plugin.former.iter().map(|former| {
            vec![former.generation.to_string(), former.version.clone(), end(&former.end, former.skipped, former.left)]
        });
        let _ = write!(text, "\n\n{}", table(Target::Stdout, &columns, rows));
    }
    text
}

fn line(plugin: &PluginView) -> String {
    format!("{} {}, {}", plugin.name, plugin.version, about(plugin))
}

fn about(plugin: &PluginView) -> String {
    format!("generation {}, {}", plugin.generation, plugin.status.name())
}

fn replaced(replaced: &Replaced) -> String {
    let Replaced { plugin, generation, version, times: took, old } = replaced;
    format!("{plugin} {version}, generation {generation}: {}; before it {} {}", times(took), old.version, ending(old))
}

/// How long the parts of an upgrade took.
pub(crate) fn times(took: &UpgradeTimes) -> String {
    let UpgradeTimes { copy, open, create, swap } = took;
    format!("copy {copy:.1?}, open {open:.1?}, create {create:.1?}, swap {swap:.1?}")
}

fn ending(ended: &Ended) -> String {
    format!("generation {}: {}", ended.generation, end(&ended.end, ended.skipped, ended.left))
}

/// What a plugin holds, beside what it may where it holds more.
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

/// What was never freed.
pub(crate) fn lost(left: Memory) -> String {
    format!("{} in {} allocation(s) of it are lost", HumanBytes(left.bytes), left.allocations)
}

#[cfg(test)]
mod tests {
    use hookrail::{GenerationView, Status};

    use super::*;

    #[test]
    fn what_a_former_generation_lost_is_shown() {
        let left = Some(Memory { bytes: 96, allocations: 3 });
        let former = GenerationView { generation: 1, version: "1.0.0".into(), end: End::Unmapped, skipped: 2, left };
        let plugin = PluginView {
            name: "a".into(),
            version: "2.0.0".into(),
            generation: 2,
            status: Status::Running,
            instances: vec!["a".into()],
            declared: Vec::new(),
            log: hookrail::LogLevel::Info,
            memory: None,
            former: vec![former],
        };
        let text = show(&PluginDetail { plugin, hooks: Vec::new(), left_out: Vec::new() });
        let last = text.lines().last().unwrap();
        let lost =
            "unmapped; 2 destructor(s) of its thread-locals were never run; 96 B in 3 allocation(s) of it are lost";
        assert!(last.ends_with(lost), "{text}");
    }

    #[test]
    fn what_a_plugin_holds_beyond_what_it_may_is_shown() {
        let held = Memory { bytes: 3 << 20, allocations: 5 };
        let memory = |max_bytes, over| MemoryView { held, total_allocations: 9, max_bytes, over };
        assert_eq!(super::held(&memory(Some(4 << 20), false)), "3.00 MiB");
        assert_eq!(super::held(&memory(Some(1 << 20), true)), "3.00 MiB, over the 1.00 MiB allowed");
    }
}
