//! The limits of a worker: what holds it to them, and which of them ended it.

use hookrail::{LimitedBy, Message, Quarantine};
use hookrail_tests::scene::Scene;
use hookrail_tests::zoo;

use crate::scenes::{last_fault, limited, limits, worker};

#[test]
fn what_holds_a_worker_to_its_limits_is_told() {
    let limits = limits().with_max_memory(1 << 30).with_max_files(64).with_max_processes(300).with_cpu_weight(50);
    let scene = Scene::new(limited("harms-its-worker", limits));
    scene.load(zoo("harms_its_worker"));
    let told = worker(&scene).limits;
    let values: Vec<_> = told.iter().map(|limit| (&*limit.key, limit.value)).collect();
    let expected = [("max_memory", 1 << 30), ("max_files", 64), ("max_processes", 300), ("cpu_weight", 50)];
    assert_eq!(values, expected);
    let by: Vec<_> = told.iter().map(|limit| limit.by).collect();
    let [memory, files, processes, weight] = by[..] else { panic!("{told:?}") };
    assert!(matches!(memory, LimitedBy::Cgroup | LimitedBy::Rlimit), "{told:?}");
    assert_eq!(files, LimitedBy::Rlimit);
    assert!(matches!(weight, LimitedBy::Cgroup | LimitedBy::Nothing), "{told:?}");
    // SAFETY: it returns a number.
    let is_root = unsafe { libc::getuid() } == 0;
    let without_group = if is_root { LimitedBy::Nothing } else { LimitedBy::Rlimit };
    assert!(processes == LimitedBy::Cgroup || processes == without_group, "{told:?}");
    assert!(scene.publish.dispatch(&mut Message::new("a.b", "which")).decision() == hookrail::Decision::Passed);
    let shown = std::fs::read_to_string(format!("/proc/{}/limits", worker(&scene).pid.unwrap())).unwrap();
    let files = shown.lines().find(|line| line.starts_with("Max open files")).unwrap();
    assert!(files.split_whitespace().any(|word| word == "64"), "{files}");
}

#[test]
fn the_limit_that_ended_a_worker_is_named_with_its_key() {
    let config = limited("ends-the-host", limits().with_max_memory(1 << 30));
    let scene = Scene::new(config.with_quarantine(Quarantine::default().with_faults(0)));
    scene.load(zoo("ends_the_host"));
    for (way, is_limit) in [("allocation", true), ("abort", false)] {
        let _ = scene.publish.dispatch(&mut Message::new("a.b", way));
        // Another process answers, so that the end of the first one is known.
        let _ = scene.publish.dispatch(&mut Message::new("a.b", "go on"));
        let limit = "; it had reached its limit, max_memory = 1073741824 in [plugins.ends-the-host.worker]";
        for told in [last_fault(&scene), worker(&scene).last_end.unwrap()] {
            assert!(told.contains("SIGABRT") && told.contains(limit) == is_limit, "{way}: {told}");
        }
    }
}

/// Memory that is used, and not only mapped.
#[test]
fn a_worker_whose_group_has_no_more_memory_ends_alone() {
    let config = limited("harms-its-worker", limits().with_max_memory(64 << 20));
    let scene = Scene::new(config.with_quarantine(Quarantine::default().with_faults(0)));
    scene.load(zoo("harms_its_worker"));
    if worker(&scene).limits[0].by != LimitedBy::Cgroup {
        println!("skipped: needs a cgroup (version 2) that was handed over to this process");
        return;
    }
    let _ = scene.publish.dispatch(&mut Message::new("a.b", "hoard"));
    let told = last_fault(&scene);
    assert!(told.contains("SIGKILL; it had reached its limit, max_memory = 67108864"), "{told}");
}
