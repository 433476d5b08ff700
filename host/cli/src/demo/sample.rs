//! Real input to filter, on any machine.

use std::fs;
use std::path::Path;
use std::time::UNIX_EPOCH;

/// Lines of a real log.
pub(super) struct Sample {
    pub(super) name: String,
    pub(super) lines: Vec<String>,
}

/// Logs that many machines have and every user may read.
const LOGS: &[&str] = &[
    "/var/log/dpkg.log",
    "/var/log/pacman.log",
    "/var/log/dnf.rpm.log",
    "/var/log/alternatives.log",
    "/var/log/bootstrap.log",
];

/// The number of lines taken of a longer log.
const MOST: usize = 100_000;

impl Sample {
    /// A log of this machine; if there is none, a list of the files of the build.
    pub(super) fn find() -> Self {
        LOGS.iter().find_map(|file| Sample::of_log(file)).unwrap_or_else(Sample::of_build)
    }

    fn of_log(file: &str) -> Option<Self> {
        let lines: Vec<_> = fs::read_to_string(file).ok()?.lines().take(MOST).map(String::from).collect();
        (lines.len() >= 100).then(|| Sample { name: file.into(), lines })
    }

    fn of_build() -> Self {
        let mut lines = Vec::new();
        let program = std::env::current_exe().unwrap_or_default();
        let directory = program.parent().unwrap_or(Path::new("."));
        list(directory, &mut lines);
        Sample { name: format!("the files in {}", directory.display()), lines }
    }
}

/// One line per file: its modification time, size and path.
fn list(directory: &Path, lines: &mut Vec<String>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let Ok(metadata) = entry.metadata() else { continue };
        if lines.len() >= MOST {
            return;
        }
        if metadata.is_dir() {
            list(&entry.path(), lines);
            continue;
        }
        let changed =
            metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
        lines.push(format!("{:.3} {:>10} {}", changed.as_secs_f64(), metadata.len(), entry.path().display()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_machine_has_something_to_filter_too() {
        let sample = Sample::of_build();
        assert!(!sample.lines.is_empty());
        assert!(sample.lines[0].split_whitespace().count() >= 3, "{}", sample.lines[0]);
    }
}
