//! Where a host can make groups.
//!
//! Who makes groups in a place must have been given it: two who do so in one place undo each other's work. systemd marks
//! what it hands over, which is the group of the host or, with `DelegateSubgroup=`, the one around it. A container
//! has the root of what it sees.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use hookrail_model::log;

/// The place of this process, in which the system limits groups by whatever it has of these controllers. If this process
/// has to move for that, it moves into a group of that name there.
pub(super) fn of_host(controllers: &[&str], leaf: &str) -> Option<PathBuf> {
    let own = own()?;
    let place = [Some(own.path.as_path()), own.path.parent()].into_iter().flatten();
    let place = place.filter(|path| path.starts_with(&own.root)).find(|path| own.root == **path || is_given(path))?;
    let prepared = prepare(place, controllers, &place.join(leaf));
    let told = prepared.map_err(|error| log!(debug, "no groups can be made in {}: {error}", place.display()));
    told.ok().map(|()| place.into())
}

/// The group that this process is in.
#[derive(Debug, PartialEq, Eq)]
struct Own {
    /// The outermost group that this process sees.
    root: PathBuf,
    path: PathBuf,
}

fn own() -> Option<Own> {
    let read = |file| fs::read_to_string(file).ok();
    found(&read("/proc/self/cgroup")?, &read("/proc/self/mountinfo")?)
}

/// Finds it, given what the system says of this process.
fn found(groups: &str, mounts: &str) -> Option<Own> {
    let path = groups.lines().find_map(|line| line.strip_prefix("0::"))?;
    mounts.lines().find_map(|line| {
        let (mount, kind) = line.split_once(" - ")?;
        kind.starts_with("cgroup2 ").then_some(())?;
        let mut words = mount.split(' ').skip(3);
        // What of all groups can be seen there, and where.
        let (seen, at) = (words.next()?, PathBuf::from(words.next()?));
        let below = Path::new(path).strip_prefix(seen).ok()?;
        Some(Own { path: if below.as_os_str().is_empty() { at.clone() } else { at.join(below) }, root: at })
    })
}

/// Whether systemd has handed a group over to whoever runs in it.
fn is_given(group: &Path) -> bool {
    let is_marked = |name: &str| {
        let mut value = [0; 1];
        rustix::fs::getxattr(group, name, &mut value) == Ok(1) && value == *b"1"
    };
    ["user.delegate", "trusted.delegate"].into_iter().any(is_marked)
}

/// Has the system limit what is made in that place, for which no process is to be in it.
fn prepare(place: &Path, controllers: &[&str], leaf: &Path) -> io::Result<()> {
    match enable(place, controllers) {
        Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {}
        done => return done,
    }
    match fs::create_dir(leaf) {
        // A dead host had the number of this process.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => made?,
    }
    enter(leaf).and_then(|()| enable(place, controllers)).inspect_err(|_| {
        // Others are in it as well.
        let _ = enter(place).and_then(|()| fs::remove_dir(leaf));
    })
}

/// Has the system limit groups there by whatever it has of these.
fn enable(place: &Path, controllers: &[&str]) -> io::Result<()> {
    let there = fs::read_to_string(place.join("cgroup.controllers"))?;
    let has = |name: &&&str| there.split_whitespace().any(|other| other == **name);
    let all: Vec<_> = controllers.iter().filter(has).map(|name| format!("+{name}")).collect();
    fs::write(place.join("cgroup.subtree_control"), all.join(" "))
}

/// Moves this process there.
fn enter(group: &Path) -> io::Result<()> {
    fs::write(group.join("cgroup.procs"), std::process::id().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_has_is_enabled_and_nothing_is_moved_for_that() {
        let place = tempfile::tempdir().unwrap();
        let file = |name: &str| place.path().join(name);
        fs::write(file("cgroup.controllers"), "cpuset cpu io pids\n").unwrap();
        prepare(place.path(), &["cpu", "memory", "pids"], &file("leaf")).unwrap();
        assert_eq!(fs::read_to_string(file("cgroup.subtree_control")).unwrap(), "+cpu +pids");
        assert!(!file("leaf").exists());
    }

    #[test]
    fn the_own_group_is_found_in_what_is_mounted() {
        let v1 = "36 25 0:31 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids\n";
        let v2 =
            |seen: &str, at: &str| format!("{v1}40 25 0:33 {seen} {at} rw,relatime shared:9 - cgroup2 cgroup2 rw\n");
        let all = v2("/", "/sys/fs/cgroup");
        for (group, mounts, expected) in [
            ("0::/\n", &all, Some(("/sys/fs/cgroup", "/sys/fs/cgroup"))),
            ("1:cpu:/x\n0::/a.slice/b\n", &all, Some(("/sys/fs/cgroup", "/sys/fs/cgroup/a.slice/b"))),
            ("0::/a/b/c\n", &v2("/a/b", "/groups"), Some(("/groups", "/groups/c"))),
            // Out of what is seen there.
            ("0::/c\n", &v2("/a/b", "/groups"), None),
            ("0::/\n", &v1.to_owned(), None),
            ("1:cpu:/x\n", &all, None),
        ] {
            let expected = expected.map(|(root, path)| Own { root: root.into(), path: path.into() });
            assert_eq!(found(group, mounts), expected, "{group}");
        }
    }
}
