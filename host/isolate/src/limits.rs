//! The limits of a worker's process: what holds it to them, and which of them ended it.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;

use hookrail_model::isolation::{LimitView, LimitedBy, WorkerLimits};
use hookrail_model::log;
use hookrail_supervise::{Cgroup, Cgroups, GroupLimit, Limit, Reached, Spec};
use rustix::process::getuid;

/// What a worker maps besides the memory of its plugins: its program, its libraries, its stacks.
const OWN_MAPPED: u64 = 1 << 30;
/// What of that is in use.
const OWN_MEMORY: u64 = 64 << 20;

/// What a limit is by, in the order in which they are shown.
type Held = Vec<LimitView>;

/// Has a process held to limits, as far as the system does that here; also returns what holds it to which. `shared` is
/// the size of what it shares with its host, in bytes.
pub(crate) fn limited(mut spec: Spec, limits: &WorkerLimits, shared: u64) -> (Spec, Held) {
    let WorkerLimits { max_memory, max_files, max_processes, cpu_weight, .. } = *limits;
    let mut held = Held::new();
    let (group, grouped) = group(limits);
    let mut tell = |key: &str, value, by| held.push(LimitView::new(key, value, by));
    if let Some(memory) = max_memory {
        // In a group too: what is mapped without bound is refused before it is used, and that can be told by the plugin.
        spec = spec.limit(Limit::AddressSpace, memory.saturating_add(shared).saturating_add(OWN_MAPPED));
        let is_grouped = grouped.contains(&GroupLimit::Memory);
        tell("max_memory", memory, if is_grouped { LimitedBy::Cgroup } else { LimitedBy::Rlimit });
    }
    if let Some(files) = max_files {
        spec = spec.limit(Limit::Files, files);
        tell("max_files", files, LimitedBy::Rlimit);
    }
    if let Some(processes) = max_processes {
        let by = if grouped.contains(&GroupLimit::Processes) {
            LimitedBy::Cgroup
        } else if let Some(others) = processes_of_user() {
            spec = spec.limit(Limit::Processes, others.saturating_add(processes));
            LimitedBy::Rlimit
        } else {
            LimitedBy::Nothing
        };
        tell("max_processes", processes, by);
    }
    if let Some(weight) = cpu_weight {
        let is_grouped = grouped.contains(&GroupLimit::CpuWeight);
        tell("cpu_weight", weight, if is_grouped { LimitedBy::Cgroup } else { LimitedBy::Nothing });
    }
    (group.into_iter().fold(spec, Spec::cgroup), held)
}

/// The key of the limit that a process has ended at, as far as that shows: by what the system says of its group, or by
/// what it said last, which is asked for only if there are limits.
pub(crate) fn reached_by(
    limits: &WorkerLimits,
    reached: Reached,
    said: impl FnOnce() -> String,
) -> Option<(&'static str, u64)> {
    let WorkerLimits { max_memory, max_files, max_processes, .. } = *limits;
    max_memory.or(max_files).or(max_processes)?;
    let said = said();
    let has_said = |parts: &[&str]| parts.iter().any(|part| said.contains(part));
    let ends = [
        // In Rust, and in C++.
        ("max_memory", max_memory, reached.memory || has_said(&["memory allocation of ", "bad_alloc"])),
        ("max_files", max_files, has_said(&["(os error 24)", "Too many open files"])),
        (
            "max_processes",
            max_processes,
            reached.processes || has_said(&["(os error 11)", "Resource temporarily unavailable"]),
        ),
    ];
    ends.into_iter().find_map(|(key, most, is_reached)| Some((key, most.filter(|_| is_reached)?)))
}

/// A group with those of the limits that groups have here.
fn group(limits: &WorkerLimits) -> (Option<Cgroup>, Vec<GroupLimit>) {
    let wanted = [
        (GroupLimit::Memory, limits.max_memory.map(|memory| memory.saturating_add(OWN_MEMORY))),
        (GroupLimit::Processes, limits.max_processes),
        (GroupLimit::CpuWeight, limits.cpu_weight),
    ];
    let mut wanted: Vec<_> = wanted.into_iter().filter_map(|(limit, most)| Some((limit, most?))).collect();
    let Some(groups) = (!wanted.is_empty()).then(Cgroups::of_host).flatten() else { return Default::default() };
    wanted.retain(|(limit, _)| groups.can(*limit));
    if wanted.is_empty() {
        return Default::default();
    }
    match groups.create(&wanted) {
        Ok(group) => (Some(group), wanted.into_iter().map(|(limit, _)| limit).collect()),
        Err(error) => {
            log!(warn, "a worker has no group of its own: {error}");
            Default::default()
        }
    }
}

/// How many processes and threads this user has, which is what the system counts where there are no groups; `None` for
/// root, whom it does not hold to that.
fn processes_of_user() -> Option<u64> {
    let user = getuid();
    let tasks = |entry: io::Result<fs::DirEntry>| {
        let process = entry.ok()?.path();
        (process.metadata().ok()?.uid() == user.as_raw()).then_some(())?;
        Some(fs::read_dir(process.join("task")).ok()?.count() as u64)
    };
    let all = || Some(fs::read_dir("/proc").ok()?.filter_map(tasks).sum());
    (!user.is_root()).then(all)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_that_was_reached_is_told_if_there_is_one() {
        let limits = WorkerLimits::default().with_max_memory(7).with_max_processes(8).with_max_files(9);
        let none = Reached::default;
        for (reached, said, key) in [
            (none(), "memory allocation of 4096 bytes failed\n", Some(("max_memory", 7))),
            (none(), "terminate called after throwing an instance of 'std::bad_alloc'\n", Some(("max_memory", 7))),
            (none(), "cannot open: Too many open files (os error 24)\n", Some(("max_files", 9))),
            (none(), "Os { code: 11, message: \"Resource temporarily unavailable\" }", Some(("max_processes", 8))),
            (none(), "it has failed\n", None),
        ] {
            assert_eq!(reached_by(&limits, reached, || said.into()), key, "{said}");
            assert_eq!(reached_by(&WorkerLimits::default(), reached, || said.into()), None, "{said}");
        }
    }
}
