//! Ephemeral directories outlive neither their instance nor, for long, a process that had no time to remove them.

use std::path::Path;

use hookrail_tests::cli::hookrail;
use hookrail_tests::cli::live::Live;
use hookrail_tests::zoo;

/// A run whose plugin keeps every line in its ephemeral directory, and says where.
fn keeping() -> Live {
    Live::start(hookrail(&["run", "-q", "--plugin"]).arg(zoo("uses_its_ephemeral_directory")))
}

#[test]
fn what_a_killed_host_left_is_removed_by_the_next_one_and_nothing_of_one_that_runs() {
    let (mut killed, mut running) = (keeping(), keeping());
    let [left, kept] = [killed.through("left"), running.through("kept")];
    assert_ne!(left, kept);
    let more = Path::new(&left).with_file_name("more");
    std::fs::write(&more, "more").unwrap();
    drop(killed);
    assert!(more.exists(), "a host that is killed removes nothing");

    let mut next = keeping();
    let its = next.through("next");
    assert!(!more.exists());
    assert_eq!([&kept, &its].map(|path| std::fs::read_to_string(path).unwrap()), ["kept", "next"]);

    // It ends in order: with its input.
    assert_eq!(next.end().0, Some(0));
    assert!(!Path::new(&its).exists() && Path::new(&kept).exists());
}
