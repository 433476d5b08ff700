//! Operators that hang, talk nonsense, flood, fork or are started twice.

use std::fs;

use hookrail_tests::cli::live::Live;
use hookrail_tests::probe::eventually;

use super::{Operated, lives, process_in};

fn script(test: &str) -> std::path::PathBuf {
    hookrail_tests::tmp().join(format!("{test}-script"))
}

/// Answers what it is asked, and begins with what a test has it do.
fn answering(first: &str) -> String {
    format!(
        r#"
import json, os, sys, time
def say(**what): print(json.dumps(what), flush=True)
open("DIR/process", "a").write(f"{{os.getpid()}}\n")
{first}
say(type="subscribe", topics=["ask"])
say(type="ready")
for line in sys.stdin:
    told = json.loads(line)
    if told["type"] == "message": say(type="publish", message={{"topic": "out.it", "body": told["message"]["body"]}})
"#
    )
}

#[test]
fn one_that_is_never_ready_fails_with_the_reason_and_its_messages_wait() {
    let operator = "ready = \"200ms\"\nrestarts = 2";
    let mut operated = Operated::shell("operators-unready", "sleep 1000", operator);
    operated.until_plugin("operator it has failed");
    operated.publish("ask", "one");
    eventually("the sink says so", || operated.shown().to_string().contains("the operator `it` has failed"));
    // It gets what has waited, once it is one that works.
    let test = "operators-unready-after";
    let directory = hookrail_tests::cli::directory(test);
    let works = directory.join("it.py");
    fs::write(&works, answering("").replace("DIR", directory.to_str().unwrap())).unwrap();
    let before = operated.live.out.count();
    let done = operated.reload(&format!("command = [\"python3\", {works:?}]"));
    assert!(done.contains("another configuration"), "{done}");
    assert_eq!(operated.live.out.line(before), "one");
    operated.end();
}

#[test]
fn one_that_subscribes_to_nothing_is_named_and_given_nothing() {
    let mut operated = Operated::shell("operators-unsubscribed", "echo '{\"type\":\"ready\"}'; cat >/dev/null", "");
    operated.publish("ask", "one");
    eventually("the sink says so", || operated.shown().to_string().contains("has subscribed to nothing"));
    operated.end();
}

#[test]
fn one_that_does_not_end_is_killed_with_what_it_has_started() {
    let test = "operators-hanging";
    let script_text = "trap '' TERM INT\n(trap '' TERM; echo $$ >&2; sleep 1000) & echo $! >DIR/child\necho $$ >DIR/process\n\
        setsid sleep 1000 & echo $! >DIR/far\n\
        echo '{\"type\":\"subscribe\",\"topics\":[\"ask\"]}'; echo '{\"type\":\"ready\"}'\nwhile :; do sleep 1000; done";
    let operated = Operated::shell(test, script_text, "stop = \"300ms\"");
    let all = ["process", "child", "far"].map(|name| process_in(&script(test).join(name)));
    let done = operated.verb(&["plugin", "stop", "exec"]);
    assert!(!done.contains("error"), "{done}");
    for process in all {
        assert!(!lives(process), "{all:?}");
    }
    operated.end();
}

#[test]
fn nonsense_is_passed_over_shown_escaped_and_counted() {
    let nonsense = r#"
print("Loading \x1b[2Jmodel ...")
for number in range(50): print("x" * 30)
print("y" * 5000, flush=True)
sys.stdout.buffer.write(b"\xff\xfe\n{\"type\":\"ack\",\"id\":1}\n{\"type\":\"dance\"}\n{\"type\":\"dance\"}\n")
"#;
    let mut operated = Operated::python("operators-nonsense", &answering(nonsense), "max_line = 4096");
    assert_eq!(operated.ask("ask", "one"), "one");
    let long = "z".repeat(5000);
    operated.publish("ask", &long);
    assert_eq!(operated.ask("ask", "two"), "two", "what is too long for it is dropped");
    eventually("it is counted", || operated.shown()["sinks"].to_string().contains(r#"{"fault":1}"#));
    let said = operated.end();
    assert!(said.contains("it is no JSON object: Loading \\u{1b}[2Jmodel"), "{said}");
    assert_eq!(said.matches("object: xxx").count(), 9, "{said}");
    assert_eq!(said.matches("says `dance`").count(), 1, "{said}");
    assert!(said.contains("54 of its lines could not be read"), "{said}");
}

#[test]
fn one_that_talks_only_nonsense_is_killed_and_fails() {
    let script = "while :; do echo nonsense; done";
    let operated = Operated::shell("operators-babble", script, "restarts = 2");
    operated.live.said.wait_for("100 lines in a row could not be read: it is killed");
    operated.until_plugin("operator it has failed");
    operated.end();
}

#[test]
fn a_newer_protocol_is_refused() {
    let script = "echo '{\"type\":\"ready\",\"protocol\":2}'; sleep 1000";
    let operated = Operated::shell("operators-newer", script, "restarts = 1");
    operated.live.said.wait_for("it speaks version 2 of the protocol, and this plugin 1");
    operated.until_plugin("operator it has failed");
    operated.end();
}

/// Publishes more than its pipe and the queue hold before it reads.
const FLOOD: &str = r#"
import json, sys
def say(**what): print(json.dumps(what), flush=True)
say(type="subscribe", topics=["ask"])
say(type="ready", answers=["ping"])
for number in range(3000): say(type="publish", message={"topic": "out.it", "body": "flood " + "x" * 1000})
for line in sys.stdin:
    told = json.loads(line)
    if told["type"] == "ping": say(type="pong")
    if told["type"] == "message": say(type="publish", message={"topic": "out.it", "body": told["message"]["body"]})
"#;

/// It is sent as much as it publishes at the same time.
#[test]
fn both_pipes_full_is_no_deadlock() {
    const COUNT: usize = 3000;
    let more = "ping_every = \"10ms\"";
    let mut operated = Operated::python("operators-full", FLOOD, more);
    for number in 0..COUNT {
        operated.publish("ask", &format!("{number} {}", "y".repeat(1000)));
    }
    let lines: Vec<_> = (0..2 * COUNT).map(|number| operated.live.out.line(number)).collect();
    let numbers = lines.iter().filter(|line| !line.starts_with("flood")).map(|line| line.split(' ').next().unwrap());
    assert!(numbers.eq((0..COUNT).map(|number| number.to_string())), "each came once, in its order");
    let said = operated.end();
    assert_eq!(said.matches("operator it: process ").count(), 1, "{said}");
}

#[test]
fn two_hosts_of_one_home_never_have_an_operator_twice() {
    let test = "operators-twice";
    let mut operated = Operated::python(test, &answering(""), "");
    assert_eq!(operated.ask("ask", "one"), "one");
    let mut second = Live::start(&mut operated.place.command(&["serve"]));
    second.said.wait_for("is there already, held by process");
    second.send("{}");
    assert_eq!(operated.ask("ask", "two"), "two");
    let started = fs::read_to_string(script(test).join("process")).unwrap();
    assert_eq!(started.lines().count(), 1, "{started}");
    second.interrupt();
    second.end();
    operated.end();
}

#[test]
fn an_operator_dies_with_its_host() {
    let test = "operators-orphan";
    let operated = Operated::python(test, &answering(""), "");
    let process = process_in(&script(test).join("process"));
    crate::scenes::signal(operated.live.id(), libc::SIGKILL);
    eventually("it has ended", || !lives(process));
}
