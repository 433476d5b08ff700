//! How the measurements are taken: what runs, where its files are, and how long it takes.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The best of several rounds, in which both alternate: of the baseline, and of the case.
pub(crate) fn compare(
    rounds: usize,
    mut baseline: impl FnMut() -> Duration,
    mut case: impl FnMut() -> Duration,
) -> [f64; 2] {
    let mut best = [f64::MAX; 2];
    for _ in 0..rounds {
        for (best, took) in best.iter_mut().zip([baseline(), case()]) {
            *best = best.min(took.as_secs_f64() * 1e3);
        }
    }
    best
}

/// How long a program takes, which must succeed; its output is discarded.
pub(crate) fn timed(command: &mut Command) -> Duration {
    let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let began = Instant::now();
    let status = command.status().expect("it starts");
    let took = began.elapsed();
    assert!(status.success(), "{command:?}: {status}");
    took
}

/// The program with a home.
pub(crate) fn hookrail(home: &std::path::Path) -> Command {
    let mut command = Command::new(hookrail_tests::program());
    command.env("HOOKRAIL_HOME", home).current_dir(home).env_remove("HOOKRAIL_LOG").env_remove("HOOKRAIL_PLUGINS");
    command
}

/// Directories on disk, and in memory if the machine has such a file system.
pub(crate) fn places() -> Vec<(&'static str, PathBuf)> {
    let disk = hookrail_tests::own_target("store");
    std::fs::create_dir_all(&disk).expect("cargo's own directory");
    let memory = PathBuf::from("/dev/shm");
    let mut places = vec![("on a disk, synced", disk)];
    places.extend(memory.is_dir().then_some(("in memory, where nothing is synced", memory)));
    places
}

/// The directory in which many installations are fastest.
pub(crate) fn fastest() -> PathBuf {
    places().pop().expect("there is one").1
}
