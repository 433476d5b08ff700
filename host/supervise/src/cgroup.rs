//! Groups of the system (cgroups, version 2): limits for a child together with all that it starts.
//!
//! A group is a directory. It is made by the host and removed when the last process in it has ended: by the host, or by
//! the guardian if the host is gone. What both have left, since both were killed, is removed by the next host.

mod place;

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use hookrail_model::log;

/// What the names of all groups begin with; the number of the host's process follows.
const PREFIX: &str = "hookrail-";

/// Where groups can be made.
#[derive(Debug)]
pub struct Cgroups {
    directory: PathBuf,
    /// What can be limited in them.
    limits: Vec<GroupLimit>,
}

/// What a group cannot have more of, all of its processes together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GroupLimit {
    /// Its share of the CPU where others want it too: 1 to 10000, of which everybody has 100.
    CpuWeight,
    /// Memory in use, in bytes. Where there is none left, all of its processes are killed.
    Memory,
    /// Processes and threads.
    Processes,
}

const ALL: [GroupLimit; 3] = [GroupLimit::CpuWeight, GroupLimit::Memory, GroupLimit::Processes];

impl GroupLimit {
    fn controller(self) -> &'static str {
        match self {
            GroupLimit::CpuWeight => "cpu",
            GroupLimit::Memory => "memory",
            GroupLimit::Processes => "pids",
        }
    }

    fn file(self) -> &'static str {
        match self {
            GroupLimit::CpuWeight => "cpu.weight",
            GroupLimit::Memory => "memory.max",
            GroupLimit::Processes => "pids.max",
        }
    }
}

impl Cgroups {
    /// Where this process can make groups: if the one that it is in was handed over to it, as `Delegate=yes` does in a
    /// unit of systemd, or is that of a container. The system limits no group that has processes of its own beside
    /// groups, so this process may move into a group beside those that it makes.
    pub fn of_host() -> Option<&'static Self> {
        static OF_HOST: OnceLock<Option<Cgroups>> = OnceLock::new();
        let find = || {
            let leaf = format!("{PREFIX}{}-host", std::process::id());
            let place = place::of_host(&ALL.map(GroupLimit::controller), &leaf)?;
            Cgroups::below(place).ok().filter(|groups| !groups.limits.is_empty())
        };
        OF_HOST.get_or_init(find).as_ref()
    }

    /// In that directory of the system, which nobody else makes groups in. Removes the empty groups that dead hosts have
    /// left there.
    ///
    /// # Errors
    /// If it is no group, or cannot be read.
    pub fn below(directory: impl Into<PathBuf>) -> io::Result<Self> {
        let directory = directory.into();
        let enabled = fs::read_to_string(directory.join("cgroup.subtree_control"))?;
        let is_enabled = |limit: &GroupLimit| enabled.split_whitespace().any(|name| name == limit.controller());
        let cgroups = Cgroups { limits: ALL.into_iter().filter(is_enabled).collect(), directory };
        cgroups.sweep()?;
        Ok(cgroups)
    }

    /// Whether its groups can be limited so.
    pub fn can(&self, limit: GroupLimit) -> bool {
        self.limits.contains(&limit)
    }

    /// Makes a group with these limits, which the child of one [`Spec`](crate::Spec) begins in.
    ///
    /// # Errors
    /// If the system refuses; then nothing is left of it.
    pub fn create(&self, limits: &[(GroupLimit, u64)]) -> io::Result<Cgroup> {
        static NUMBERS: AtomicU64 = AtomicU64::new(1);
        loop {
            // Relaxed: only distinctness matters.
            let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
            let path = self.directory.join(format!("{PREFIX}{}-{number}", std::process::id()));
            match fs::create_dir(&path) {
                // A dead host had the number of this process.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => return made.and_then(|()| Cgroup::limited(&path, limits).inspect_err(|_| remove(&path))),
            }
        }
    }

    fn sweep(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.directory)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_prefix(PREFIX));
            let maker = name.and_then(|name| name.split('-').next()).and_then(|pid| pid.parse::<u32>().ok());
            if maker.is_some_and(|pid| !Path::new("/proc").join(pid.to_string()).exists()) {
                // The system keeps one that is in use.
                remove(&path);
            }
        }
        Ok(())
    }
}

