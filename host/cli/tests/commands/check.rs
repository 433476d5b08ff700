//! `hookrail check`: good plugins pass, and its answers are for people, for programs and for machines
//! that build. Those that come with the program are in `check_prebuilt.rs`, and what bad ones fail in `check_zoo.rs`.

use std::fs;
use std::path::{Path, PathBuf};

use hookrail_tests::cc;
use hookrail_tests::cli::{directory, hookrail, run, text};
use hookrail_tests::specimens::c;
use hookrail_tests::{plugin, root, zoo};
use serde_json::Value;

const CONFIG: &str = r#"
[plugins.answers-anything.config]
answer = 77

[plugins.exec.config.operators.cat]
command = ["/bin/sh", "-c", """
echo '{"type":"subscribe","topics":[">"]}'; echo '{"type":"ready"}'; while read -r line; do :; done
"""]

[pipelines.all.sources.cat]
use = "exec"
config = { operator = "cat" }

[pipelines.all.sinks.cat]
use = "exec"
config = { operator = "cat" }

[plugins.file-log.config]
path = "messages.log"
dropped = true

[plugins.mask.config]
patterns = ['secret=[^ &]+', { pattern = '[0-9]{4}', replacement = '#' }]
headers = ["to"]

[plugins.throttle.config]
rate = 10.5
"#;

pub(crate) fn config(test: &str) -> PathBuf {
    let file = directory(test).join("hookrail.toml");
    fs::write(&file, CONFIG).unwrap();
    file
}

/// The answer as JSON, and the exit code.
pub(crate) fn json(file: &Path, more: &[&str]) -> (Value, Option<i32>) {
    let mut command = hookrail(&["check", "--json", "--quick"]);
    let output = run(command.args(more).arg(file), b"");
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output.stderr)));
    (report, output.status.code())
}

pub(crate) fn passes(file: &Path, config: &str, more: &[&str]) {
    // What is only a warning need not hold here: how long a load takes.
    let arguments = [&["--strictness", "10", "--skip", "load-time", "--config", config], more].concat();
    let (report, code) = json(file, &arguments);
    assert_eq!(code, Some(0), "{report:#}");
    assert_eq!(report["summary"]["warned"], 0, "{report:#}");
    // Without a callback to call, or an unloading to see, it would say little.
    for name in ["callbacks", "payloads", "fuzz", "threads", "unmaps", "replace"] {
        assert_eq!(status(&report, name), "passed", "{report:#}");
    }
}

pub(crate) fn status<'a>(report: &'a Value, name: &str) -> &'a str {
    let checks = report["checks"].as_array().unwrap();
    checks.iter().find(|check| check["name"] == name).unwrap()["status"].as_str().unwrap()
}

#[test]
fn a_c_plugin_passes_all_checks() {
    let source = root().join("abi/examples/c/screen.c");
    let file = cc::compile(cc::STRICT_C, source.to_str().unwrap(), &["-shared", "-fPIC"], "checked_screen.so");
    passes(&file, config("screen").to_str().unwrap(), &[]);
    passes(&file, config("screen").to_str().unwrap(), &["--isolated"]);
}

#[test]
fn the_configuration_is_the_one_that_is_named() {
    let config = config("configured");
    let (report, code) = json(&zoo("answers_anything"), &["--config", config.to_str().unwrap(), "--only", "callbacks"]);
    assert_eq!(code, Some(1));
    let found = report["checks"][0]["detail"].as_str().unwrap();
    assert!(found.contains("it returned 0x4d"), "{found}");
}

#[test]
fn a_table_a_line_and_a_paragraph_are_for_people() {
    let mut command = hookrail(&["check", "--quick", "--seed", "7", "--only", "note|starts|callbacks"]);
    let output = run(command.arg(c("breaks")).env("BREAKS", "callback:segv"), b"");
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    for part in [
        "breaks 1.0.0",
        "callbacks crashed",
        "SIGSEGV ended its process",
        "calling `publish` on message.publish with a plain message",
        "--only callbacks --seed 7 --quick --in-process",
        "3 checks in ",
        "2 passed, 1 crashed (strictness 5, seed 7)",
    ] {
        assert!(said.contains(part), "`{part}` in: {said}");
    }
}

