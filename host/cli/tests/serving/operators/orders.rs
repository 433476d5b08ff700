//! Halt, resume, reload, restart, shutdown: acknowledged, or named as not.

use hookrail_tests::cli::live::Live;
use hookrail_tests::probe::eventually;
use serde_json::json;

use super::{Operated, lives, process_in};
use crate::scenes::Place;

/// Writes its process number and what it is told to files, and answers as its configuration says.
const ANSWERS: &str = r#"
import json, os, sys
def say(**what): print(json.dumps(what), flush=True)
config = json.loads(sys.stdin.readline())["config"]
open("DIR/process", "w").write(f"{os.getpid()}\n")
say(type="subscribe", topics=["ask"])
say(type="ready", answers=["ping", "halt", "resume", "reload"])
for line in sys.stdin:
    told = json.loads(line)
    kind = told["type"]
    open("DIR/told", "a").write(kind + "\n")
    if kind == "message": say(type="publish", message={"topic": "out.it", "body": told["message"]["body"]})
    elif kind == config.get("silent"): continue
    elif kind == config.get("refuses"): say(type="refused", what=kind, reason="not \x1b[31mnow")
    elif kind == "ping": say(type="pong", state=config.get("state", "running"), reason="ill")
    elif kind == "halt": say(type="halted")
    elif kind == "resume": say(type="resumed")
    elif kind == "reload": config = told["config"]; say(type="reloaded")
"#;

fn script(test: &str) -> std::path::PathBuf {
    hookrail_tests::tmp().join(format!("{test}-script"))
}

#[test]
fn messages_for_a_halted_operator_wait_until_it_resumes() {
    let test = "operators-halt";
    let mut operated = Operated::python(test, ANSWERS, "");
    assert_eq!(operated.ask("ask", "one"), "one");
    let done = operated.verb(&["plugin", "halt", "exec"]);
    assert!(done.contains("halted"), "{done}");
    let told = std::fs::read_to_string(script(test).join("told")).unwrap();
    // It is still asked how it is, now and then.
    assert_eq!(told.lines().rfind(|kind| *kind != "ping"), Some("halt"), "{told}");
    let before = operated.live.out.count();
    operated.publish("ask", "two");
    assert!(!operated.verb(&["plugin", "resume", "exec"]).contains("error"));
    assert_eq!(operated.live.out.line(before), "two");
    let said = operated.end();
    assert_eq!(said.matches("operator it: process ").count(), 1, "it is the same process: {said}");
}

#[test]
fn who_refuses_or_does_not_answer_is_named() {
    let test = "operators-refusing";
    let mut operated = Operated::python(test, ANSWERS, "config = { refuses = \"halt\" }");
    assert_eq!(operated.ask("ask", "one"), "one");
    let refused = operated.verb(&["plugin", "halt", "exec"]);
    assert!(refused.contains("the operator `it`: not \\u{1b}[31mnow"), "{refused}");
    assert_eq!(operated.ask("ask", "two"), "two", "it goes on");
    let more = |config: &str| {
        let file = script(test).join("it.py");
        format!("command = [\"python3\", {file:?}]\norder = \"300ms\"\nconfig = {{ {config} }}")
    };
    let done = operated.reload(&more("silent = \"halt\""));
    assert!(done.contains("another configuration"), "{done}");
    // With another deadline it is another process, which is told nothing before it is ready.
    assert_eq!(operated.ask("ask", "again"), "again");
    let silent = operated.verb(&["plugin", "halt", "exec"]);
    assert!(silent.contains("the operator `it`: it has not answered in time"), "{silent}");
    assert_eq!(operated.ask("ask", "three"), "three", "it goes on");
    operated.end();
}

#[test]
fn what_it_answers_to_pings_is_shown() {
    let mut operated =
        Operated::python("operators-ping", ANSWERS, "ping_every = \"20ms\"\nconfig = { state = \"error\" }");
    assert_eq!(operated.ask("ask", "one"), "one");
    operated.until_plugin("operator it is not well: ill");
    operated.end();
}

#[test]
fn who_does_not_answer_pings_any_more_is_started_again() {
    let test = "operators-silent";
    let more = "ping_every = \"50ms\"\npong = \"200ms\"\nconfig = { silent = \"ping\" }";
    let operated = Operated::python(test, ANSWERS, more);
    let first = process_in(&script(test).join("process"));
    eventually("another one is there", || process_in(&script(test).join("process")) != first);
    assert!(!lives(first));
    operated.end();
}

