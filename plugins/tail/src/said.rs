//! What was said of files, so that it is said once.

use std::collections::HashMap;
use std::fmt::Display;
use std::path::{Path, PathBuf};

use hookrail_abi::host::{Instance, Level};

/// What the host's log was told of which path.
#[derive(Debug)]
pub(crate) struct Said {
    host: Instance,
    last: HashMap<PathBuf, String>,
}

impl Said {
    pub(crate) fn new(host: Instance) -> Self {
        Said { host, last: HashMap::new() }
    }

    pub(crate) fn say(&self, level: Level, what: impl Display) {
        self.host.log(level, what);
    }

    /// Says it, unless it was the last that was said of that path.
    pub(crate) fn once(&mut self, path: &Path, what: impl Display) {
        const MOST: usize = 10_000;
        let what = format!("{}: {what}", path.display());
        if self.last.get(path) != Some(&what) {
            self.host.log(Level::Warn, &what);
            if self.last.len() >= MOST {
                self.last.clear();
            }
            self.last.insert(path.into(), what);
        }
    }

    /// What was said of that path is true no more.
    pub(crate) fn settle(&mut self, path: &Path) {
        self.last.remove(path);
    }
}