#[test]
fn json_has_all_that_people_see() {
    let (report, _) = json(&c("well_behaved"), &["--seed", "0x10", "--only", "entry.*"]);
    assert_eq!((&report["plugin"], &report["version"]), (&"well-behaved".into(), &"1.0.0".into()));
    assert_eq!((&report["seed"], &report["strictness"], &report["quick"]), (&16.into(), &5.into(), &true.into()));
    let summary = report["summary"].as_object().unwrap();
    let ways: Vec<_> = summary.keys().collect();
    assert_eq!(ways, ["crashed", "failed", "passed", "skipped", "timed-out", "warned"]);
    let checks = report["checks"].as_array().unwrap();
    assert_eq!(checks.iter().map(|check| &check["name"]).collect::<Vec<_>>(), ["entry-symbol", "entry"]);
    for key in ["command", "detail", "doing", "kind", "level", "took_ms", "name", "output", "status"] {
        assert!(checks.iter().all(|check| !check[key].is_null()), "{key}: {report:#}");
    }
}

#[test]
fn a_crash_is_told_with_its_signal_and_what_was_printed() {
    let mut command = hookrail(&["check", "--json", "--quick", "--only", "starts"]);
    let output = run(command.arg(c("breaks")).env("BREAKS", "start:abort"), b"");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["checks"][0]["status"], &report["checks"][0]["signal"]), (&"crashed".into(), &6.into()));
    let mut command = hookrail(&["check", "--json", "--quick", "--only", "starts"]);
    let output = run(command.arg(c("breaks")).env("BREAKS", "start:print"), b"");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&report["checks"][0]["status"], &report["checks"][0]["output"]),
        (&"passed".into(), &"I am here".into())
    );
}

#[test]
fn junit_is_well_formed_and_counts_the_same() {
    let file = directory("junit").join("report.xml");
    let mut command = hookrail(&["check", "--quick", "--only", "note|starts|callbacks|unmaps", "--junit"]);
    let output = run(command.arg(&file).arg(c("breaks")).env("BREAKS", "callback:segv"), b"");
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let xml = fs::read_to_string(&file).unwrap();
    let document = roxmltree::Document::parse(&xml).unwrap();
    let suite = document.descendants().find(|node| node.has_tag_name("testsuite")).unwrap();
    let counts = ["tests", "failures", "errors", "skipped"].map(|key| suite.attribute(key).unwrap());
    assert_eq!(counts, ["4", "0", "1", "1"], "{xml}");
    let cases: Vec<_> = document.descendants().filter(|node| node.has_tag_name("testcase")).collect();
    let names: Vec<_> = cases.iter().map(|case| case.attribute("name").unwrap()).collect();
    assert_eq!(names, ["note", "starts", "callbacks", "unmaps"]);
    let error = cases[2].children().find(|node| node.has_tag_name("error")).unwrap();
    assert_eq!((error.attribute("type"), error.attribute("message").is_some()), (Some("crashed"), true));
}

#[test]
fn every_report_says_where_the_plugin_was() {
    for (more, isolation, again) in [(&[][..], "in-process", "--in-process"), (&["--isolated"], "worker", "--isolated")]
    {
        let file = directory(&format!("reported-{isolation}")).join("report.xml");
        let arguments = [more, &["--only", "note", "--junit", file.to_str().unwrap()]].concat();
        let (report, _) = json(&c("well_behaved"), &arguments);
        assert_eq!(report["isolation"], isolation);
        let command = report["checks"][0]["command"].as_str().unwrap();
        assert!(command.ends_with(again), "{command}");
        let xml = fs::read_to_string(&file).unwrap();
        let document = roxmltree::Document::parse(&xml).unwrap();
        let property = document.descendants().find(|node| node.attribute("name") == Some("isolation")).unwrap();
        assert_eq!(property.attribute("value"), Some(isolation));
    }
}

