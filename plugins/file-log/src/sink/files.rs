//! The files that are open: a bounded number.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use hookrail_abi::prelude::*;

use crate::file::LogFile;

/// The most files that are open at once.
pub(crate) const MOST_OPEN: usize = 64;

/// The files of one directory, of which those that were used last are open.
pub(crate) struct Files {
    directory: PathBuf,
    mode: u32,
    when_full: &'static str,
    open: HashMap<String, Used>,
    turn: u64,
}

struct Used {
    file: LogFile,
    /// When it was used: in which order, and at what time.
    turn: u64,
    at: Instant,
}

impl Files {
    pub(crate) fn new(directory: PathBuf, mode: u32, when_full: &'static str) -> Self {
        Files { directory, mode, when_full, open: HashMap::new(), turn: 0 }
    }

    /// Says why the file of that name could not be opened, if that is so for sure.
    pub(crate) fn check(&self, name: &str) -> Result<()> {
        self.file(name).check()
    }

    /// The file of that name. It stays open at least until [`MOST_OPEN`] others were used after it.
    pub(crate) fn get(&mut self, name: &str) -> &mut LogFile {
        if !self.open.contains_key(name) && self.open.len() >= MOST_OPEN {
            let oldest = self.open.iter().min_by_key(|(_, used)| used.turn).map(|(name, _)| name.clone());
            oldest.and_then(|name| self.open.remove(&name));
        }
        self.turn += 1;
        let file = self.file(name);
        let used = self.open.entry(name.into()).or_insert_with(|| Used { file, turn: 0, at: Instant::now() });
        (used.turn, used.at) = (self.turn, Instant::now());
        &mut used.file
    }

    /// Closes the files that were not used for so long.
    pub(crate) fn close_idle(&mut self, now: Instant, idle: Duration) {
        self.open.retain(|_, used| now.saturating_duration_since(used.at) < idle);
    }

    fn file(&self, name: &str) -> LogFile {
        LogFile::new(self.directory.join(name), self.mode, self.when_full)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open_in(directory: &std::path::Path) -> usize {
        let links = std::fs::read_dir("/proc/self/fd").unwrap();
        links
            .filter_map(|link| link.unwrap().path().read_link().ok())
            .filter(|path| path.starts_with(directory))
            .count()
    }

    #[test]
    fn no_more_files_are_open_than_may_be_and_the_oldest_is_closed() {
        let directory = tempfile::tempdir().unwrap();
        let mut files = Files::new(directory.path().into(), 0o640, "");
        for number in 0..MOST_OPEN + 10 {
            files.get("always").append(b"a\n").unwrap();
            files.get(&number.to_string()).append(b"a\n").unwrap();
            assert!(open_in(directory.path()) <= MOST_OPEN);
        }
        assert_eq!(open_in(directory.path()), MOST_OPEN);
        assert!(files.open.contains_key("always") && !files.open.contains_key("10") && files.open.contains_key("11"));
        for number in 0..MOST_OPEN + 10 {
            files.get(&number.to_string()).append(b"b\n").unwrap();
            let written = std::fs::read_to_string(directory.path().join(number.to_string())).unwrap();
            assert_eq!(written, "a\nb\n");
        }
    }

    #[test]
    fn a_file_that_is_not_used_any_more_is_closed() {
        let directory = tempfile::tempdir().unwrap();
        let mut files = Files::new(directory.path().into(), 0o640, "");
        files.get("a").append(b"a\n").unwrap();
        let idle = Duration::from_secs(30);
        files.close_idle(Instant::now(), idle);
        assert_eq!(open_in(directory.path()), 1);
        files.close_idle(Instant::now() + idle, idle);
        assert_eq!(open_in(directory.path()), 0);
    }
}
