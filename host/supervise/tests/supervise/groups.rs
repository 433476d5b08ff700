//! Children in groups of the system.

use std::fs;
use std::path::{Path, PathBuf};

use hookrail_supervise::{Cgroups, ExitStatus, GroupLimit, Reached, Stdio, Supervisor};

use crate::common::{LONG, lines, output, sh, until};
use crate::host::Host;

/// A group of the test's own, in which groups can be made. It goes with the test.
struct Place {
    path: PathBuf,
}

impl Place {
    /// If the system has such groups, and this user may make them. Else the test says so and is skipped.
    fn new(name: &str) -> Option<Self> {
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        let mount = mounts.lines().find(|line| line.contains(" - cgroup2 "));
        let path = mount.map(|mount| Path::new(mount.split(' ').nth(4).unwrap()).join(format!("test-{name}")));
        let place = path.filter(|path| fs::create_dir(path).is_ok()).map(|path| Place { path });
        if place.is_none() {
            println!("skipped: needs the right to make groups (cgroup2, mounted to be written)");
        }
        place
    }

    /// Has that be limited in its groups; skipped as above if the system does not.
    fn limits(&self, limit: GroupLimit, controller: &str) -> bool {
        let order = format!("+{controller}");
        let is_given = |path: &Path| fs::write(path.join("cgroup.subtree_control"), &order).is_ok();
        let is_limited = is_given(self.path.parent().unwrap())
            && is_given(&self.path)
            && Cgroups::below(&self.path).unwrap().can(limit);
        if !is_limited {
            println!("skipped: needs the controller {controller} in groups of version 2");
        }
        is_limited
    }

    fn groups(&self) -> usize {
        fs::read_dir(&self.path).unwrap().filter(|entry| entry.as_ref().unwrap().path().is_dir()).count()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.path);
    }
}

#[test]
fn a_group_goes_with_its_child() {
    let Some(place) = Place::new("goes") else { return };
    let supervisor = Supervisor::new().unwrap();
    let groups = Cgroups::below(&place.path).unwrap();
    let group = |number: u32| format!("/test-goes/hookrail-{}-{number}\n", std::process::id());
    // Whatever it starts is in it too.
    let spec = sh("sh -c 'grep ^0:: /proc/self/cgroup'").cgroup(groups.create(&[]).unwrap());
    let said = output(&supervisor, spec);
    assert!((1..10).any(|number| said == format!("0::{}", group(number))), "{said}");
    assert_eq!(place.groups(), 0);
    let process = supervisor.spawn(sh("exec sleep 1000").cgroup(groups.create(&[]).unwrap())).unwrap();
    assert_eq!(place.groups(), 1);
    process.kill();
    assert_eq!(process.wait(LONG).unwrap().status, ExitStatus::killed(9, false));
    assert_eq!((place.groups(), process.reached()), (0, Reached::default()));
    supervisor.spawn(sh("").dir("/no/such").cgroup(groups.create(&[]).unwrap())).unwrap_err();
    assert_eq!(place.groups(), 0);
    drop(groups.create(&[]).unwrap());
    assert_eq!(place.groups(), 0);
}

#[test]
fn a_killed_host_leaves_no_group() {
    let Some(place) = Place::new("killed") else { return };
    let mut host = Host::with("echo $$; while :; do sleep 1000; done", &[("HOST_GROUPS", place.path.as_os_str())]);
    host.processes(2);
    assert_eq!(place.groups(), 1);
    host.kill();
    until("its group is gone", || place.groups() == 0);
}

/// As if the guardian had been killed with its host.
#[test]
fn what_a_dead_host_has_left_is_removed_by_the_next_one() {
    let Some(place) = Place::new("left") else { return };
    fs::create_dir(place.path.join("hookrail-4294967294-1")).unwrap();
    fs::create_dir(place.path.join("others")).unwrap();
    let groups = Cgroups::below(&place.path).unwrap();
    assert_eq!(place.groups(), 1);
    fs::remove_dir(place.path.join("others")).unwrap();
    drop(groups);
}

#[test]
fn a_group_without_memory_is_killed_as_a_whole_and_that_is_told() {
    let Some(place) = Place::new("memory") else { return };
    if !place.limits(GroupLimit::Memory, "memory") {
        return;
    }
    let supervisor = Supervisor::new().unwrap();
    let group = Cgroups::below(&place.path).unwrap().create(&[(GroupLimit::Memory, 16 << 20)]).unwrap();
    // Another process hoards.
    let process = supervisor.spawn(sh("tail /dev/zero & wait; sleep 1000").cgroup(group)).unwrap();
    assert_eq!(process.wait(LONG).unwrap().status, ExitStatus::killed(9, false));
    assert!(process.reached().memory && place.groups() == 0);
}

#[test]
fn a_group_has_no_more_processes_than_it_may() {
    let Some(place) = Place::new("processes") else { return };
    if !place.limits(GroupLimit::Processes, "pids") {
        return;
    }
    let supervisor = Supervisor::new().unwrap();
    let group = Cgroups::below(&place.path).unwrap().create(&[(GroupLimit::Processes, 3)]).unwrap();
    let script = "sleep 1000 & sleep 1000 & echo two; sleep 1000 & echo three";
    let process = supervisor.spawn(sh(script).stdout(Stdio::Pipe).cgroup(group)).unwrap();
    assert_eq!(lines(&process).next().as_deref(), Some("two"));
    let exit = process.wait(LONG).unwrap();
    assert!(!exit.is_success() && process.reached().processes, "{exit}");
}