/// Its host goes on, and says of the plugin what it would have died of itself.
#[test]
fn a_crash_of_a_worker_is_told_with_its_signal() {
    let config = directory("crashing").join("hookrail.toml");
    fs::write(&config, "[plugins.breaks.worker]\nenvironment = [\"BREAKS\"]\n").unwrap();
    let mut command = hookrail(&["check", "--json", "--quick", "--isolated", "--only", "loads", "--config"]);
    let output = run(command.arg(&config).arg(c("breaks")).env("BREAKS", "schema:abort"), b"");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let check = &report["checks"][0];
    assert_eq!((&check["status"], &check["signal"]), (&"crashed".into(), &6.into()), "{report:#}");
    assert!(check["detail"].as_str().unwrap().starts_with("SIGABRT ended its worker: "), "{report:#}");
}

/// The same seed finds the same thing, at the same step; another one need not.
#[test]
fn a_seed_makes_the_same_calls_again() {
    let found = |seed: &str| {
        let mut command = hookrail(&["check", "--json", "--only", "fuzz", "--seed", seed]);
        let output = run(command.arg(c("breaks")).env("BREAKS", "odd-bodies"), b"");
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        report["checks"][0]["detail"].as_str().unwrap().to_owned()
    };
    let first = found("11");
    assert!(first.starts_with("step "), "{first}");
    assert_eq!(found("11"), first);
    assert!((12..20).any(|seed| found(&seed.to_string()) != first));
}

#[test]
fn a_seed_is_shown_when_none_is_given() {
    let seeds: Vec<_> = (0..2).map(|_| json(&c("well_behaved"), &["--only", "note"]).0["seed"].clone()).collect();
    assert!(seeds.iter().all(Value::is_u64), "{seeds:?}");
    assert_ne!(seeds[0], seeds[1]);
}

#[test]
fn in_process_is_for_a_debugger_and_finds_the_same() {
    for name in ["fuzz", "quiet-load", "threads", "replace"] {
        let (report, code) = json(&plugin("hello"), &["--in-process", "--only", name]);
        assert_eq!((code, status(&report, name)), (Some(0), "passed"), "{report:#}");
    }
    let mut command = hookrail(&["check", "--only", "starts", "--in-process"]);
    let output = run(command.arg(c("breaks")).env("BREAKS", "start:abort"), b"");
    assert_eq!(output.status.code(), None, "a crash is one of this process: {}", text(&output.stdout));
    let mut command = hookrail(&["check", "--only", "starts", "--in-process"]);
    let output = run(command.arg(c("breaks")).env("BREAKS", "start:leave"), b"");
    assert_eq!(output.status.code(), Some(1), "an exit of the plugin is no success: {}", text(&output.stdout));
    assert!(text(&output.stderr).contains("error[HR0629]"), "{}", text(&output.stderr));
}

/// What a source and a sink in C need, no schema says: a pipeline of the operator's does.
#[test]
fn endpoints_run_with_the_configuration_of_a_pipeline_that_uses_them() {
    const RUN: [&str; 3] = ["accept-free", "endpoints-end", "unload-endpoints"];
    let only = ["--only", "endpoints|accept-free|endpoints-end|unload-endpoints"];
    let detail = |report: &Value, name: &str| {
        let checks = report["checks"].as_array().unwrap();
        checks.iter().find(|check| check["name"] == name).unwrap()["detail"].as_str().unwrap().to_owned()
    };
    let (report, code) = json(&c("sends_and_takes"), &only);
    assert_eq!((code, status(&report, "endpoints")), (Some(0), "passed"), "{report:#}");
    for name in RUN {
        assert_eq!(status(&report, name), "skipped", "{report:#}");
        let said = "source numbers needs a configuration, such as a pipeline of --config gives it: ";
        assert!(detail(&report, name).starts_with(said), "{report:#}");
    }
    let file = directory("endpoints_configured").join("hookrail.toml");
    let pipeline = r#"
[pipelines.numbers.sources.in]
use = "sends-and-takes-in-c/numbers"
config.until = 500

[pipelines.numbers.sinks.out]
use = "sends-and-takes-in-c"
config.file = "out"
"#;
    fs::write(&file, pipeline).unwrap();
    let (report, code) = json(&c("sends_and_takes"), &[&only[..], &["--config", file.to_str().unwrap()]].concat());
    assert_eq!(code, Some(0), "{report:#}");
    RUN.iter().for_each(|name| assert_eq!(status(&report, name), "passed", "{report:#}"));
    let ran = detail(&report, "endpoints-end");
    assert!(ran.starts_with("source numbers returns after 500 messages; sink lines ends within "), "{ran}");
}

