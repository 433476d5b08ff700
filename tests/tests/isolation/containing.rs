//! What ends the host in its own process (`tests/tests/faults/uncontained.rs`) ends a worker, and costs one answer.

use std::time::{Duration, Instant};

use hookrail::{Config, Decision, End, Message, Quarantine};
use hookrail_tests::probe::eventually;
use hookrail_tests::scene::Scene;
use hookrail_tests::zoo;

use crate::scenes::{alive, faults, isolated, last_fault, limited, limits, restarted, tried, worker};

/// The way to end, and what is said of the worker.
const WAYS: [(&str, &str); 8] = [
    ("abort", "was killed by SIGABRT"),
    ("exit", "exited with status 7"),
    ("stack", "was killed by SIG"),
    ("unwinding", "was killed by SIGABRT"),
    ("memory", "was killed by SIGSEGV"),
    ("thread", "was killed by SIGABRT"),
    ("foreign", "was killed by SIGABRT"),
    ("allocation", "was killed by SIGABRT"),
];

/// A configuration in which no fault has further consequences.
fn forgiving(plugin: &str) -> Config {
    isolated(plugin).with_quarantine(Quarantine::default().with_faults(0))
}

#[test]
fn what_the_guide_calls_uncontained_costs_one_answer_in_a_worker() {
    let scene = Scene::new(forgiving("ends-the-host"));
    let plugin = scene.load(zoo("ends_the_host"));
    for (count, (way, how)) in (1..).zip(WAYS) {
        let mut message = Message::new("a.b", way);
        assert_eq!(scene.publish.dispatch(&mut message).decision(), Decision::Passed, "{way}");
        assert_eq!((message.body.as_slice(), faults(&scene)), (way.as_bytes(), count), "{way}");
        let what = last_fault(&scene);
        assert!(what.contains(how), "{way}: {what}");
        // The next one is answered, by another process.
        assert_eq!(scene.publish.dispatch(&mut Message::new("a.b", "go on")).decision(), Decision::Passed);
        restarted(&scene, count);
        assert_eq!(faults(&scene), count, "{way}");
    }
    assert_eq!(scene.unload(plugin), End::Unmapped);
}

/// It runs when a thread of the worker ends: when the plugin is unloaded.
#[test]
fn a_thread_local_that_panics_costs_no_answer() {
    let scene = Scene::new(forgiving("ends-the-host"));
    let plugin = scene.load(zoo("ends_the_host"));
    assert_eq!(scene.publish.dispatch(&mut Message::new("a.b", "local")).decision(), Decision::Passed);
    assert_eq!(scene.publish.dispatch(&mut Message::new("a.b", "go on")).decision(), Decision::Passed);
    assert_eq!((faults(&scene), worker(&scene).restarts), (0, 0));
    assert_eq!(scene.unload(plugin), End::Unmapped);
}

#[test]
fn an_upgrade_whose_start_ends_its_worker_leaves_the_old_build_serving() {
    let scene = Scene::new(isolated("harms-its-worker"));
    let plugin = scene.load(zoo("harms_its_worker"));
    let first = process(&scene, "which");
    scene.host.reload("harms-its-worker", &serde_json::json!({ "start": "abort" })).unwrap();
    // SAFETY: our own library, in a worker.
    let error = unsafe { scene.host.upgrade(&plugin, zoo("harms_its_worker")) }.unwrap_err();
    assert_eq!(error.code(), "HR0409", "{error}");
    assert_eq!((process(&scene, "which"), worker(&scene).restarts), (first, 0));
    assert_eq!(scene.unload(plugin), End::Unmapped);
}

/// Dispatches a message, and returns the process that its callback ran in, if it returned.
fn process(scene: &Scene, body: &str) -> Option<u32> {
    let mut message = Message::new("a.b", body);
    assert_eq!(scene.publish.dispatch(&mut message).decision(), Decision::Passed, "{body}");
    assert_eq!(message.body.as_slice(), body.as_bytes());
    message.header("process").map(|process| process.parse().unwrap())
}

#[test]
fn a_callback_runs_in_another_process_which_goes_with_its_plugin() {
    let scene = Scene::new(isolated("harms-its-worker"));
    let plugin = scene.load(zoo("harms_its_worker"));
    let process = process(&scene, "which").unwrap();
    assert!(process != std::process::id() && worker(&scene).pid == Some(process));
    assert_eq!(scene.unload(plugin), End::Unmapped);
    assert!(!alive(process));
}

#[test]
fn whatever_a_callback_does_to_its_process_costs_one_answer() {
    // Limits that are reached soon, and time for a busy machine.
    let limits = limits().with_max_memory(1 << 30).with_max_files(64);
    let config = limited("harms-its-worker", limits).with_quarantine(Quarantine::default().with_faults(0));
    let scene = Scene::new(config);
    scene.load(zoo("harms_its_worker"));
    for (way, how) in
        [("hoard", "there is no more memory"), ("kill", "was killed by SIGKILL"), ("abort", "SIGABRT"), ("close", "")]
    {
        let faults_before = faults(&scene);
        process(&scene, way);
        assert!(faults(&scene) <= faults_before + 1, "{way}");
        if !how.is_empty() {
            assert_eq!(faults(&scene), faults_before + 1, "{way}");
            assert!(last_fault(&scene).contains(how), "{way}: {}", last_fault(&scene));
        }
        // Whatever is left of it answers, or another process does.
        assert!((0..2).any(|_| process(&scene, "which").is_some()), "{way}: {:?}", worker(&scene));
    }
    // Sooner or later the one without descriptors notices, and ends.
    process(&scene, "kill");
    eventually("another one runs callbacks", || process(&scene, "which").is_some());
    process(&scene, "files");
    assert!(process(&scene, "which").is_some(), "a worker without descriptors still runs callbacks");
}

