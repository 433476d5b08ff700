//! What idle workers hold of memory.

use serde_json::json;

use super::passing::Passing;
use super::rows::Rows;

pub(super) fn measure(rows: &mut Rows) {
    for count in [1, 100] {
        let before = own();
        let all: Vec<_> = (0..count).map(|_| Passing::isolated(json!({}))).collect();
        let of = |name: &str| all.iter().map(|one| kib(one.worker(), name)).sum::<u64>() / count;
        let (shares, alone) = (of("Pss"), of("Private_Clean") + of("Private_Dirty"));
        let here = (own().saturating_sub(before)) / count;
        let value = format!("{shares} KiB each, {alone} KiB of them its own; {here} KiB in the host");
        rows.print(&format!("memory of {count} idle workers"), &value, None);
    }
}

/// A number of `smaps_rollup` of a process, in KiB.
fn kib(process: u32, name: &str) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/smaps_rollup")).expect("it runs");
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).expect("it is told");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

fn own() -> u64 {
    kib(std::process::id(), "Pss")
}
