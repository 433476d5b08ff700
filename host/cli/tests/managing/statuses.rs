//! An installed plugin and the host in which it serves, or does not: what each says of the other.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use hookrail_tests::cli::live::Live;
use hookrail_tests::cli::stocked::Stocked;
use hookrail_tests::cli::{PATIENT, stocked};
use hookrail_tests::probe::eventually;
use serde_json::Value;

#[test]
fn the_next_host_does_not_begin_with_a_version_given_up_on_probation() {
    let home = Stocked::new("managed_probation");
    home.ok(&["plugin", "install", "screen-1.0.0.hrp"]);
    home.ok(&["plugin", "enable", "screen"]);
    // For as long as this may take.
    let mut host = Live::start(home.command(&["run", "-q"]).env("HOOKRAIL_UPGRADE__PROBATION", "1h"));
    assert_eq!(host.through("ready"), "ready");
    let events = Live::start(&mut home.command(&["events", "--json"]));
    events.out.until_told(|| _ = home.ok(&["plugin", "restart", "screen"]));
    assert_eq!(home.json(&["plugin", "install", "screen-4.0.0.hrp"])["replaced"]["version"], "4.0.0");
    for _ in 0..3 {
        assert_eq!(host.through("boom"), "boom");
    }
    events.out.wait_for("rolled-back");
    let mut plugin = Value::Null;
    eventually("the store follows", || {
        plugin = home.screen().unwrap();
        plugin["installed"]["version"] == "1.0.0" && plugin["reason"].is_string()
    });
    assert_eq!((&plugin["version"], &plugin["health"]), (&"1.0.0".into(), &"degraded".into()));
    let reason = plugin["reason"].as_str().unwrap();
    assert!(
        reason.starts_with("4.0.0 was rolled back: 3 faults within") && reason.contains("plugin rollback"),
        "{reason}"
    );
    assert_eq!(plugin["installed"]["previous"], "4.0.0");
    host.end();
    let mut host = Live::start(&mut home.command(&["run", "-q"]));
    assert!(host.screens());
    assert_eq!(home.screen().unwrap()["version"], "1.0.0");
    // Whoever wants it all the same has it by the verb.
    assert_eq!(home.json(&["plugin", "rollback", "screen"])["version"], "4.0.0");
    drop((events, host));
}

/// A host with that configuration that has passed a line on, and the file for which the plugin waits where it
/// waits for one.
fn patient(home: &Stocked, config: &str) -> (Live, PathBuf) {
    let (file, until) = (home.home.join("hookrail.toml"), home.home.join("until"));
    fs::write(&file, config).unwrap();
    let mut run = home.command(&["run", "-q", "--config", file.to_str().unwrap()]);
    // What the file says is what the test is about.
    PATIENT.iter().for_each(|(variable, _)| _ = run.env_remove(variable));
    let mut host = Live::start(run.env("SCREEN_UNTIL", &until));
    assert_eq!(host.through("ready"), "ready");
    (host, until)
}

#[test]
fn a_plugin_that_cannot_be_unloaded_now_stays_installed() {
    let home = Stocked::new("managed_busy");
    home.ok(&["plugin", "install", "screen-1.0.0.hrp"]);
    home.ok(&["plugin", "enable", "screen"]);
    let (mut host, until) = patient(&home, "[unload]\ndeadline = \"50ms\"\n");
    host.send("linger");
    eventually("it is in the callback", || until.with_extension("there").exists());
    assert_eq!(home.json(&["plugin", "stop", "screen"])["status"], "stopping");
    let before = fs::read(home.home.join("state.json")).unwrap();
    for verb in [&["disable", "screen"][..], &["uninstall", "screen"], &["uninstall", "screen", "--purge", "--yes"]] {
        home.refused(&[&["plugin"], verb].concat(), "HR0106", 75);
        assert_eq!(fs::read(home.home.join("state.json")).unwrap(), before, "{verb:?}");
    }
    fs::write(until, "").unwrap();
    assert_eq!(host.out.line(1), "linger");
    // Its deadline is as short as before, so that it may still be busy for a moment.
    eventually("it is uninstalled", || home.run(&["plugin", "uninstall", "screen"]).status.success());
    assert_eq!(home.status(), "not installed");
}

