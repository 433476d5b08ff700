//! Tests of pipelines in a file: what passes, what fails, and what is wrong with a file.

use std::fs;

use hookrail_tests::cli::{home, text};
use hookrail_tests::{plugin, root};
use serde_json::Value;

use crate::scenes::Place;

const CONFIG: &str = r#"
[plugins.mask.config]
patterns = ["secret[0-9]+"]
[plugins.throttle.config]
rate = 0.001
burst = 1
key = "topic"
[plugins.file-log.config]
path = "DIR/of-the-plugin.txt"
[pipelines.logs.sources.in]
use = "tail"
config = { paths = ["DIR/*.log"] }
[pipelines.logs.sinks.all]
use = "file-log"
config = { path = "DIR/of-the-sink.txt" }
topics = ["log.>"]
queue = { policy = "spill" }
[pipelines.logs.sinks.loud]
use = "stdout"
headers = { level = "error" }
"#;

/// A place with that file of tests.
fn with_tests(test: &str, tests: &str) -> Place {
    _ = ["mask", "throttle", "file-log"].map(plugin);
    let place = Place::new(test, CONFIG);
    fs::write(place.path("tests.toml"), tests).unwrap();
    place
}

/// Runs it; returns the exit code, stdout and stderr.
fn run(place: &Place, arguments: &[&str]) -> (i32, String, String) {
    let output = place.command(&[&["test"], arguments].concat()).output().unwrap();
    (output.status.code().unwrap(), text(&output.stdout).into(), text(&output.stderr).into())
}

#[test]
fn messages_take_the_way_of_a_pipeline_and_nothing_of_it_is_opened() {
    let place = with_tests(
        "test-passes",
        r#"
[[cases]]
name = "with its sinks"
pipeline = "logs"
topic = "log.a"
messages = ["secret1", { topic = "other", headers = [["level", "info"], ["level", "error"]], body_base64 = "/w==" },
    { topic = "nobody", body = "x" }]
expect = [{ body = "***", topic = "log.a", sinks = ["all"] },
    { body_base64 = "/w==", sinks = ["loud"], headers = { level = "error" } }, { dropped = "unrouted" }]
[[cases]]
name = "the chain alone"
lines = """
one
two"""
expect = ["one", { dropped = "denied", by = "throttle/limit" }]
[[cases]]
name = "with plugins that have just started"
messages = ["one"]
expect = ["one"]
"#,
    );
    // Another run of the tests has had it.
    let _ = fs::remove_dir_all(home());
    let (code, out, err) = run(&place, &["tests.toml"]);
    assert_eq!((code, &*err), (0, ""), "{out}");
    assert!(out.contains("ok    with its sinks (3 messages)") && out.ends_with("3 passed, 0 failed\n"), "{out}");
    let left: Vec<_> = fs::read_dir(&place.directory).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "the two files that were there: {left:?}");
    for kept in ["streams", "instances", "run"] {
        assert!(!home().join(kept).exists(), "{kept} in the home");
    }
}

