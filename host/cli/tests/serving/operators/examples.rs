//! The examples of `tests/operators`, each in its language.

use std::fs;
use std::process::Command;

use hookrail_tests::cli::directory;
use hookrail_tests::has_peer;
use hookrail_tests::probe::eventually;

use super::{Operated, example};

/// The interpreters that the examples need, as the host finds them.
fn with(name: &str, program: &str, package: &str, more: &str) -> Option<String> {
    has_peer(program, package).then(|| format!("command = [{program:?}, {:?}]\n{more}", example(name)))
}

/// It is told everything that an operator is told, and goes on as before.
fn is_led(operated: &mut Operated, mut works: impl FnMut(&mut Operated)) {
    let mut works = |operated: &mut Operated| {
        works(operated);
        // What it has not acknowledged when it ends comes again, and is answered again.
        eventually("all is delivered", || operated.shown()["sinks"].to_string().contains("\"held\":0"));
    };
    works(operated);
    for (verb, then) in [("halt", "resume"), ("stop", "start")] {
        let done = operated.verb(&["plugin", verb, "exec"]);
        assert!(!done.contains("error"), "{done}");
        let done = operated.verb(&["plugin", then, "exec"]);
        assert!(!done.contains("error"), "{done}");
        works(operated);
    }
    let done = operated.verb(&["plugin", "restart", "exec"]);
    assert!(!done.contains("error"), "{done}");
    works(operated);
}

#[test]
fn an_operator_that_uses_nothing_optional_answers() {
    let operator = format!("command = [{:?}]", example("echo.sh"));
    let mut operated = Operated::new("operators-sh", &operator);
    is_led(&mut operated, |operated| {
        for body in ["one", "two \"words\" \\ \u{fc} }}", ""] {
            assert_eq!(operated.ask("ask.me", body), body);
        }
    });
    operated.end();
}

#[test]
fn an_operator_in_python_takes_publishes_and_answers_every_order() {
    let Some(operator) = with("upper.py", "python3", "python3", "") else { return };
    let mut operated = Operated::new("operators-python", &operator);
    is_led(&mut operated, |operated| assert_eq!(operated.ask("ask.me", "one"), "ONE"));
    let before = operated.verb(&["plugin", "show", "exec"]);
    let done = operated.reload(&format!("{operator}\nconfig = {{ prefix = \"> \" }}"));
    assert!(done.contains("exec has another configuration"), "{done}{before}");
    assert_eq!(operated.ask("ask.me", "two"), "> TWO");
    let refused = operated.reload(&format!("{operator}\nconfig = {{ prefix = 7 }}"));
    assert!(
        refused.contains("error[HR0402]") && refused.contains("the operator `it`: `prefix` is no text"),
        "{refused}"
    );
    assert_eq!(operated.ask("ask.me", "three"), "> THREE");
    let said = operated.end();
    assert!(said.contains("operator it: upper has ended"), "{said}");
    assert_eq!(said.matches("operator it: process ").count(), 3, "a reload starts no other process: {said}");
}

#[test]
fn a_bridge_in_node_follows_a_file_and_goes_on_where_it_was() {
    let directory = directory("operators-node-file");
    let file = directory.join("lines.txt");
    let more = format!("config = {{ file = {file:?} }}");
    let Some(operator) = with("follow.js", "node", "nodejs", &more) else { return };
    let mut operated = Operated::new("operators-node", &operator);
    let mut written = 0;
    is_led(&mut operated, |operated| {
        for _ in 0..3 {
            let mut all = fs::read_to_string(&file).unwrap_or_default();
            written += 1;
            all.push_str(&format!("line {written} \u{fc}\n"));
            fs::write(&file, all).unwrap();
            // What it was not told of when it ended comes twice.
            operated.live.out.wait_for(&format!("line {written} \u{fc}"));
        }
    });
    operated.end();
}

#[test]
fn an_operator_in_go_counts() {
    if !has_go() {
        return;
    }
    let directory = directory("operators-go-built");
    let built = Command::new("go")
        .args(["build", "-o", "count"])
        .arg(example("count.go"))
        .current_dir(&directory)
        .env("GO111MODULE", "off")
        .env("GOCACHE", directory.join("cache"))
        .output()
        .unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let mut operated = Operated::new("operators-go", &format!("command = [{:?}]", directory.join("count")));
    is_led(&mut operated, |operated| {
        let count = |answer: String| serde_json::from_str::<serde_json::Value>(&answer).unwrap()["a.b"].as_u64();
        let before = count(operated.ask("count.ask", "")).unwrap_or(0);
        operated.publish("a.b", "one");
        operated.publish("a.b", "two");
        assert_eq!(count(operated.ask("count.ask", "")), Some(before + 2));
    });
    operated.end();
}

/// As `has_peer`, for a program that has no `--version`.
fn has_go() -> bool {
    Command::new("go").arg("version").output().is_ok() || has_peer("go", "golang-go")
}

#[test]
fn an_operator_in_ruby_is_given_what_has_its_header_and_nothing_else() {
    let Some(operator) = with("alert.rb", "ruby", "ruby", "config = { limit = 2 }") else { return };
    let mut operated = Operated::new("operators-ruby", &operator);
    is_led(&mut operated, |operated| {
        let before = operated.live.out.count();
        for (body, level) in [("one", "error"), ("fine", "info"), ("two", "error")] {
            operated.publish_with("log.app", body, &[["level", level]]);
        }
        assert_eq!(operated.live.out.line(before), "2 errors, the last one: two");
    });
    operated.end();
}

#[test]
fn an_example_is_short() {
    for name in ["alert.rb", "count.go", "echo.sh", "follow.js", "upper.py"] {
        let lines = fs::read_to_string(example(name)).unwrap().lines().count();
        assert!(lines <= 50, "{name} has {lines} lines");
    }
}