#[test]
fn a_file_that_serves_under_an_installed_name_is_told() {
    let home = Stocked::new("managed_file");
    home.ok(&["plugin", "install", "screen-1.0.0.hrp"]);
    let mut host = Live::start(&mut home.command(&["run", "-q", "--plugin", "./screen-1.0.0.so"]));
    assert_eq!(host.through("ready"), "ready");
    let plugin = home.screen().unwrap();
    assert_eq!((&plugin["status"], &plugin["health"]), (&"running".into(), &"degraded".into()));
    assert!(plugin["reason"].as_str().unwrap().contains("screen-1.0.0.so runs in place of what is installed"));
    // What is disabled does not come in its place, and nothing of it runs.
    assert_eq!(home.json(&["plugin", "install", "screen-1.1.0.hrp"])["replaced"], Value::Null);
    let plugin = home.screen().unwrap();
    assert_eq!((&plugin["version"], &plugin["generation"]), (&"1.0.0".into(), &1.into()));
    home.ok(&["plugin", "unload", "screen"]);
    home.ok(&["plugin", "enable", "screen"]);
    let plugin = home.screen().unwrap();
    assert_eq!((&plugin["version"], &plugin["health"]), (&"1.1.0".into(), &"good".into()));
    host.end();
}

#[test]
fn a_plugin_that_another_host_enabled_comes_by_enabling_it_here() {
    let home = Stocked::new("managed_two");
    home.ok(&["plugin", "install", "screen-1.0.0.hrp"]);
    let start = || {
        let mut host = Live::start(&mut home.command(&["run", "-q"]));
        assert_eq!(host.through("ready"), "ready");
        host
    };
    let (mut first, mut second) = (start(), start());
    let numbers = [first.id().to_string(), second.id().to_string()];
    home.refused(&["plugin", "enable", "screen"], "HR0610", 2);
    home.ok(&["plugin", "enable", "screen", "--pid", &numbers[0]]);
    assert!(first.screens() && !second.screens());
    home.ok(&["plugin", "enable", "screen", "--pid", &numbers[1]]);
    assert!(second.screens());

    home.ok(&["plugin", "install", "screen-1.1.0.hrp", "--pid", &numbers[0]]);
    let line = home.ok(&["plugin", "list", "--pid", &numbers[1]]);
    assert!(line.contains("1.0.0 serves, 1.1.0 is installed; `hookrail plugin unload screen` and `start`"), "{line}");
    home.ok(&["plugin", "unload", "screen", "--pid", &numbers[1]]);
    let started = home.json(&["plugin", "start", "screen", "--pid", &numbers[1]]);
    assert_eq!((&started["version"], &started["health"]), (&"1.1.0".into(), &"good".into()));
}

#[test]
fn a_package_tells_what_it_is_before_it_is_installed_and_when_it_is_not_loaded() {
    let home = Stocked::new("managed_told");
    let seen = home.json(&["inspect", "screen-1.0.0.hrp"]);
    assert_eq!((&seen["signed"]["name"], &seen["unsigned"]), (&"Jane".into(), &Value::Null));
    home.ok(&["plugin", "install", "screen-1.0.0.hrp"]);
    let shown = home.json(&["plugin", "show", "screen"]);
    assert_eq!((&shown["metadata"], &shown["status"]), (&seen["metadata"], &"disabled".into()));
    assert_eq!(shown["declared"][0]["name"], "screen");
    for text in [home.ok(&["inspect", "screen-1.0.0.hrp"]), home.ok(&["plugin", "show", "screen"])] {
        for said in
            ["Denies.", "Jane <jane@example.org>", "https://code.example", "message_processing", "300", "isolation"]
        {
            assert!(text.contains(said), "no {said} in: {text}");
        }
    }
    // What came with the program has no metadata beside its library.
    let shown = home.json(&["plugin", "show", "mask"]);
    assert_eq!((&shown["metadata"], &shown["declared"][0]["name"]), (&Value::Null, &"mask".into()));

    let unsigned = home.home.with_file_name("screen-1.0.0.hrp");
    fs::copy(stocked::packages().join("screen-1.0.0.hrp"), &unsigned).unwrap();
    let unsigned = unsigned.to_str().unwrap();
    let seen = home.json(&["inspect", unsigned]);
    assert!(seen["signed"].is_null() && seen["unsigned"].is_string(), "{seen}");
    assert!(home.ok(&["inspect", unsigned]).contains("no trusted key"));
}

