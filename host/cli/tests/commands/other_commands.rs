//! The other commands.

use std::fs;
use std::process::{Command, Stdio};

use hookrail_tests::cli::{directory, hookrail, run, text};
use hookrail_tests::probe::eventually;
use serde_json::Value;

fn json(arguments: &[&str]) -> Value {
    let output = run(&mut with_plugins(arguments), b"");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The program where it finds the prebuilt plugins: tests build them, but not beside it.
fn with_plugins(arguments: &[&str]) -> Command {
    let mut command = hookrail(arguments);
    let library = hookrail_tests::plugin("bench");
    command.env("HOOKRAIL_PLUGINS", library.parent().unwrap());
    command
}

#[test]
fn a_mistake_shows_the_usage_of_its_command_with_every_alternative() {
    for (arguments, usage) in [
        (&["run", "--header-field", "a"][..], "hookrail run [OPTIONS] [FILES]..."),
        (
            &["config", "set", "mask"],
            "hookrail config set [OPTIONS] <NAME> <KEY=VALUE>...\n       hookrail config set [OPTIONS] <NAME> --file <FILE>",
        ),
        (&["check"], "hookrail check <FILE|--list>"),
        (&["check", "--quick"], "hookrail check --quick <FILE|--list>"),
    ] {
        let output = run(&mut hookrail(arguments), b"");
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(&format!("\nUsage: {usage}\n")), "{arguments:?}: {said}");
    }
}

#[test]
fn every_point_is_listed_with_who_dispatches_it() {
    let points = json(&["hooks", "list", "--json"]);
    let publish = points.as_array().unwrap().iter().find(|view| view["point"] == "message.publish").unwrap();
    assert_eq!(publish["dispatched_by"], serde_json::json!({ "program": "hookrail run", "since": "1.0" }));
    assert_eq!(
        (&publish["chain"][0]["priority"], &publish["chain"][0]["priority_origin"]),
        (&1000.into(), &"built-in".into())
    );
    assert!(points.as_array().unwrap().iter().any(|view| view["point"] == "client.connect" && view["revision"] == 0));
}

#[test]
fn the_order_of_a_chain_and_where_a_priority_comes_from_are_shown() {
    let directory = directory("overrides");
    let config = "[[overrides]]\npoint = \"message.publish\"\ncallback = \"hello/greet\"\npriority = 2000\n\
                  [[overrides]]\npoint = \"message.publish\"\ncallback = \"mask/mask\"\nenabled = false\n";
    fs::write(directory.join("hookrail.toml"), config).unwrap();
    let mut command = hookrail(&["hooks", "show", "message.publish", "--plugin"]);
    let output = run(command.arg(hookrail_tests::plugin("hello")).current_dir(&directory), b"");
    let shown = text(&output.stdout);
    assert!(shown.find("validate").unwrap() < shown.find("greet").unwrap(), "{shown}");
    assert!(shown.contains("overridden, was 500"), "{shown}");
    // What overrides nothing is told.
    assert!(text(&output.stderr).contains("mask/mask"), "{}", text(&output.stderr));
}

#[test]
fn missing_points_plugins_and_files_are_told_with_the_next_step() {
    for (arguments, code) in [
        (&["hooks", "show", "message.publsh"][..], "HR0110"),
        (&["run", "--plugin", "nosuch"], "HR0103"),
        (&["run", "--config", "nosuch.toml"], "HR0501"),
        (&["inspect", "nosuch.so"], "HR0501"),
    ] {
        let output = run(&mut hookrail(arguments), b"");
        assert_eq!(output.status.code(), Some(3), "{arguments:?}: {}", text(&output.stderr));
        assert!(text(&output.stderr).starts_with(&format!("error[{code}]: ")), "{}", text(&output.stderr));
        assert!(text(&output.stderr).contains("\n  fix: "));
    }
}

#[test]
fn a_file_that_is_no_plugin_is_refused() {
    let output = run(&mut hookrail(&["run", "--plugin", env!("CARGO_MANIFEST_PATH")]), b"");
    assert_eq!(output.status.code(), Some(5), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("error[HR0303]"), "{}", text(&output.stderr));
}

#[test]
fn a_configuration_for_another_plugin_is_refused() {
    let directory = directory("another_plugin");
    let library = hookrail_tests::plugin("hello");
    fs::write(directory.join("hookrail.toml"), format!("[plugins.helo]\nlibrary = {:?}\n", library)).unwrap();
    let output = run(hookrail(&["run"]).current_dir(&directory), b"");
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("name it [plugins.hello]"), "{}", text(&output.stderr));
}

#[test]
fn a_bad_configuration_is_an_error_of_usage() {
    let directory = directory("bad_configuration");
    fs::write(directory.join("hookrail.toml"), "[plugins.mask]\nconfg = 1\n").unwrap();
    let output = run(hookrail(&["hooks", "list"]).current_dir(&directory), b"");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("error[HR0201]"), "{}", text(&output.stderr));
}

