//! The reports of workers that have ended otherwise than their host wanted: one file for each, in the home.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use hookrail_model::crash::CrashReport;
use hookrail_model::time::rfc3339_millis;

/// How many reports are kept: the newest.
const MOST: usize = 100;
/// The longest file that is read, in bytes.
const LONGEST: u64 = 4 << 20;

/// The reports that are kept in a home. Only its user may read them.
#[derive(Clone, Debug)]
pub struct Crashes {
    directory: PathBuf,
}

impl Crashes {
    /// Those of that home.
    pub fn of(home: &Path) -> Self {
        Crashes { directory: home.join("crashes") }
    }

    /// An id for a report; ids sort by time.
    pub fn id(time: SystemTime) -> String {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        // Relaxed: only distinctness matters.
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let digits = rfc3339_millis(time).replace([':', '-', '.', 'Z'], "");
        format!("{digits}-{}-{count}", std::process::id())
    }

    /// Keeps a report, in place of an earlier one with its id, and removes the oldest ones beyond 100.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn keep(&self, report: &CrashReport) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.directory)?;
        // Whole or not at all: it may be read meanwhile.
        let unfinished = self.directory.join(format!(".{}", report.id));
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
        let written = file.write_all(&serde_json::to_vec(report)?);
        written.and_then(|()| fs::rename(&unfinished, self.file(&report.id))).inspect_err(|_| {
            let _ = fs::remove_file(&unfinished);
        })?;
        for id in self.ids()?.into_iter().skip(MOST) {
            let _ = fs::remove_file(self.file(&id));
        }
        Ok(())
    }

    /// The reports, newest first. What cannot be read is left out.
    ///
    /// # Errors
    /// If the system refuses to list them.
    pub fn list(&self) -> io::Result<Vec<CrashReport>> {
        Ok(self.ids()?.iter().filter_map(|id| self.read(id).ok()?).collect())
    }

    /// The report with that id, if there is one.
    ///
    /// # Errors
    /// If it cannot be read, or is none.
    pub fn read(&self, id: &str) -> io::Result<Option<CrashReport>> {
        // An id is no way to other files.
        if !id.chars().all(is_plain) || id.starts_with('.') {
            return Ok(None);
        }
        let mut text = Vec::new();
        match fs::File::open(self.file(id)) {
            Ok(file) => file.take(LONGEST).read_to_end(&mut text)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok(Some(serde_json::from_slice(&text)?))
    }

    /// Newest first.
    fn ids(&self) -> io::Result<Vec<String>> {
        let entries = match fs::read_dir(&self.directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let id = |entry: io::Result<fs::DirEntry>| {
            Some(entry.ok()?.file_name().to_str()?.strip_suffix(".json")?.to_owned()).filter(|id| !id.starts_with('.'))
        };
        let mut ids: Vec<_> = entries.filter_map(id).collect();
        ids.sort_unstable_by(|a, b| b.cmp(a));
        Ok(ids)
    }

    fn file(&self, id: &str) -> PathBuf {
        self.directory.join(format!("{id}.json"))
    }
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_.".contains(c)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn the_newest_reports_are_kept_and_nobody_else_may_read_them() {
        let directory = tempfile::tempdir().unwrap();
        let home = directory.path().join("home");
        let crashes = Crashes::of(&home);
        assert!(crashes.list().unwrap().is_empty());
        let report = |second: u64| {
            let time = UNIX_EPOCH + Duration::from_secs(second);
            CrashReport::new(Crashes::id(time), time, "a/../b", "was killed by SIGSEGV")
        };
        let reports: Vec<_> = (0..MOST as u64 + 5).map(report).collect();
        for report in &reports {
            crashes.keep(report).unwrap();
            crashes.keep(report).unwrap();
        }
        let kept = crashes.list().unwrap();
        assert!(kept.iter().eq(reports.iter().rev().take(MOST)));
        let file = crashes.file(&kept[0].id);
        assert_eq!(file.parent(), Some(&*home.join("crashes")));
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(file.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
        fs::write(crashes.file("9999-damaged"), "{").unwrap();
        assert_eq!(crashes.list().unwrap().len(), MOST);
        fs::write(home.join("other.json"), serde_json::to_vec(&kept[0]).unwrap()).unwrap();
        for id in ["../other", "", ".", "..", "nosuch"] {
            assert_eq!(crashes.read(id).unwrap(), None, "{id}");
        }
        crashes.read("9999-damaged").unwrap_err();
    }
}
