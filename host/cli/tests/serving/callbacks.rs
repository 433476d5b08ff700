//! `hooks set`: what an operator says of a callback while messages flow.

use hookrail_tests::cli::live::Live;
use hookrail_tests::probe::eventually;
use serde_json::Value;

use crate::scenes::{FOLLOW, Place, following};

const SET: [&str; 4] = ["hooks", "set", "message.publish", "mask/mask"];

/// What is said of the callback of `mask` in the running host.
fn shown(place: &Place) -> Value {
    let output = place.command(&["hooks", "show", "message.publish", "--json"]).output().unwrap();
    let point: Value = serde_json::from_slice(&output.stdout).unwrap();
    let is_it = |callback: &&Value| callback["callback"] == "mask/mask";
    point["chain"].as_array().unwrap().iter().find(is_it).unwrap_or_else(|| panic!("{point}")).clone()
}

fn set(place: &Place, options: &[&str]) -> String {
    place.ask(&[&SET[..], options].concat())
}

fn end(serving: Live) {
    serving.interrupt();
    serving.end();
}

#[test]
fn what_is_set_applies_at_once_and_loses_no_message() {
    let place = following("hooks-set");
    let serving = place.serve_and_answer();
    let declared = shown(&place)["priority"].as_i64().unwrap();
    for number in 0..50 {
        place.append("logs/app.log", &format!("secret{number}\n"));
        let priority = if number % 2 == 0 { declared + 1 } else { -7 };
        set(&place, &["--priority", &priority.to_string()]);
        assert_eq!(shown(&place)["priority"], priority);
    }
    place.wait_for_lines("out/all.txt", 50);
    let lines = place.lines("out/all.txt");
    assert!(lines.len() == 50 && lines.iter().all(|line| !line.contains("secret")), "{lines:?}");
    let callback = shown(&place);
    assert_eq!((&callback["declared_priority"], &callback["overridden_by"]), (&declared.into(), &"operator".into()));
    let plugin: Value = serde_json::from_str(&place.ask(&["plugin", "show", "mask", "--json"])).unwrap();
    assert_eq!(plugin["generation"], 1, "nothing was loaded again: {plugin}");

    let told = set(&place, &["--disable"]);
    assert!(told.contains("disabled by the operator"), "{told}");
    place.append("logs/app.log", "secret50\n");
    place.wait_for_lines("out/all.txt", 51);
    set(&place, &["--enable"]);
    place.append("logs/app.log", "secret51\n");
    place.wait_for_lines("out/all.txt", 52);
    let lines = place.lines("out/all.txt");
    assert!(lines[50] == "secret50" && !lines[51].contains("secret"), "{lines:?}");
    end(serving);
}

#[test]
fn what_is_set_outlives_plugins_workers_and_hosts_until_it_is_taken_back() {
    let place = following("hooks-set-kept");
    let serving = place.serve_and_answer();
    let declared = shown(&place);
    set(&place, &["--priority", "77", "--fault", "closed"]);
    let is_kept = |when: &str| {
        let callback = shown(&place);
        assert_eq!((&callback["priority"], &callback["fault_policy"]), (&77.into(), &"closed".into()), "{when}");
        assert_eq!(callback["overridden_by"], "operator", "{when}");
    };
    let library = hookrail_tests::plugin("mask");
    let library = library.to_str().unwrap();
    for verb in [
        &["plugin", "restart", "mask"][..],
        &["plugin", "replace", "mask", library],
        &["plugin", "isolate", "mask"],
        &["plugin", "embed", "mask"],
        &["plugin", "stop", "mask"],
        &["plugin", "start", "mask"],
        &["plugin", "halt", "mask"],
    ] {
        let said = place.ask(verb);
        assert!(!said.contains("error"), "{verb:?}: {said}");
        if !["stop", "halt"].contains(&verb[1]) {
            is_kept(verb[1]);
        }
    }
    // It is changed while it is halted, and comes back so.
    let said = set(&place, &["--fault", "rollback"]);
    assert!(!said.contains("error"), "{said}");
    place.ask(&["plugin", "resume", "mask"]);
    assert_eq!((&shown(&place)["fault_policy"], &shown(&place)["priority"]), (&"rollback".into(), &77.into()));
    set(&place, &["--fault", "closed"]);
    end(serving);

    let serving = place.serve_and_answer();
    is_kept("another host");
    let told = set(&place, &["--default"]);
    assert!(!told.contains("the operator says"), "{told}");
    for field in ["priority", "fault_policy", "overridden_by", "enabled"] {
        assert_eq!(shown(&place)[field], declared[field], "{field}");
    }
    end(serving);
    let serving = place.serve_and_answer();
    assert_eq!(shown(&place)["priority"], declared["priority"]);
    end(serving);
}