#[test]
fn a_call_that_does_not_return_ends_its_worker() {
    for way in ["hang", "spin", "stop"] {
        // What does return has that long on a busy machine.
        let limits = limits().with_deadline(Duration::from_secs(5));
        let scene = Scene::new(limited("harms-its-worker", limits));
        scene.load(zoo("harms_its_worker"));
        let first = worker(&scene).pid.unwrap();
        process(&scene, way);
        assert!(last_fault(&scene).contains("did not return within 5s, so its worker was ended"), "{way}");
        let deadline = Instant::now() + Duration::from_secs(120);
        while worker(&scene).pid.is_none_or(|process| process == first) {
            assert!(Instant::now() < deadline, "{way}: it is not started again: {:?}", worker(&scene));
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(!alive(first), "{way}");
    }
}

#[test]
fn a_stop_that_does_not_return_ends_its_worker_and_the_plugin_is_stopped() {
    // Its start has no more time than its stop.
    tried(|limit, _| {
        let mut config = limited("harms-its-worker", limits().with_patience(limit));
        config.plugins.get_mut("harms-its-worker").unwrap().config = serde_json::json!({ "stop": "hang" });
        let scene = Scene::new(config);
        // SAFETY: our own library, in a worker.
        let Ok(plugin) = (unsafe { scene.host.load(zoo("harms_its_worker")) }) else { return false };
        let first = process(&scene, "which").unwrap();
        scene.host.stop(&plugin).unwrap();
        assert!(process(&scene, "which").is_none(), "nobody is called");
        // It may still be about to say where it was.
        if scene.host.start(&plugin).is_err() {
            return false;
        }
        assert!(!alive(first));
        assert_ne!(process(&scene, "which").unwrap(), first);
        assert_eq!(scene.unload(plugin), End::Unmapped);
        true
    });
}

#[test]
fn a_start_that_does_not_return_is_a_failed_load() {
    let refused = |start: &str, limits| {
        let mut config = limited("harms-its-worker", limits);
        config.plugins.get_mut("harms-its-worker").unwrap().config = serde_json::json!({ "start": start });
        let scene = Scene::new(config);
        // SAFETY: our own library, in a worker.
        let error = unsafe { scene.host.load(zoo("harms_its_worker")) }.unwrap_err();
        assert!(scene.host.plugin_views().is_empty());
        error
    };
    let error = refused("abort", limits());
    assert_eq!(error.code(), "HR0409", "{error}");
    assert!(error.to_string().contains("its worker was killed by SIGABRT (abort) in start"), "{error}");
    tried(|limit, text| {
        let error = refused("hang", limits().with_patience(limit));
        println!("{error}");
        error.code() == "HR0410" && error.to_string().contains(&format!("its start did not return within {text}"))
    });
}

#[test]
fn memory_that_the_worker_has_written_over_is_not_believed() {
    let config = isolated("harms-its-worker").with_quarantine(Quarantine::default().with_faults(0));
    let scene = Scene::new(config);
    scene.load(zoo("harms_its_worker"));
    for seed in 1..=20 {
        let mut message = Message::new("a.b", format!("scribble {seed}"));
        // It is answered, once, with whatever could be read.
        let _ = scene.publish.dispatch(&mut message);
    }
    let deadline = Instant::now() + Duration::from_secs(120);
    while process(&scene, "which").is_none() {
        assert!(Instant::now() < deadline, "it is not started again: {:?}", worker(&scene));
    }
}

#[test]
fn what_escapes_into_a_session_of_its_own_ends_with_its_worker() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("escaped");
    let scene = Scene::new(isolated("harms-its-worker"));
    let plugin = scene.load(zoo("harms_its_worker"));
    process(&scene, &format!("escape {}", file.display()));
    let deadline = Instant::now() + Duration::from_secs(120);
    let escaped: u32 = loop {
        if let Some(process) = std::fs::read_to_string(&file).ok().and_then(|text| text.parse().ok()) {
            break process;
        }
        assert!(Instant::now() < deadline, "nothing has escaped");
        std::thread::sleep(Duration::from_millis(5));
    };
    assert_eq!(scene.unload(plugin), End::Unmapped);
    while alive(escaped) {
        assert!(Instant::now() < deadline, "it is still there");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn an_input_that_ends_its_worker_twice_in_a_row_is_not_tried_a_third_time() {
    let config = isolated("harms-its-worker").with_quarantine(Quarantine::default().with_faults(0));
    let scene = Scene::new(config);
    scene.load(zoo("harms_its_worker"));
    for _ in 0..5 {
        process(&scene, "abort");
    }
    assert!(last_fault(&scene).contains("this input has ended its worker twice in a row"), "{}", last_fault(&scene));
    assert!(process(&scene, "which").is_some(), "others are");
    assert_eq!(faults(&scene), 5);
    restarted(&scene, 2);
    for _ in 0..5 {
        process(&scene, "kill");
    }
    assert!(process(&scene, "which").is_some());
    // Whoever kills workers chooses no input.
    restarted(&scene, 7);
}
