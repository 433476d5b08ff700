//! Verifying a package of a gigabyte and one of a tenth of it, with the same amount of memory.

use std::process::Command;

use crate::made::Maker;
use crate::row::Row;

/// How much more memory a package ten times as large may take, in KiB.
const MORE: u64 = 1024;

pub(crate) fn measure(_: &Maker) -> Vec<Row> {
    let [small, large] = ["100", "1000"].map(peak);
    vec![Row {
        case: "verifying a package of 1 GB".into(),
        must: "memory flat",
        measured: format!("its peak grows by {large} KiB, by {small} KiB for 100 MB"),
        is_met: large <= small + MORE,
    }]
}

/// The growth of the peak memory, in KiB.
fn peak(megabytes: &str) -> u64 {
    let output = Command::new(hookrail_tests::large()).arg(megabytes).output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let line = said.lines().find(|line| line.starts_with("verifying: ")).expect("it says so");
    let words: Vec<_> = line.split(' ').collect();
    words[words.len() - 2].parse().expect("a number of KiB")
}