/// A group, which is removed when this is dropped, if no process is in it.
#[derive(Debug)]
pub struct Cgroup {
    path: PathBuf,
    /// Where a process writes that it goes into it.
    entrance: File,
}

/// Which limits of a group were reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reached {
    /// The system has killed its processes, since they had no more memory.
    pub memory: bool,
    /// The system has refused it a process or a thread.
    pub processes: bool,
}

impl Cgroup {
    fn limited(path: &Path, limits: &[(GroupLimit, u64)]) -> io::Result<Self> {
        for (limit, most) in limits {
            fs::write(path.join(limit.file()), most.to_string())?;
            if *limit == GroupLimit::Memory {
                // What is written to disk instead is no less memory. Not every system counts that.
                let _ = fs::write(path.join("memory.swap.max"), "0");
                // A part of it is of no use without the rest.
                fs::write(path.join("memory.oom.group"), "1")?;
            }
        }
        let entrance = OpenOptions::new().write(true).open(path.join("cgroup.procs"))?;
        Ok(Cgroup { path: path.into(), entrance })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn entrance(&self) -> BorrowedFd<'_> {
        self.entrance.as_fd()
    }

    /// Which of its limits were reached.
    pub(crate) fn reached(&self) -> Reached {
        Reached { memory: self.count("memory.events", "oom_kill") > 0, processes: self.count("pids.events", "max") > 0 }
    }

    /// The number behind that word in a file of it.
    fn count(&self, file: &str, word: &str) -> u64 {
        let text = fs::read_to_string(self.path.join(file)).unwrap_or_default();
        let number = text.lines().find_map(|line| line.strip_prefix(word)?.strip_prefix(' ')?.parse().ok());
        number.unwrap_or_default()
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

fn remove(path: &Path) {
    if let Err(error) = fs::remove_dir(path) {
        log!(debug, "cannot remove {}: {error}", path.display());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory that looks like a group in which all can be limited.
    fn place(enabled: &str) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("cgroup.subtree_control"), enabled).unwrap();
        directory
    }

    #[test]
    fn a_group_is_limited_by_its_files() {
        let directory = place("memory pids");
        let cgroups = Cgroups::below(directory.path()).unwrap();
        assert_eq!(ALL.map(|limit| cgroups.can(limit)), [false, true, true]);
        // The system has this one when the directory is made; here it is missing.
        let path = directory.path().join("made");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("cgroup.procs"), "").unwrap();
        let limits = [(GroupLimit::CpuWeight, 50), (GroupLimit::Memory, 1 << 30), (GroupLimit::Processes, 20)];
        let group = Cgroup::limited(&path, &limits).unwrap();
        let read = |file: &str| fs::read_to_string(path.join(file)).unwrap();
        for (file, said) in [
            ("cpu.weight", "50"),
            ("memory.max", "1073741824"),
            ("memory.swap.max", "0"),
            ("memory.oom.group", "1"),
            ("pids.max", "20"),
        ] {
            assert_eq!(read(file), said, "{file}");
        }
        assert_eq!(group.reached(), Reached::default());
        fs::write(path.join("memory.events"), "low 0\nhigh 0\nmax 7\noom 1\noom_kill 2\noom_group_kill 1\n").unwrap();
        assert_eq!(group.reached(), Reached { memory: true, processes: false });
        fs::write(path.join("pids.events"), "max 3\n").unwrap();
        assert!(group.reached().processes);
    }

    #[test]
    fn a_group_that_cannot_be_limited_is_not_left_behind() {
        let directory = place("memory");
        // Here it has no `cgroup.procs`.
        Cgroups::below(directory.path()).unwrap().create(&[]).unwrap_err();
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        Cgroups::below(directory.path().join("nowhere")).unwrap_err();
    }

    #[test]
    fn what_dead_hosts_have_left_is_removed() {
        let directory = place("");
        let make = |name: String| fs::create_dir(directory.path().join(name)).unwrap();
        let live = format!("hookrail-{}-1", std::process::id());
        // No process has a number that large.
        for name in ["hookrail-4294967294-1", "hookrail-4294967294-host", "hookrail-x-1", "others", &live] {
            make(name.into());
        }
        Cgroups::below(directory.path()).unwrap();
        let mut left: Vec<_> =
            fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        let mut expected = ["cgroup.subtree_control", &live, "hookrail-x-1", "others"];
        expected.sort_unstable();
        assert_eq!(left, expected);
    }
}
