//! A plugin that panics with a secret of its configuration shows it to nobody, wherever it runs and whoever calls it.

use std::path::{Path, PathBuf};
use std::{fs, process};

use hookrail::{Isolation, Message, PluginConfig};
use hookrail_tests::probe::eventually;
use hookrail_tests::recorder::{heard, listen, messages};
use hookrail_tests::scene::Scene;
use hookrail_tests::{alone, zoo};
use serde_json::{Value, json};

use crate::scenes::{faults, last_fault, limits, unasked, worker};

const PLUGIN: &str = "panics-with-its-secret";
/// A part of each secret.
const SECRET: &str = "hunter";

fn config(file: &Path, at: &str) -> Value {
    json!({ "token": { "secret_file": file }, "at": at })
}

/// Neither a text nor anything that was logged has it.
#[track_caller]
fn hides(text: &str) {
    assert!(text.contains("***") && !text.contains(SECRET), "{text}");
    let shows = |heard: &_| format!("{heard:?}").contains(SECRET);
    assert!(!heard().iter().any(shows), "{:?}", messages());
}

fn of_both(then: impl Fn(Isolation, [PathBuf; 2])) {
    let directory = tempfile::tempdir().unwrap();
    let files = [r#"hunter"2""#, r#"hunter"2" and more"#].map(|secret| {
        let file = directory.path().join(secret.len().to_string());
        fs::write(&file, secret).unwrap();
        file
    });
    for isolation in [Isolation::InProcess, Isolation::WORKER] {
        then(isolation, files.clone());
    }
}

fn scene(isolation: Isolation, config: Value) -> Scene {
    let plugin = PluginConfig::default().with_isolation(isolation).with_worker(limits()).with_config(config);
    Scene::new(unasked().with_plugin(PLUGIN, plugin))
}

#[test]
fn no_panic_shows_a_secret() {
    alone!();
    listen();
    of_both(|isolation, [one, two]| {
        let fails = scene(isolation.clone(), config(&one, "start"));
        // SAFETY: our own library.
        hides(&unsafe { fails.host.load(zoo("panics_with_its_secret")) }.unwrap_err().to_string());
        drop(fails);

        let scene = scene(isolation.clone(), config(&one, "call"));
        scene.load(zoo("panics_with_its_secret"));
        let calls = |number: u64| {
            let _ = scene.publish.dispatch(&mut Message::new("a", "b"));
            assert_eq!(faults(&scene), number);
            hides(&last_fault(&scene));
        };
        calls(1);
        hides(&scene.host.reload_of_file(PLUGIN, &config(&two, "reload")).unwrap_err().to_string());
        // What it was given before, it still has.
        calls(2);
        scene.host.reload_of_file(PLUGIN, &config(&two, "call")).unwrap();
        calls(3);
        if isolation == Isolation::WORKER {
            let before = worker(&scene);
            assert!(
                process::Command::new("kill")
                    .args(["-9", &before.pid.unwrap().to_string()])
                    .status()
                    .unwrap()
                    .success()
            );
            eventually("it is started again", || worker(&scene).restarts == before.restarts + 1);
            calls(4);
        }
        scene.host.reload_of_file(PLUGIN, &config(&one, "thread")).unwrap();
        let before = messages().len();
        let _ = scene.publish.dispatch(&mut Message::new("a", "b"));
        let told = || messages().split_off(before).into_iter().find(|message| message.contains("panicked"));
        eventually("its thread has panicked", || told().is_some());
        hides(&told().unwrap());
    });
}
