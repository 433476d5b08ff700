//! Operators in any language, under a host that serves: what they are given, what they publish, and how they are led.

mod examples;
mod guide;
mod hostile;
mod orders;
mod passing;

use std::fs;
use std::path::PathBuf;

use hookrail_tests::cli::live::Live;
use hookrail_tests::probe::eventually;
use hookrail_tests::root;

use crate::scenes::Place;

/// Publishes the messages that it is sent as JSON.
const FEED: &str = r#"
import json, sys
def say(**what): print(json.dumps(what), flush=True)
say(type="subscribe", topics=["feed"])
say(type="ready")
for line in sys.stdin:
    told = json.loads(line)
    if told["type"] == "message": say(type="publish", message=json.loads(told["message"]["body"]))
"#;

/// The operator `it`, and `feed`, which publishes for it what comes from stdin. What `it` publishes is written to stdout.
const CONFIG: &str = r#"
[plugins.exec.config.operators.feed]
command = ["python3", "DIR/feed.py"]

[plugins.exec.config.operators.it]
OPERATOR

[pipelines.in.sources.in]
use = "stdin"
config = { topic = "feed" }
[pipelines.in.sinks.feed]
use = "exec"
config = { operator = "feed" }

[pipelines.asked.sources.feed]
use = "exec"
config = { operator = "feed" }
[pipelines.asked.sinks.it]
use = "exec"
config = { operator = "it" }

[pipelines.out.sources.it]
use = "exec"
config = { operator = "it" }
[pipelines.out.sinks.out]
use = "stdout"
"#;

/// A host with an operator.
struct Operated {
    place: Place,
    live: Live,
}

impl Operated {
    /// With that in the table of the operator `it`.
    fn new(test: &str, operator: &str) -> Self {
        forget();
        let place = Place::new(test, &config(operator));
        fs::write(place.path("feed.py"), FEED).unwrap();
        let live = Live::start(&mut place.command(&["serve", "-v"]));
        Operated { place, live }
    }

    /// With an operator in Python, and more in its table.
    fn python(test: &str, script: &str, more: &str) -> Self {
        Self::new(test, &Self::script(test, "it.py", "python3", script, more))
    }

    /// With an operator for the shell.
    fn shell(test: &str, script: &str, more: &str) -> Self {
        Self::new(test, &Self::script(test, "it.sh", "/bin/sh", script, more))
    }

    /// The table of an operator that is a script of the test.
    fn script(test: &str, name: &str, interpreter: &str, script: &str, more: &str) -> String {
        let directory = hookrail_tests::cli::directory(&format!("{test}-script"));
        let file = directory.join(name);
        fs::write(&file, script.replace("DIR", directory.to_str().unwrap())).unwrap();
        format!("command = [{interpreter:?}, {file:?}]\n{more}")
    }

    /// Sends a message with that topic and body.
    fn publish(&mut self, topic: &str, body: &str) {
        self.publish_with(topic, body, &[]);
    }

    fn publish_with(&mut self, topic: &str, body: &str, headers: &[[&str; 2]]) {
        let message = serde_json::json!({ "topic": topic, "body": body, "headers": headers });
        self.live.send(&message.to_string());
    }

    /// Sends a message, and returns what is published next.
    fn ask(&mut self, topic: &str, body: &str) -> String {
        let before = self.live.out.count();
        self.publish(topic, body);
        self.live.out.line(before)
    }

    /// What a verb prints.
    fn verb(&self, arguments: &[&str]) -> String {
        self.place.ask(arguments)
    }

    /// Another table for the operator, which the host reads again.
    fn reload(&self, operator: &str) -> String {
        self.place.configure(&config(operator));
        self.verb(&["config", "reload"])
    }

    /// What is shown of the pipeline of its sink.
    fn shown(&self) -> serde_json::Value {
        serde_json::from_str(&self.verb(&["pipeline", "show", "asked", "--json"])).unwrap()
    }

    /// Waits until what is known of the plugin says so.
    fn until_plugin(&self, what: &str) {
        eventually(what, || self.verb(&["plugin", "show", "exec"]).contains(what));
    }

    /// Ends the host, which adds up what became of the messages; returns what it has said.
    fn end(self) -> String {
        self.live.interrupt();
        let (code, _, said) = self.live.end();
        let said = said.join("\n");
        assert_eq!(code, Some(0), "{said}");
        said
    }
}

/// What the table of an operator does not say of its deadlines is so long that a busy machine keeps them.
fn config(operator: &str) -> String {
    let mut table = operator.to_owned();
    for deadline in ["ready", "pong", "order", "stop"].map(|name| format!("\n{name} = ")) {
        if !table.contains(&deadline) {
            table.push_str(&format!("{deadline}\"2m\""));
        }
    }
    CONFIG.replace("OPERATOR", &table)
}

/// What an earlier run has left in the home is not there: operators keep state.
fn forget() {
    let _ = fs::remove_dir_all(hookrail_tests::cli::home());
}

fn example(name: &str) -> PathBuf {
    root().join("tests/operators").join(name)
}

/// Whether a process is there that is not only waited for.
fn lives(process: u32) -> bool {
    fs::read_to_string(format!("/proc/{process}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

/// The number that an operator has written to a file, once it is there. The next process writes it anew, so that it may be
/// gone after it was there.
fn process_in(file: &std::path::Path) -> u32 {
    let read =
        || fs::read_to_string(file).ok().filter(|text| text.ends_with('\n')).and_then(|text| text.trim().parse().ok());
    let mut found = None;
    eventually("its number is written", || {
        found = read();
        found.is_some()
    });
    found.unwrap()
}