/// Each check that cannot be done without the points says so, and where the way is told.
#[test]
fn skips_for_points_of_another_program_say_how_to_check_those() {
    let (report, code) = json(&zoo("counter_elsewhere"), &["--strictness", "10"]);
    assert_eq!(code, Some(0), "{report:#}");
    for name in ["note", "loads", "callbacks", "payloads", "unmaps", "replace", "leaves-nothing"] {
        let check = report["checks"].as_array().unwrap().iter().find(|check| check["name"] == name).unwrap();
        let detail = check["detail"].as_str().unwrap();
        assert!(detail.contains("check it by a program that declares that point"), "{name}: {detail}");
    }
    let document = fs::read_to_string(root().join("docs/check.md")).unwrap();
    assert!(document.contains("\n## Points of your own\n"), "the messages name that section");
}

#[test]
fn levels_and_patterns_choose_the_checks() {
    let names = |more: &[&str]| -> Vec<String> {
        let (report, _) = json(&c("well_behaved"), more);
        let checks = report["checks"].as_array().unwrap();
        checks.iter().map(|check| check["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(
        names(&["--strictness", "1"]),
        ["entry-symbol", "note", "entry", "starts", "loads", "endpoints", "callbacks"]
    );
    assert_eq!(names(&["--strictness", "1", "--skip", "e.*|callbacks"]), ["note", "starts", "loads"]);
    // What is named is run, however strict it is.
    assert_eq!(names(&["--only", "constructors", "--only", "note"]), ["note", "constructors"]);
}

#[test]
fn impossible_checks_are_clear_errors() {
    let good = c("well_behaved");
    let good = good.to_str().unwrap();
    let manifest = env!("CARGO_MANIFEST_PATH");
    for (arguments, code, said) in [
        (&["nosuch.so"][..], 3, "error[HR0501]"),
        (&[manifest], 5, "error[HR0303]"),
        (&["/"], 5, "error[HR0303]"),
        (&[good, "--only", "nosuch"], 2, "error[HR0617]: the pattern `nosuch` names no check"),
        (&[good, "--skip", "("], 2, "error[HR0617]: the pattern `(` is not a pattern"),
        (&[good, "--in-process"], 2, "error[HR0619]: 51 checks are selected"),
        (&[good, "--isolated", "--in-process"], 2, "cannot be used with"),
        (&[good, "--seed", "x"], 2, "invalid value 'x'"),
        (&[good, "--timeout", "0s"], 2, "use 1s to 24h"),
        (&[good, "--strictness", "11"], 2, "invalid value '11'"),
        (&[good, "--config", "nosuch.toml"], 3, "error[HR0501]"),
        (&[good, "--config", manifest], 2, "error[HR0201]"),
        (
            &[good, "--only", "note", "--junit", "/nosuch/report.xml"],
            3,
            "error[HR0501]: cannot write /nosuch/report.xml",
        ),
        (&[], 2, "required"),
    ] {
        let output = run(hookrail(&["check"]).args(arguments), b"");
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", text(&output.stderr));
        assert!(text(&output.stderr).contains(said), "{arguments:?}: {}", text(&output.stderr));
    }
}

#[test]
fn the_document_lists_every_check_with_its_level() {
    let document = fs::read_to_string(root().join("docs/check.md")).unwrap();
    let rows = document.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| `")?.split(" | ");
        Some((cells.next()?.trim_end_matches('`').to_owned(), cells.nth(1)?.parse::<u64>().ok()?))
    });
    let output = run(&mut hookrail(&["check", "--list", "--json"]), b"");
    let all: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut listed: Vec<_> = rows.collect();
    let checks = all.as_array().unwrap().iter();
    let mut checks: Vec<_> =
        checks.map(|check| (check["name"].as_str().unwrap().to_owned(), check["level"].as_u64().unwrap())).collect();
    // The document has those of a kind together.
    listed.sort();
    checks.sort();
    assert_eq!(listed, checks);
    assert!(fs::read_to_string(root().join("CHANGELOG.md")).unwrap().contains(&format!("by {} checks", checks.len())));
}