#[test]
fn inspect_says_what_is_in_a_library() {
    let mask = hookrail_tests::plugin("mask");
    let inspection = json(&["inspect", "--json", mask.to_str().unwrap()]);
    assert_eq!(inspection["note"]["name"], "mask");
    let shown = run(&mut hookrail(&["inspect", mask.to_str().unwrap()]), b"");
    assert!(text(&shown.stdout).contains("message.publish"), "{}", text(&shown.stdout));
    let schema = json(&["inspect", "--schema", mask.to_str().unwrap()]);
    assert!(schema["properties"]["patterns"].is_object(), "{schema}");
}

#[test]
fn inspect_finds_the_library_of_a_name() {
    let beside = json(&["inspect", "--json", "mask"]);
    assert_eq!(beside, json(&["inspect", "--json", hookrail_tests::plugin("mask").to_str().unwrap()]));
    let missing = run(&mut hookrail(&["inspect", "nosuch"]), b"");
    assert_eq!(missing.status.code(), Some(3));
    assert!(text(&missing.stderr).starts_with("error[HR0103]: "), "{}", text(&missing.stderr));
}

#[test]
fn bench_answers_an_array_of_costs() {
    let costs = json(&["bench", "--json", "--rounds", "1"]);
    assert_eq!(costs.as_array().unwrap().len(), 14);
    for cost in costs.as_array().unwrap() {
        let keys: Vec<_> = cost.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys, ["callbacks", "dispatch_ns", "raw_ns", "threads", "unrolled_ns"]);
        assert!(cost["raw_ns"].as_f64().unwrap() > 0.0 && cost["dispatch_ns"].as_f64().unwrap() > 0.0);
    }
}

#[test]
fn the_demo_loses_nothing() {
    // How much there is of it in its second is the machine's business.
    eventually("the plugin comes and goes while messages flow", || {
        let output = run(&mut with_plugins(&["demo", "--json"]), b"");
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let facts: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(facts["traffic"]["lost"], 0);
        ["loads", "greeted"].iter().all(|count| facts["traffic"][*count].as_u64().unwrap() > 0)
    });
}

#[test]
fn a_closed_stdout_is_no_panic_anywhere() {
    for arguments in [
        &["hooks", "list"][..],
        &["bench", "--json", "--rounds", "1"],
        &["--help"],
        &["hooks", "show", "message.publish"],
    ] {
        let mut child =
            with_plugins(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert!(matches!(output.status.code(), Some(0 | 141)), "{arguments:?}: {:?}", output.status);
        assert!(!text(&output.stderr).contains("panicked"), "{arguments:?}: {}", text(&output.stderr));
    }
}

#[test]
fn the_exit_codes_stand_in_the_help() {
    let output = run(&mut hookrail(&["--help"]), b"");
    for code in [0, 1, 2, 3, 4, 5, 6, 7, 8, 75, 130, 141] {
        let code = format!("\n  {code:>3}  ");
        assert!(text(&output.stdout).contains(&code), "{}", text(&output.stdout));
    }
}

/// Whose keys are trusted must not depend on which verb asks.
#[test]
fn the_home_is_that_of_the_flag_else_of_the_environment_else_of_the_file() {
    let directory = directory("commands_home");
    std::fs::write(directory.join("hookrail.toml"), "home = \"of-file\"\n").unwrap();
    for verb in [&["trust", "list"][..], &["plugin", "list"], &["keygen"]] {
        for (named, environment, expected) in [
            (None, None, "of-file"),
            (None, Some("of-environment"), "of-environment"),
            (Some("of-flag"), Some("of-environment"), "of-flag"),
        ] {
            for home in ["of-file", "of-environment", "of-flag"] {
                let _ = std::fs::remove_dir_all(directory.join(home));
            }
            let mut command = hookrail(verb);
            command.current_dir(&directory).env_remove("HOOKRAIL_HOME").env("HOOKRAIL_KEY_PASSWORD", "");
            command.args(named.into_iter().flat_map(|home| ["--home", home]));
            command.envs(environment.map(|home| ("HOOKRAIL_HOME", home)));
            let output = run(&mut command, b"");
            assert!(output.status.success(), "{verb:?}: {}", text(&output.stderr));
            let made = ["of-file", "of-environment", "of-flag"].map(|home| directory.join(home).is_dir());
            assert_eq!(made, ["of-file", "of-environment", "of-flag"].map(|home| home == expected), "{verb:?}");
        }
    }
}

/// As if it were not set: not the directory the program is in.
#[test]
fn an_empty_home_variable_is_as_good_as_none() {
    let user = directory("commands_empty_home");
    let output = run(hookrail(&["trust", "list"]).env("HOOKRAIL_HOME", "").env("HOME", &user), b"");
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(user.join(".hookrail").is_dir());
}

#[test]
fn a_key_is_trusted_only_under_a_printable_name() {
    for name in ["", "  ", "a\nb", "\u{1b}[2J"] {
        let output = run(&mut hookrail(&["trust", "add", "no.pub", "--name", name]), b"");
        assert_eq!(output.status.code(), Some(2), "{name:?}");
        assert!(text(&output.stderr).contains("write a name, in characters that print"), "{name:?}");
    }
}