#[test]
fn what_differs_is_shown_with_its_line() {
    let tests = r#"pipeline = "logs"
[[cases]]
name = "all of it"
topic = "log.a"
messages = ["secret1", "b", { topic = "log.b", headers = { a = "1" }, body = "c" }, { topic = "no", body = "d" }]
expect = [
    "secret1",
    { dropped = "denied", by = "mask/mask", code = 7, reason = "because" },
    { sinks = ["all", "loud"], topic = "log.c", headers = { a = "2", b = "3" } },
    {},
]
[[cases]]
name = "good"
topic = "log.x"
messages = ["one"]
expect = [{}]
"#;
    let place = with_tests("test-fails", tests);
    let (code, out, err) = run(&place, &["tests.toml", "--json"]);
    assert_eq!((code, &*err), (1, ""), "{out}");
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&report["passed"], &report["failed"]), (&1.into(), &1.into()));
    let failures = report["files"][0]["cases"][0]["failures"].as_array().unwrap();
    let told: Vec<_> = failures
        .iter()
        .map(|failure| {
            let number = |key: &str| failure[key].as_u64().unwrap();
            let text = |key: &str| failure[key].as_str().unwrap();
            (number("line"), number("message"), text("what"), text("expected"), text("came"))
        })
        .collect();
    assert_eq!(told[0], (7, 1, "body", r#""secret1""#, r#""***""#));
    assert_eq!(told[1], (8, 2, "by", "mask/mask", "throttle/limit"));
    assert_eq!((told[2].2, told[2].3, told[3].2, told[3].3), ("code", "7", "reason", "because"));
    assert_eq!(told[4], (9, 3, "topic", r#""log.c""#, r#""log.b""#));
    assert_eq!(told[5], (9, 3, "header", r#""a" = "2""#, r#""1""#));
    assert_eq!(told[6], (9, 3, "header", r#""b" = "3""#, "none"));
    assert_eq!(told[7], (9, 3, "sinks", "all, loud", "all"));
    assert_eq!((told[8].0, told[8].1, told[8].2, told[8].3), (10, 4, "outcome", "passed"));
    assert!(told[8].4.starts_with("unrouted") && told.len() == 9, "{told:?}");
    let (code, out, _) = run(&place, &["tests.toml"]);
    assert!(code == 1 && out.contains("FAIL  all of it") && out.contains("tests.toml:7: message 1, body"), "{out}");
}

#[test]
fn a_callback_that_fails_fails_the_case_whatever_becomes_of_the_message() {
    let tests = "[[cases]]\nname = 'a'\nmessages = ['x', 'boom', 'x']\nexpect = [{}, {}, {}]\n";
    let place = with_tests("test-faults", tests);
    place.configure("");
    let panics = hookrail_tests::zoo("panics_variously");
    let (code, out, _) = run(&place, &["tests.toml", "--plugin", panics.to_str().unwrap()]);
    assert_eq!((code, out.matches("tests.toml:4: message ").count()), (1, 1), "{out}");
    assert!(out.contains("message 2, callback") && out.contains("it went badly wrong"), "{out}");
}

#[test]
fn all_mistakes_of_all_files_are_named_with_their_lines_and_no_case_runs() {
    let place =
        with_tests("test-mistakes", "pipelin = 'logs'\n[[cases]]\nname = 'a'\nmessages = ['a', 3]\n[[cases]]\n");
    let more = "[[cases]]\nname = 'a'\npipeline = 'logz'\nmessages = ['a']\nexpect = [{ sinks = ['all'] }]
[[cases]]\nname = 'a'\npipeline = 'logs'\nmessages = ['a']\nexpect = [{ sinks = ['al'] }, 'x']
[[cases]]\nname = 'c'\nexpect = [{ sinks = ['x'] }]\n";
    fs::write(place.path("more.toml"), more).unwrap();
    let (code, out, err) = run(&place, &["tests.toml", "more.toml"]);
    assert_eq!((code, &*out), (2, ""), "{err}");
    for said in [
        "error[HR0632]",
        "tests.toml:1: unknown field `pipelin`",
        "tests.toml:4: invalid type: integer `3`, expected a text or a table",
        "tests.toml:5: missing field `name`",
        "more.toml:3: the configuration has no pipeline `logz`, but `logs`",
        "more.toml:7: another case is named \"a\": line 1",
        "more.toml:10: the pipeline `logs` has no sink `al`, but `all`",
        "more.toml:6: `expect` says what becomes of 2 messages, and the case has 1",
        "more.toml:11: the case has no message",
        "more.toml:13: `sinks` needs the `pipeline`",
    ] {
        assert!(err.contains(said), "{said}:\n{err}");
    }
    assert_eq!(err.matches("toml:").count(), 9, "{err}");
    let (code, _, err) = run(&place, &["nowhere.toml"]);
    assert!(code == 3 && err.contains("nowhere.toml"), "{err}");
}

#[test]
fn the_example_of_the_guide_passes_and_is_printed_there() {
    _ = ["mask", "throttle", "tail", "file-log"].map(plugin);
    let (example, guide) = (root().join("docs/guide/tested"), root().join("docs/guide/serving.md"));
    let place = Place { directory: example.clone() };
    let (code, out, err) = run(&place, &["--config", "hookrail.toml", "tests.toml"]);
    assert_eq!(code, 0, "{out}{err}");
    let guide = fs::read_to_string(guide).unwrap();
    assert!(guide.contains(&format!("tests.toml\n{out}```")), "the guide shows another output:\n{out}");
    let tests = fs::read_to_string(example.join("tests.toml")).unwrap();
    assert!(guide.contains(&format!("```toml\n{tests}```")), "the guide shows another file");
}
