//! No message is lost on its way to and from an operator.

use std::collections::BTreeMap;
use std::fs;

use hookrail_tests::probe::eventually;

use super::{Operated, process_in};
use crate::scenes::{complete, signal};

fn script(test: &str) -> std::path::PathBuf {
    hookrail_tests::tmp().join(format!("{test}-script"))
}

/// Writes each line of its stdin to a file, and says first what a test has it say.
fn writing(ready: &str) -> String {
    format!(
        r#"
import json, os, sys, time
def say(**what): print(json.dumps(what), flush=True)
open("DIR/process", "w").write(f"{{os.getpid()}}\n")
pause = 0
{ready}
for line in sys.stdin:
    time.sleep(pause)
    open("DIR/given", "a").write(line)
    told = json.loads(line)
    if told["type"] != "message": continue
    body = told["message"]["body"]
    given = globals().setdefault("given", {{}})
    given[body] = given.get(body, 0) + 1
    if body == "dead": say(type="reject", id=told["id"], reason="it is dead")
    elif body == "later" and given[body] < 3: say(type="retry", id=told["id"], reason="not yet")
    else: say(type="ack", id=told["id"])
    say(type="publish", message={{"topic": "out.it", "body": f"{{body}} {{given[body]}}"}})
"#
    )
}

#[test]
fn an_operator_gets_just_what_it_has_subscribed_to() {
    let test = "operators-just";
    let subscribes = "say(type='subscribe', topics=['log.*', 'x.>'], headers={'k': 'v'})\n\
         say(type='subscribe', topics=['end'])\nsay(type='ready', acks=True)";
    let mut operated = Operated::python(test, &writing(subscribes), "");
    let with = &[["k", "v"]][..];
    let before = operated.live.out.count();
    for (topic, headers) in
        [("log.a", with), ("log.a.b", with), ("log.a", &[]), ("x", with), ("x.a.b", with), ("other", with)]
    {
        operated.publish_with(topic, topic, headers);
    }
    operated.publish("end", "end");
    operated.live.out.line(before + 2);
    let given = fs::read_to_string(script(test).join("given")).unwrap();
    let topics: Vec<_> = given
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .filter_map(|told| told["message"]["topic"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(topics, ["log.a", "x.a.b", "end"], "no other was written to it");
    operated.end();
}

#[test]
fn an_operator_that_acknowledges_has_messages_again_or_dropped() {
    let ready = "say(type='subscribe', topics=['ask'])\nsay(type='ready', acks=True)";
    let mut operated = Operated::python("operators-acks", &writing(ready), "");
    assert_eq!(operated.ask("ask", "one"), "one 1");
    assert_eq!(operated.ask("ask", "dead"), "dead 1");
    assert_eq!(operated.ask("ask", "later"), "later 1");
    operated.live.out.wait_for("later 3");
    eventually("it is counted", || operated.shown()["sinks"].to_string().contains(r#"{"fault":1}"#));
    operated.end();
}

/// It dies with messages that it has not acknowledged.
#[test]
fn what_a_killed_operator_has_not_acknowledged_comes_again() {
    let test = "operators-killed";
    let ready = "say(type='subscribe', topics=['ask'])\nsay(type='ready', acks=True)\npause = 0.002";
    let mut operated = Operated::python(test, &writing(ready), "restarts = 100");
    let mut process = 0;
    let lines = || fs::read_to_string(script(test).join("given")).unwrap_or_default().lines().count();
    for round in 0..3 {
        let before = lines();
        for number in 0..300 {
            operated.publish("ask", &format!("{}", round * 300 + number));
        }
        let next = process_in(&script(test).join("process"));
        assert_ne!(next, process);
        process = next;
        // It has a part of them, and more in its pipe, unless this thread is late.
        eventually("it is given some", || lines() > before + 20);
        signal(process, libc::SIGKILL);
        eventually("another one is there", || process_in(&script(test).join("process")) != process);
    }
    let given = || {
        let mut given = BTreeMap::new();
        for line in fs::read_to_string(script(test).join("given")).unwrap_or_default().lines() {
            // The last line of a process that was killed may be half of one.
            let Ok(told) = serde_json::from_str::<serde_json::Value>(line) else { continue };
            if let Some(body) = told["message"]["body"].as_str() {
                *given.entry(body.to_owned()).or_insert(0) += 1;
            }
        }
        given
    };
    eventually("all of them were given", || (0..900).all(|number| given().contains_key(&number.to_string())));
    operated.end();
}

/// Publishes numbers for ever, and goes on behind what the stream has taken.
const NUMBERS: &str = r#"
import json, os, sys, threading
def say(**what): print(json.dumps(what), flush=True)
place = json.loads(sys.stdin.readline())["directories"]["state"] + "/place"
taken = int(open(place).read()) if os.path.exists(place) else 0
say(type="ready")
ended = threading.Event()
def publish(number):
    while not ended.wait(0.001):
        say(type="publish", id=number + 1, message={"topic": "out.it", "body": str(number)})
        number += 1
thread = threading.Thread(target=publish, args=[taken])
thread.start()
for line in sys.stdin:
    told = json.loads(line)
    if told["type"] == "shutdown":
        break
    if told["type"] == "published":
        open(place + ".new", "w").write(str(told["id"]))
        os.rename(place + ".new", place)
ended.set()
"#;

#[test]
fn an_upgrade_of_the_plugin_loses_nothing_of_a_source() {
    let test = "operators-moved";
    let operated = Operated::python(test, NUMBERS, "");
    operated.live.out.line(100);
    for (verb, isolation) in [("isolate", "worker"), ("embed", "in-process"), ("isolate", "worker")] {
        let done = operated.verb(&["plugin", verb, "exec"]);
        assert!(!done.contains("error"), "{isolation}: {done}");
        let before = operated.live.out.count();
        operated.live.out.line(before + 100);
    }
    operated.verb(&["plugin", "stop", "exec"]);
    operated.verb(&["plugin", "start", "exec"]);
    let before = operated.live.out.count();
    operated.live.out.line(before + 100);
    operated.live.interrupt();
    let (code, lines, said) = operated.live.end();
    assert_eq!(code, Some(0), "{said:?}");
    let last = lines.iter().map(|line| line.parse::<usize>().unwrap()).max().unwrap();
    let twice = complete(&lines, last + 1);
    println!("{} messages, {twice} of them came twice", lines.len());
}

#[test]
fn what_an_operator_publishes_last_is_not_lost() {
    let script = "echo '{\"type\":\"subscribe\",\"topics\":[\"ask\"]}'\necho '{\"type\":\"ready\"}'\n\
         while read -r line; do case $line in *shutdown*) \
         echo '{\"type\":\"publish\",\"message\":{\"topic\":\"out.it\",\"body\":\"farewell\"}}';; esac; done";
    let operated = Operated::shell("operators-farewell", script, "");
    for count in 1..=2 {
        // One that has not said anything yet is not told that it is to end.
        let runs = || operated.live.said.with("the unit is running unit=\"exec.it\"") >= count;
        eventually("it runs", runs);
        assert!(!operated.verb(&["plugin", "stop", "exec"]).contains("error"));
        assert!(!operated.verb(&["plugin", "start", "exec"]).contains("error"));
        assert_eq!(operated.live.out.line(count - 1), "farewell");
    }
    operated.end();
}
