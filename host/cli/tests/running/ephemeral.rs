//! Ephemeral directories outlive neither their instance nor, for long, a process that had no time to remove them.

use std::path::Path;

use hookrail_tests::cli::live::Live;
use hookrail_tests::cli::{PATIENT, hookrail};
use hookrail_tests::probe::eventually;
use hookrail_tests::zoo;

/// A run whose plugin keeps every line in its ephemeral directory, and says where.
fn keeping() -> Live {
    Live::start(hookrail(&["run", "-q", "--plugin"]).arg(zoo("uses_its_ephemeral_directory")).envs(PATIENT))
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

/// The processes that a process has started, and those that they have.
fn descendants(of: u32) -> Vec<u32> {
    let children = |of: u32| -> Vec<u32> {
        let tasks = std::fs::read_dir(format!("/proc/{of}/task")).into_iter().flatten().flatten();
        let lists = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
        lists.flat_map(|list| list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>()).collect()
    };
    let direct = children(of);
    direct.iter().copied().chain(direct.iter().flat_map(|child| descendants(*child))).collect()
}

/// The program itself, with its plugin in a worker, is killed by SIGKILL.
#[test]
fn a_killed_host_leaves_neither_its_worker_nor_a_guardian_nor_their_files() {
    let home = tempfile::tempdir().unwrap();
    let config = home.path().join("hookrail.toml");
    let worker = "isolation = \"worker\"\nworker.deadline = \"2m\"\n";
    std::fs::write(&config, format!("[plugins.uses-its-ephemeral-directory]\n{worker}")).unwrap();
    let run = || {
        let mut command = hookrail(&["run", "-q", "--config"]);
        command.arg(&config).arg("--plugin").arg(zoo("uses_its_ephemeral_directory")).envs(PATIENT);
        Live::start(&mut command)
    };
    let mut killed = run();
    let more = Path::new(&killed.through("left")).with_file_name("more");
    std::fs::write(&more, "more").unwrap();
    let processes = descendants(killed.id());
    assert!(processes.len() >= 2, "a guardian and a worker: {processes:?}");
    drop(killed);
    eventually("all of them have ended", || processes.iter().all(|pid| !Path::new(&format!("/proc/{pid}")).exists()));
    let mut next = run();
    next.through("next");
    assert!(!more.exists());
    assert_eq!(next.end().0, Some(0));
}
