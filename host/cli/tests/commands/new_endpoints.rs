//! `hookrail new --source` and `--sink`: what they make builds, passes its own tests and `hookrail check`, and runs in
//! the pipeline that comes with it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use hookrail_tests::cli::live::Live;
use hookrail_tests::cli::{hookrail, run, text};
use hookrail_tests::{has_peer, own_target};
use serde_json::Value;

use crate::new::{cargo, completed, made, refused, succeeds};

/// A crate, tested and built; its directory and its library.
fn in_rust(name: &str, arguments: &[&str]) -> (PathBuf, PathBuf) {
    let package = made(name, &[&[name], arguments].concat());
    cargo(&package, &["test", "--quiet"]);
    cargo(&package, &["build"]);
    (package, own_target("zoo").join(format!("debug/lib{}.so", name.replace('-', "_"))))
}

/// The same in C; `None` where there is no compiler.
fn in_c(name: &str, arguments: &[&str]) -> Option<(PathBuf, PathBuf)> {
    if !has_peer("cc", "gcc") || !has_peer("make", "make") {
        return None;
    }
    let directory = made(name, &[&[name, "--lang", "c"], arguments].concat());
    // From the environment, so that the warnings of the Makefile are errors.
    let make = |goal: &str| {
        let output = run(Command::new("make").arg(goal).env("CFLAGS", "-Werror").current_dir(&directory), b"");
        (output.status.success(), text(&output.stderr).to_owned())
    };
    let library = format!("lib{}.so", name.replace('-', "_"));
    for goal in [&*library, "test"] {
        let (passes, said) = make(goal);
        assert!(passes && said.is_empty(), "{goal}: {said}");
    }
    let library = directory.join(library);
    Some((directory, library))
}

/// `hookrail serve` as the last step says, with the pipeline of the new package.
fn serve(package: &Path, library: &Path) -> Command {
    let readme = fs::read_to_string(package.join("README.md")).unwrap();
    let pipeline = fs::read_to_string(package.join("hookrail.toml")).unwrap();
    assert!(readme.contains(&format!("```toml\n{pipeline}```\n")), "{readme}");
    let mut serve = hookrail(&["serve", "--json", "--plugin"]);
    serve.arg(library).current_dir(package);
    serve
}

/// What it declares.
fn endpoint(library: &Path) -> (String, String, String) {
    let note = hookrail::inspect(library).unwrap().note;
    assert!(note.hooks.is_empty(), "{note:?}");
    let [endpoint] = &*note.endpoints else { panic!("{note:?}") };
    let words = serde_json::to_value(endpoint).unwrap();
    let word = |key: &str| words[key].as_str().unwrap().to_owned();
    (word("kind"), word("name"), word("guarantee"))
}

/// As its author checks it: in its directory, so that its endpoint is run with the configuration of the pipeline there.
fn passes_its_checks(package: &Path, library: &Path) {
    let checked = succeeds(hookrail(&["check", "--json"]).arg(library).current_dir(package));
    let report: Value = serde_json::from_str(&checked).unwrap();
    for check in report["checks"].as_array().unwrap() {
        let (name, status) = (check["name"].as_str().unwrap(), check["status"].as_str().unwrap());
        let is_of_endpoints = ["accept-free", "endpoints-end", "hostile-endpoints", "unload-endpoints"].contains(&name);
        assert!(status == "passed" || status == "skipped" && !is_of_endpoints, "{check:#}");
    }
}

fn is_served_as_a_source(package: &Path, library: &Path) {
    assert_eq!(endpoint(library), ("source".into(), "ticks".into(), "at-most-once".into()));
    passes_its_checks(package, library);
    let live = Live::start(&mut serve(package, library));
    assert_eq!([live.out.line(0), live.out.line(1)], ["1", "2"]);
    live.interrupt();
    let (code, _, said) = live.end();
    assert_eq!(code, Some(0), "{said:?}");
    let view: Value = serde_json::from_str(said.last().unwrap()).unwrap();
    assert_eq!(view[0]["sources"][0]["restarts"], 0, "{view}");
}

fn is_served_as_a_sink(package: &Path, library: &Path) {
    assert_eq!(endpoint(library), ("sink".into(), "file".into(), "at-least-once".into()));
    passes_its_checks(package, library);
    for lines in ["one\ntwo\n", "three\n"] {
        let output = run(&mut serve(package, library), lines.as_bytes());
        assert!(output.status.success(), "{}", text(&output.stderr));
        let view: Value = serde_json::from_str(text(&output.stderr).lines().last().unwrap()).unwrap();
        assert_eq!(view[0]["sinks"][0]["delivered"], lines.lines().count(), "{view}");
    }
    assert_eq!(fs::read_to_string(package.join("lines.txt")).unwrap(), "one\ntwo\nthree\n");
}

