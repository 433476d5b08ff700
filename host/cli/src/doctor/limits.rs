//! The limits of this process.

use std::fs;

use rustix::process::{Resource, getrlimit};

use super::finding::Finding;

const GROUP: &str = "limits";
/// Below that many descriptors a host with some files and workers has too few.
const FEW_FILES: u64 = 1024;
/// Below that many threads a host with some pipelines and workers has too few.
const FEW_THREADS: u64 = 512;

pub(super) fn look() -> Vec<Finding> {
    vec![files(), processes(), of_system(), locked()]
}

fn files() -> Finding {
    let limit = getrlimit(Resource::Nofile);
    let found = format!("{} open files, at most {}", number(limit.current), number(limit.maximum));
    if limit.current.is_none_or(|limit| limit >= FEW_FILES) {
        return Finding::ok(GROUP, "nofile", found);
    }
    Finding::warning(GROUP, "nofile", found, format!("`ulimit -n {FEW_FILES}` or more; under systemd LimitNOFILE="))
}

fn processes() -> Finding {
    let limit = getrlimit(Resource::Nproc);
    let found = format!("{} threads and processes of this user", number(limit.current));
    if limit.current.is_none_or(|limit| limit >= FEW_THREADS) {
        return Finding::ok(GROUP, "nproc", found);
    }
    Finding::warning(GROUP, "nproc", found, format!("`ulimit -u {FEW_THREADS}` or more; under systemd LimitNPROC="))
}

/// Those of the whole machine, or of the container.
fn of_system() -> Finding {
    const NAME: &str = "threads";
    let read = |file: &str| fs::read_to_string(file).ok()?.trim().parse::<u64>().ok();
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let own = own.lines().find_map(|line| line.strip_prefix("0::")).unwrap_or("/").to_owned();
    let limits = [
        ("kernel.pid_max", read("/proc/sys/kernel/pid_max")),
        ("kernel.threads-max", read("/proc/sys/kernel/threads-max")),
        ("pids.max of the cgroup", read(&format!("/sys/fs/cgroup{own}/pids.max"))),
    ];
    let lowest = limits.into_iter().filter_map(|(name, limit)| Some((limit?, name))).min();
    match lowest {
        Some((limit, name)) if limit < FEW_THREADS => {
            let found = format!("{limit} at the same time, by {name}");
            Finding::warning(
                GROUP,
                NAME,
                found,
                format!("raise {name} to {FEW_THREADS} or more; under systemd TasksMax="),
            )
        }
        Some((limit, name)) => Finding::ok(GROUP, NAME, format!("{limit} at the same time, by {name}")),
        None => Finding::note(GROUP, NAME, "the system says of no limit"),
    }
}

/// Nothing of a host locks memory; plugins may.
fn locked() -> Finding {
    Finding::note(
        GROUP,
        "memlock",
        format!("{} bytes may be locked, and hosts lock none", number(getrlimit(Resource::Memlock).current)),
    )
}

fn number(limit: Option<u64>) -> String {
    limit.map_or_else(|| "any number of".into(), |limit| limit.to_string())
}