/// A prebuilt one has no package: it says so itself, whether it runs or not.
#[test]
fn the_schema_of_what_came_with_the_program_is_known() {
    let home = Stocked::new("managed_schema");
    let schema = |home: &Stocked, of: &str| home.json(&["config", "schema", of])["properties"].clone();
    assert!(schema(&home, "stamp")["counter"].is_object());
    let wrong = home.home.with_file_name("wrong.json");
    fs::write(&wrong, r#"{ "cuonter": true }"#).unwrap();
    home.refused(&["config", "set", "stamp", "--file", wrong.to_str().unwrap()], "HR0203", 2);
    home.ok(&["plugin", "enable", "stamp"]);
    let mut run = Live::start(&mut home.command(&["run", "-q"]));
    assert_eq!(run.through("a line"), "a line");
    assert!(schema(&home, "stamp")["counter"].is_object());
    home.ok(&["plugin", "stop", "stamp"]);
    assert!(schema(&home, "stamp")["counter"].is_object());
    assert_eq!(run.end().0, Some(0));
}

/// One that does not start: messages go on, and the host says what it is at.
#[test]
fn a_start_that_takes_too_long_is_named() {
    let home = Stocked::new("managed_slow");
    home.ok(&["plugin", "install", "screen-5.0.0.hrp"]);
    let (mut host, until) = patient(&home, "[limits]\nstuck = \"50ms\"\n");
    let mut enabling = home.command(&["plugin", "enable", "screen"]).stdout(Stdio::null()).spawn().unwrap();
    let told = host.said.line(0);
    assert!(told.contains("it is still being loaded after ") && told.contains("plugin=\"screen\""), "{told}");
    let shown = home.json(&["plugin", "show", "screen"]);
    assert_eq!((&shown["status"], &shown["health"]), (&"disabled".into(), &"degraded".into()));
    assert!(shown["reason"].as_str().unwrap().starts_with("it is still being loaded"), "{shown}");
    assert_eq!(host.through("meanwhile"), "meanwhile");
    fs::write(until, "").unwrap();
    assert!(enabling.wait().unwrap().success());
    assert_eq!(home.status(), "running");
    assert_eq!(host.end().0, Some(0));
}

/// The other host goes on as it is, and says so.
#[test]
fn a_second_host_says_what_serves_in_it_and_should_not() {
    let home = Stocked::new("managed_second");
    home.ok(&["plugin", "install", "screen-1.0.0.hrp"]);
    home.ok(&["plugin", "enable", "screen"]);
    let mut hosts = [(), ()].map(|()| Live::start(&mut home.command(&["run", "-q"])));
    for host in &mut hosts {
        assert_eq!(host.through("a line"), "a line");
    }
    let [first, second] = hosts.each_ref().map(|host| host.id().to_string());
    let said = || {
        let listed = home.json(&["plugin", "list", "--pid", &second]);
        let screen = listed.as_array().unwrap().iter().find(|plugin| plugin["name"] == "screen").unwrap().clone();
        assert_eq!((&screen["status"], &screen["generation"]), (&"running".into(), &1.into()));
        (screen["health"].clone(), screen["reason"].to_string())
    };
    assert_eq!(said().0, "good");
    for (verb, word) in [("disable", "and is disabled"), ("uninstall", "and is uninstalled")] {
        home.ok(&["plugin", verb, "screen", "--pid", &first]);
        let (health, reason) = said();
        assert!(health == "degraded" && reason.contains(word), "{verb}: {health}, {reason}");
        assert_eq!(home.json(&["plugin", "show", "screen", "--pid", &second])["health"], "degraded");
    }
}

#[test]
fn a_package_staged_too_long_ago_is_gone() {
    let home = Stocked::new("managed_staged");
    home.ok(&["plugin", "stage", "screen-1.0.0.hrp"]);
    let staged = fs::File::options().write(true).open(home.home.join("staged/screen-1.0.0.hrp")).unwrap();
    staged.set_modified(SystemTime::now() - Duration::from_secs(2 * 60 * 60)).unwrap();
    home.refused(&["plugin", "install", "screen-1.0.0"], "HR0501", 3);
    home.ok(&["plugin", "stage", "screen-1.0.0.hrp"]);
    assert_eq!(home.json(&["plugin", "install", "screen-1.0.0"])["metadata"]["name"], "screen");
}