#[test]
fn another_command_is_another_process_and_the_name_is_taken_once() {
    let test = "operators-changed";
    let mut operated = Operated::python(test, ANSWERS, "");
    assert_eq!(operated.ask("ask", "one"), "one");
    let first = process_in(&script(test).join("process"));
    let file = script(test).join("it.py");
    let done = operated.reload(&format!("command = [\"python3\", \"-u\", {file:?}]"));
    assert!(done.contains("another configuration"), "{done}");
    assert!(!lives(first));
    assert_eq!(operated.ask("ask", "two"), "two");
    assert_ne!(process_in(&script(test).join("process")), first);
    operated.end();
}

/// Keeps a configuration and a file, and says what it has.
const KEEPS: &str = r#"
import json, os, sys
def say(**what): print(json.dumps(what), flush=True)
hello = json.loads(sys.stdin.readline())
state, ephemeral = hello["directories"]["state"], hello["directories"]["ephemeral"]
same = [state, ephemeral] == [os.environ["HOOKRAIL_STATE"], os.environ["HOOKRAIL_EPHEMERAL"]]
say(type="subscribe", topics=["ask"])
say(type="ready")
for line in sys.stdin:
    told = json.loads(line)
    if told["type"] == "message":
        files = [os.listdir(state), os.listdir(ephemeral)]
        for directory in [state, ephemeral]: open(directory + "/file", "w").write("x")
        say(type="log", level="warn", text="it is \x1b[31masked")
        say(type="config", config={"count": hello["config"].get("count", 0) + 1})
        say(type="publish", message={"topic": "out.it", "body": json.dumps([same, files])})
    elif told["type"].startswith("config"):
        say(type="publish", message={"topic": "out.config", "body": json.dumps(told)})
"#;

#[test]
fn an_operator_has_directories_a_log_and_its_configuration() {
    let mut operated = Operated::python("operators-keeps", KEEPS, "");
    let before = operated.live.out.count();
    assert_eq!(operated.ask("ask", ""), "[true, [[], []]]");
    let answer = operated.live.out.line(before + 1);
    assert!(answer.contains("config_refused") && answer.contains("hookrail.toml"), "a file has it: {answer}");
    operated.live.said.wait_for("operator it: it is \\u{1b}[31masked");
    assert!(!operated.verb(&["plugin", "stop", "exec"]).contains("error"));
    assert!(!operated.verb(&["plugin", "start", "exec"]).contains("error"));
    assert_eq!(operated.ask("ask", ""), "[true, [[\"file\"], []]]", "what is ephemeral is gone");
    operated.end();
}

/// What a file declares nobody else changes, so here the plugin is configured in the store.
#[test]
fn an_operator_stores_its_configuration() {
    let test = "operators-stores";
    super::forget();
    let directory = hookrail_tests::cli::directory(&format!("{test}-script"));
    let script = |name: &str, text: &str| {
        std::fs::write(directory.join(name), text).unwrap();
        json!({ "command": ["python3", directory.join(name)] })
    };
    let config = json!({ "operators": { "feed": script("feed.py", super::FEED), "it": script("it.py", KEEPS) } });
    let all = super::config("");
    let place = Place::new(test, &all[all.find("[pipelines").unwrap()..]);
    std::fs::write(place.path("exec.json"), config.to_string()).unwrap();
    let live = Live::start(&mut place.command(&["serve", "-v"]));
    live.said.wait_for("there are none");
    for command in [&["plugin", "enable", "exec"][..], &["config", "set", "exec", "--file", "exec.json"]] {
        let done = place.ask(command);
        assert!(!done.contains("error"), "{done}");
    }
    let mut operated = Operated { place, live };
    for count in 1..=2 {
        let before = operated.live.out.count();
        operated.ask("ask", "");
        assert_eq!(operated.live.out.line(before + 1), r#"{"type": "config_stored"}"#);
        let kept = operated.verb(&["config", "get", "exec", "--json"]);
        assert!(kept.contains(&format!("\"count\": {count}")), "{kept}");
        for verb in ["stop", "start"] {
            let done = operated.verb(&["plugin", verb, "exec"]);
            assert!(!done.contains("error"), "{done}");
        }
    }
    // The next host has it from the store, too.
    let Operated { place, live } = operated;
    live.interrupt();
    assert_eq!(live.end().0, Some(0));
    let live = Live::start(&mut place.command(&["serve", "-v"]));
    let mut operated = Operated { place, live };
    operated.ask("ask", "");
    assert!(operated.verb(&["config", "get", "exec", "--json"]).contains("\"count\": 3"));
    operated.end();
}