/// Has a host use it with a configuration that does not fit, and waits until the host says why.
fn refuses(package: &Path, library: &Path, config: &str, why: &str) {
    let pipeline = fs::read_to_string(package.join("hookrail.toml")).unwrap();
    let (before, _) = pipeline.split_once("config = ").unwrap();
    let (_, after) = pipeline.split_once(" }\n").unwrap();
    let changed = package.join("refused.toml");
    fs::write(&changed, format!("{before}config = {config}\n{after}")).unwrap();
    let mut serve = hookrail(&["serve", "--config"]);
    let live = Live::start(serve.arg(changed).arg("--plugin").arg(library).current_dir(package));
    live.said.wait_for(why);
}

#[test]
fn a_source_in_rust_works_at_once() {
    let (package, library) = in_rust("clock", &["--source", "ticks"]);
    is_served_as_a_source(&package, &library);
    for (config, why) in [("{ every_ms = 0 }", "every_ms is 0"), ("{ every = 5 }", "('every' was unexpected)")] {
        refuses(&package, &library, config, why);
    }
}

#[test]
fn a_sink_in_rust_works_at_once() {
    let (package, library) = in_rust("append", &["--sink", "file"]);
    is_served_as_a_sink(&package, &library);
    for (config, why) in [("{ file = \"\" }", "file is empty"), ("{}", "\"file\" is a required property")] {
        refuses(&package, &library, config, why);
    }
}

#[test]
fn a_source_in_c_works_at_once() {
    let Some((package, library)) = in_c("clock-c", &["--source", "ticks"]) else { return };
    is_served_as_a_source(&package, &library);
    for (config, why) in [
        ("{ every_ms = 0 }", "0 is less than the minimum of 1"),
        ("{ every_ms = 5.5 }", "5.5 is not of type \"integer\""),
        ("{ every_ms = 5, more = 1 }", "('more' was unexpected)"),
        ("{ every = 5 }", "('every' was unexpected)"),
    ] {
        refuses(&package, &library, config, why);
    }
}

#[test]
fn a_sink_in_c_works_at_once() {
    let Some((package, library)) = in_c("append-c", &["--sink", "file"]) else { return };
    is_served_as_a_sink(&package, &library);
    for (config, why) in [
        ("{}", "\"file\" is a required property"),
        ("{ file = \"\" }", "\"\" is shorter than 1 character"),
        ("{ file = 5 }", "5 is not of type \"string\""),
        ("{ file = 'a\"b' }", "not like `{ file = \"lines.txt\" }`"),
        ("{ file = \"a\", more = 1 }", "('more' was unexpected)"),
    ] {
        refuses(&package, &library, config, why);
    }
}

/// The tests that a package comes with are no formality.
#[test]
fn the_tests_of_a_c_endpoint_fail_when_it_does_something_else() {
    for (name, option, of, right, wrong) in [
        ("off-source", "--source", "ticks", "number = 1;", "number = 2;"),
        ("off-sink", "--sink", "file", "fputc('\\n', file)", "fputc(' ', file)"),
    ] {
        let Some((directory, _)) = in_c(name, &[option, of]) else { return };
        let plugin = directory.join("plugin.c");
        let source = fs::read_to_string(&plugin).unwrap();
        assert!(source.contains(right), "{source}");
        fs::write(&plugin, source.replace(right, wrong)).unwrap();
        let output = run(Command::new("make").arg("test").current_dir(&directory), b"");
        assert!(!output.status.success() && text(&output.stderr).contains("not so: "), "{}", text(&output.stderr));
    }
}

/// A name that means something in a template, or in the program, is one for a plugin all the same.
#[test]
fn a_source_may_have_the_name_of_what_it_uses() {
    for name in ["source", "stdin"] {
        let (package, library) = in_rust(name, &["--source", "ticks"]);
        is_served_as_a_source(&package, &library);
    }
}

#[test]
fn an_endpoint_in_c_is_packed() {
    let Some((directory, library)) = in_c("packed-c", &["--sink", "file"]) else { return };
    completed(&directory.join("hookrail-package.toml"));
    let mut pack = hookrail(&["pack", "--lib"]);
    pack.arg(format!("x86_64-unknown-linux-gnu={}", library.display())).current_dir(&directory);
    succeeds(pack.env("SOURCE_DATE_EPOCH", "1700000000"));
    assert!(directory.join("packed-c-0.1.0.hrp").is_file());
}

#[test]
fn options_that_make_no_sense_with_an_endpoint_are_refused() {
    let points = hookrail_tests::root().join("host/examples/gateway/points");
    let points = points.to_str().unwrap();
    for (arguments, why) in [
        (&["--source", "a", "--sink", "b"][..], "--sink"),
        (&["--source", "a", "--priority", "5"], "--priority"),
        (&["--sink", "a", "--point", "message.publish"], "--point"),
        (&["--sink", "a", "--point", "message.publish", "--points-crate", points], "--point"),
        (&["--source", "a b"], "letters, digits"),
        (&["--sink", ""], "letters, digits"),
        (&["--source", "a", "--abi", "/nowhere"], "--abi"),
        (&[], "--source <ENDPOINT>"),
    ] {
        let said = refused(&[&["mine"], arguments].concat());
        assert!(said.contains(why), "{arguments:?}: {said}");
    }
}