/// Whoever is required and absent is denied for, and only while the operator wants that.
#[test]
fn what_is_set_of_an_absent_plugin_applies_at_once() {
    let place = following("hooks-set-absent");
    let required = FOLLOW.replace("[plugins.mask.config]", "[plugins.mask]\nrequired = true\n[plugins.mask.config]");
    place.configure(&required);
    let serving = place.serve_and_answer();
    let (mut sent, mut passed) = (0, 0);
    let mut follows = |options: &[&str], passes: bool| {
        let told = set(&place, options);
        assert!(!told.contains("error"), "{options:?}: {told}");
        let missed = || shown(&place)["missed"].as_u64().unwrap_or_default();
        let before = missed();
        place.append("logs/app.log", &format!("line {sent}\n"));
        sent += 1;
        if passes {
            passed += 1;
            place.wait_for_lines("out/all.txt", passed);
        } else {
            eventually("it is denied", || missed() == before + 1);
        }
    };
    for verb in ["halt", "stop", "start", "unload"] {
        let said = place.ask(&["plugin", verb, "mask"]);
        assert!(!said.contains("error"), "{verb}: {said}");
        if verb != "start" {
            follows(&["--fault", "closed"], false);
            follows(&["--disable"], true);
            follows(&["--enable"], false);
            follows(&["--fault", "open"], true);
            assert_eq!(shown(&place)["overridden_by"], "operator");
            follows(&["--fault", "closed"], false);
            follows(&["--default"], true);
        }
    }
    end(serving);
}

#[test]
fn what_cannot_be_set_changes_nothing_and_says_why() {
    let place = following("hooks-set-refused");
    let serving = place.serve_and_answer();
    let before = shown(&place);
    for (arguments, said) in [
        (&["hooks", "set", "message.publish", "mask/mask", "--disable", "--priority", "1000"][..], "error[HR0202]"),
        (&["hooks", "set", "message.publsh", "mask/mask", "--disable"], "`message.publish` is there"),
        (&["hooks", "set", "message.publish", "mask/musk", "--disable"], "`mask/mask` is there"),
        (&["hooks", "set", "message.publish", "quite/another", "--disable"], "there are mask/mask, hookrail/validate"),
        (&["hooks", "set", "message.publish", "hookrail/validate", "--disable"], "registered in the program itself"),
        (&["hooks", "set", "message.publish", "mask/mask", "--fault", "ajar"], "use open, closed or rollback"),
        (&["hooks", "set", "message.publish", "mask/mask", "--enable", "--disable"], "cannot be used with"),
        (&["hooks", "set", "message.publish", "mask/mask"], "required"),
    ] {
        let told = place.ask(arguments);
        assert!(told.contains(said), "{arguments:?}: {told}");
        assert_eq!(shown(&place), before, "{arguments:?}");
    }
    end(serving);
}

#[test]
fn what_the_file_says_of_a_callback_is_changed_there() {
    let place = following("hooks-set-declared");
    let hook = "[[overrides]]\npoint = \"message.publish\"\ncallback = \"mask/mask\"\npriority = 7\n";
    place.configure(&format!("{FOLLOW}{hook}"));
    let line = FOLLOW.lines().count() + 1;
    let serving = place.serve_and_answer();
    let told = set(&place, &["--priority", "8"]);
    assert!(told.contains("error[HR0832]") && told.contains(&format!("hookrail.toml:{line}")), "{told}");
    assert_eq!((&shown(&place)["priority"], &shown(&place)["overridden_by"]), (&7.into(), &"host".into()));
    let told = place.ask(&["hooks", "explain", "message.publish"]);
    assert!(told.contains("the host's configuration says 7, it declares"), "{told}");
    eventually("it is in the list", || place.ask(&["hooks", "list"]).contains("in the configuration"));
    end(serving);
}
