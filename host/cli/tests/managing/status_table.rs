//! The table of docs/guide/operating.md: what each command does to a plugin in each status, by the program
//! itself, with a host through which lines flow and without one.

#[path = "../../../tests/tests/fixtures/cc.rs"]
mod cc;
mod program;
#[path = "program/stocked.rs"]
mod stocked;

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime};

use hookrail_tests::probe::eventually;
use hookrail_tests::root;
use program::live::Live;
use program::{run, text};
use serde_json::Value;
use stocked::Stocked;

/// What happened to a plugin: its status behind the command, or the error's code and that of the program.
type Cell = String;

/// Commands and what they do in each status, in the order of the document.
struct Table {
    statuses: Vec<String>,
    rows: Vec<(String, Vec<Cell>)>,
}

#[test]
fn each_command_does_in_each_status_what_the_table_says_with_a_host() {
    let home = Stocked::new("managed_live");
    let mut host = Live::start(&mut home.command(&["run", "-q"]));
    assert_eq!(host.through("ready"), "ready");
    let table = Table::of_document("Where a host runs");
    table.hold(|status, command| {
        home.arrange(status);
        assert_eq!(host.screens(), status == "running", "before {command}");
        let cell = home.cell(status, command);
        assert_eq!(host.screens(), home.status() == "running", "{command} of one that is {status}");
        cell
    });
    let (code, ..) = host.end();
    assert_eq!(code, Some(0));
}

#[test]
fn each_command_does_in_each_status_what_the_table_says_without_a_host() {
    let home = Stocked::new("managed_offline");
    let table = Table::of_document("Where no host runs");
    table.hold(|status, command| {
        home.arrange(status);
        home.cell(status, command)
    });
}

#[test]
fn what_a_host_gives_up_on_probation_is_not_what_the_next_one_begins_with() {
    let home = Stocked::new("managed_probation");
    home.ok(&["plugin", "install", "screen-1.0.0.hrp"]);
    home.ok(&["plugin", "enable", "screen"]);
    let mut host = Live::start(&mut home.command(&["run", "-q"]));
    assert_eq!(host.through("ready"), "ready");
    let events = Live::start(&mut home.command(&["events", "--json"]));
    events.out.until_told(|| _ = home.ok(&["plugin", "restart", "screen"]));
    assert_eq!(home.json(&["plugin", "install", "screen-4.0.0.hrp"])["replaced"]["version"], "4.0.0");
    for _ in 0..3 {
        assert_eq!(host.through("boom"), "boom");
    }
    events.out.wait_for("rolled-back");
    let begun = Instant::now();
    let plugin = loop {
        assert!(begun.elapsed() < Duration::from_secs(60), "the store does not follow");
        let plugin = home.screen().unwrap();
        if plugin["installed"]["version"] == "1.0.0" && plugin["reason"].is_string() {
            break plugin;
        }
    };
    assert_eq!((&plugin["version"], &plugin["health"]), (&"1.0.0".into(), &"degraded".into()));
    let reason = plugin["reason"].as_str().unwrap();
    assert!(
        reason.starts_with("4.0.0 was rolled back: 3 faults within") && reason.contains("plugin rollback"),
        "{reason}"
    );
    assert_eq!(plugin["installed"]["previous"], "4.0.0");
    host.end();
    let mut host = Live::start(&mut home.command(&["run", "-q"]));
    assert!(host.screens());
    assert_eq!(home.screen().unwrap()["version"], "1.0.0");
    // Whoever wants it all the same has it by the verb.
    assert_eq!(home.json(&["plugin", "rollback", "screen"])["version"], "4.0.0");
    drop((events, host));
}

/// A host with that configuration that has passed a line on, and the file for which the plugin waits where it
/// waits for one.
fn patient(home: &Stocked, config: &str) -> (Live, PathBuf) {
    let (file, until) = (home.home.join("hookrail.toml"), home.home.join("until"));
    fs::write(&file, config).unwrap();
    let mut run = home.command(&["run", "-q", "--config", file.to_str().unwrap()]);
    let mut host = Live::start(run.env("SCREEN_UNTIL", &until));
    assert_eq!(host.through("ready"), "ready");
    (host, until)
}

#[test]
fn what_cannot_be_unloaded_now_stays_installed() {
    let home = Stocked::new("managed_busy");
    home.ok(&["plugin", "install", "screen-1.0.0.hrp"]);
    home.ok(&["plugin", "enable", "screen"]);
    let (mut host, until) = patient(&home, "[unload]\ndeadline_ms = 50\n");
    host.send("linger");
    eventually("it is in the callback", || until.with_extension("there").exists());
    assert_eq!(home.json(&["plugin", "stop", "screen"])["status"], "stopping");
    let before = fs::read(home.home.join("state.json")).unwrap();
    for verb in [&["disable", "screen"][..], &["uninstall", "screen"], &["uninstall", "screen", "--purge"]] {
        home.refused(&[&["plugin"], verb].concat(), "HR0106", 1);
        assert_eq!(fs::read(home.home.join("state.json")).unwrap(), before, "{verb:?}");
    }
    fs::write(until, "").unwrap();
    assert_eq!(host.out.line(1), "linger");
    home.ok(&["plugin", "uninstall", "screen"]);
    assert_eq!(home.status(), "not installed");
}

#[test]
fn a_file_that_serves_under_an_installed_name_is_told() {
    let home = Stocked::new("managed_file");
    home.ok(&["plugin", "install", "screen-1.0.0.hrp"]);
    let mut host = Live::start(&mut home.command(&["run", "-q", "--plugin", "./screen-1.0.0.so"]));
    assert_eq!(host.through("ready"), "ready");
    let plugin = home.screen().unwrap();
    assert_eq!((&plugin["status"], &plugin["health"]), (&"running".into(), &"degraded".into()));
    assert!(plugin["reason"].as_str().unwrap().contains("screen-1.0.0.so serves, and not what is installed"));
    // What is disabled does not come in its place, and nothing of it runs.
    assert_eq!(home.json(&["plugin", "install", "screen-1.1.0.hrp"])["replaced"], Value::Null);
    let plugin = home.screen().unwrap();
    assert_eq!((&plugin["version"], &plugin["generation"]), (&"1.0.0".into(), &1.into()));
    home.ok(&["plugin", "unload", "screen"]);
    home.ok(&["plugin", "enable", "screen"]);
    let plugin = home.screen().unwrap();
    assert_eq!((&plugin["version"], &plugin["health"]), (&"1.1.0".into(), &"good".into()));
    host.end();
}

#[test]
fn what_another_host_installed_and_enabled_comes_by_enabling_it_here() {
    let home = Stocked::new("managed_two");
    home.ok(&["plugin", "install", "screen-1.0.0.hrp"]);
    let start = || {
        let mut host = Live::start(&mut home.command(&["run", "-q"]));
        assert_eq!(host.through("ready"), "ready");
        host
    };
    let (mut first, mut second) = (start(), start());
    let numbers = [first.id().to_string(), second.id().to_string()];
    home.refused(&["plugin", "enable", "screen"], "HR0610", 2);
    home.ok(&["plugin", "enable", "screen", "--pid", &numbers[0]]);
    assert!(first.screens() && !second.screens());
    home.ok(&["plugin", "enable", "screen", "--pid", &numbers[1]]);
    assert!(second.screens());

    home.ok(&["plugin", "install", "screen-1.1.0.hrp", "--pid", &numbers[0]]);
    let line = home.ok(&["plugin", "list", "--pid", &numbers[1]]);
    assert!(line.contains("1.0.0 serves, 1.1.0 is installed; `hookrail plugin unload screen` and `start`"), "{line}");
    home.ok(&["plugin", "unload", "screen", "--pid", &numbers[1]]);
    let started = home.json(&["plugin", "start", "screen", "--pid", &numbers[1]]);
    assert_eq!((&started["version"], &started["health"]), (&"1.1.0".into(), &"good".into()));
}

#[test]
fn a_package_tells_what_it_is_before_it_is_installed_and_when_it_is_not_loaded() {
    let home = Stocked::new("managed_told");
    let seen = home.json(&["inspect", "screen-1.0.0.hrp"]);
    assert_eq!((&seen["signed"]["name"], &seen["unsigned"]), (&"Jane".into(), &Value::Null));
    home.ok(&["plugin", "install", "screen-1.0.0.hrp"]);
    let shown = home.json(&["plugin", "show", "screen"]);
    assert_eq!((&shown["metadata"], &shown["status"]), (&seen["metadata"], &"disabled".into()));
    assert_eq!(shown["declared"][0]["callback"], "screen");
    for text in [home.ok(&["inspect", "screen-1.0.0.hrp"]), home.ok(&["plugin", "show", "screen"])] {
        for said in
            ["Denies.", "Jane <jane@example.org>", "https://example.org", "message_processing", "300", "isolation"]
        {
            assert!(text.contains(said), "no {said} in: {text}");
        }
    }
    // What came with the program has no metadata beside its library.
    let shown = home.json(&["plugin", "show", "mask"]);
    assert_eq!((&shown["metadata"], &shown["declared"][0]["callback"]), (&Value::Null, &"mask".into()));

    let unsigned = home.home.with_file_name("screen-1.0.0.hrp");
    fs::copy(stocked::packages().join("screen-1.0.0.hrp"), &unsigned).unwrap();
    let unsigned = unsigned.to_str().unwrap();
    let seen = home.json(&["inspect", unsigned]);
    assert!(seen["signed"].is_null() && seen["unsigned"].is_string(), "{seen}");
    assert!(home.ok(&["inspect", unsigned]).contains("nobody who is trusted here"));
}

/// A prebuilt one has no package: it says so itself, whether it runs or not.
#[test]
fn the_schema_of_what_came_with_the_program_is_known() {
    let home = Stocked::new("managed_schema");
    let schema = |home: &Stocked, of: &str| home.json(&["config", "schema", of])["properties"].clone();
    assert!(schema(&home, "stamp")["counter"].is_object());
    let wrong = home.home.with_file_name("wrong.json");
    fs::write(&wrong, r#"{ "cuonter": true }"#).unwrap();
    home.refused(&["config", "set", "stamp", wrong.to_str().unwrap()], "HR0203", 2);
    home.ok(&["plugin", "enable", "stamp"]);
    let mut run = Live::start(&mut home.command(&["run", "-q"]));
    assert_eq!(run.through("a line"), "a line");
    assert!(schema(&home, "stamp")["counter"].is_object());
    home.ok(&["plugin", "stop", "stamp"]);
    assert!(schema(&home, "stamp")["counter"].is_object());
    assert_eq!(run.end().0, Some(0));
}

/// One that does not start: messages go on, and the host says what it is at.
#[test]
fn a_start_that_takes_too_long_is_named() {
    let home = Stocked::new("managed_slow");
    home.ok(&["plugin", "install", "screen-5.0.0.hrp"]);
    let (mut host, until) = patient(&home, "[limits]\nstuck_ms = 50\n");
    let mut enabling = home.command(&["plugin", "enable", "screen"]).stdout(Stdio::null()).spawn().unwrap();
    let told = host.said.line(0);
    assert!(told.contains("it is being loaded, for ") && told.contains("plugin=\"screen\""), "{told}");
    let shown = home.json(&["plugin", "show", "screen"]);
    assert_eq!((&shown["status"], &shown["health"]), (&"disabled".into(), &"degraded".into()));
    assert!(shown["reason"].as_str().unwrap().starts_with("it is being loaded"), "{shown}");
    assert_eq!(host.through("meanwhile"), "meanwhile");
    fs::write(until, "").unwrap();
    assert!(enabling.wait().unwrap().success());
    assert_eq!(home.status(), "running");
    assert_eq!(host.end().0, Some(0));
}

/// The other host goes on as it is, and says so.
#[test]
fn a_second_host_says_what_serves_in_it_and_should_not() {
    let home = Stocked::new("managed_two");
    home.ok(&["plugin", "install", "screen-1.0.0.hrp"]);
    home.ok(&["plugin", "enable", "screen"]);
    let mut hosts = [(), ()].map(|()| Live::start(&mut home.command(&["run", "-q"])));
    for host in &mut hosts {
        assert_eq!(host.through("a line"), "a line");
    }
    let [first, second] = hosts.each_ref().map(|host| host.id().to_string());
    let said = || {
        let listed = home.json(&["plugin", "list", "--pid", &second]);
        let screen = listed.as_array().unwrap().iter().find(|plugin| plugin["name"] == "screen").unwrap().clone();
        assert_eq!((&screen["status"], &screen["generation"]), (&"running".into(), &1.into()));
        (screen["health"].clone(), screen["reason"].to_string())
    };
    assert_eq!(said().0, "good");
    for (verb, word) in [("disable", "and is disabled"), ("uninstall", "and is uninstalled")] {
        home.ok(&["plugin", verb, "screen", "--pid", &first]);
        let (health, reason) = said();
        assert!(health == "degraded" && reason.contains(word), "{verb}: {health}, {reason}");
        assert_eq!(home.json(&["plugin", "show", "screen", "--pid", &second])["health"], "degraded");
    }
}

#[test]
fn what_was_staged_too_long_ago_is_not_there() {
    let home = Stocked::new("managed_staged");
    home.ok(&["plugin", "stage", "screen-1.0.0.hrp"]);
    let staged = fs::File::options().write(true).open(home.home.join("staged/screen-1.0.0.hrp")).unwrap();
    staged.set_modified(SystemTime::now() - Duration::from_secs(2 * 60 * 60)).unwrap();
    home.refused(&["plugin", "install", "screen-1.0.0"], "HR0601", 3);
    home.ok(&["plugin", "stage", "screen-1.0.0.hrp"]);
    assert_eq!(home.json(&["plugin", "install", "screen-1.0.0"])["metadata"]["name"], "screen");
}

impl Table {
    /// The one behind that line of the document.
    fn of_document(title: &str) -> Self {
        let document = fs::read_to_string(root().join("docs/guide/operating.md")).unwrap();
        let mut lines = document.lines().skip_while(|line| !line.starts_with(title));
        let mut rows =
            lines.by_ref().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
        let cells = |line: &str| -> Vec<_> {
            line.trim_matches('|').split('|').map(|cell| cell.replace('`', "").trim().to_owned()).collect()
        };
        let statuses = cells(rows.next().expect("the document has that table")).split_off(1);
        let rows = rows.skip(1).map(|line| {
            let mut row = cells(line);
            (row.remove(0), row)
        });
        Table { statuses, rows: rows.collect() }
    }

    /// Goes through all cells, and shows all that are otherwise.
    fn hold(&self, found: impl FnMut(&str, &str) -> Cell) {
        let mut found = found;
        let mut wrong = Vec::new();
        for (command, cells) in &self.rows {
            assert_eq!(cells.len(), self.statuses.len(), "{command}");
            for (status, said) in self.statuses.iter().zip(cells) {
                let found = found(status, command);
                if found != *said {
                    wrong.push(format!("{command} of one that is {status}: the table says {said}, it is {found}"));
                }
            }
        }
        assert!(self.rows.len() >= 11 && wrong.is_empty(), "{wrong:#?}");
    }
}

trait Screening {
    fn screens(&mut self) -> bool;
}

impl Screening for Live {
    /// Whether a line is denied that `screen` denies; the next one comes through in any case.
    fn screens(&mut self) -> bool {
        let before = self.out.count();
        self.send("confidential");
        self.send("end");
        let first = self.out.line(before);
        let is_screened = first == "end";
        if !is_screened {
            assert_eq!((&*first, &*self.out.line(before + 1)), ("confidential", "end"));
        }
        is_screened
    }
}

impl Stocked {
    /// Brings `screen` into that status: 1.1.0 is installed then, 1.0.0 before it.
    fn arrange(&self, status: &str) {
        let _ = self.run(&["plugin", "uninstall", "screen", "--purge"]);
        if status == "not installed" {
            return;
        }
        self.ok(&["plugin", "install", "screen-1.0.0.hrp"]);
        self.ok(&["plugin", "install", "screen-1.1.0.hrp"]);
        if status != "disabled" {
            self.ok(&["plugin", "enable", "screen"]);
        }
        match status {
            "stopped, loaded" => _ = self.ok(&["plugin", "stop", "screen"]),
            // Where no host runs it is that already.
            "stopped, not loaded" if self.status() != status => _ = self.ok(&["plugin", "unload", "screen"]),
            _ => {}
        }
        assert_eq!(self.status(), status);
    }

    /// What comes of a command.
    fn cell(&self, before: &str, command: &str) -> Cell {
        let mut arguments: Vec<_> = command
            .split(' ')
            .map(|word| match word {
                "NAME" => "screen",
                "FILE" => "screen-1.2.0.hrp",
                word => word,
            })
            .collect();
        let is_config = command.starts_with("config");
        if is_config {
            arguments.insert(3, "-");
        } else {
            arguments.insert(0, "plugin");
        }
        let output = run(&mut self.command(&arguments), b"{\"words\": []}");
        let said = text(&output.stderr);
        let (exit, after) = (output.status.code().unwrap(), self.status());
        if exit != 0 {
            assert_eq!(after, before, "{command} was refused: {said}");
            let code = said.split_once("error[").and_then(|(_, rest)| rest.split_once(']'));
            return format!("{}, {exit}", code.unwrap_or_else(|| panic!("{command}: {said}")).0);
        }
        let version = match command.split(' ').next().unwrap() {
            "install" | "upgrade" => "1.2.0",
            "rollback" => "1.0.0",
            _ => "1.1.0",
        };
        if let Some(plugin) = self.screen() {
            assert_eq!(plugin["version"], version, "{command} of one that is {before}");
            assert_eq!(plugin["installed"]["version"], version, "{command} of one that is {before}");
            assert_eq!((&plugin["health"], &plugin["reason"]), (&"good".into(), &Value::Null), "{command}, {before}");
            if is_config {
                assert_eq!(self.json(&["config", "get", "screen"])["revision"], 1);
            }
        }
        after
    }

    fn screen(&self) -> Option<Value> {
        let listed = self.json(&["plugin", "list"]);
        listed.as_array().unwrap().iter().find(|plugin| plugin["name"] == "screen").cloned()
    }

    /// In the words of the table.
    fn status(&self) -> String {
        let Some(plugin) = self.screen() else { return "not installed".into() };
        let status = plugin["status"].as_str().unwrap();
        let former = plugin["former"].as_array().unwrap().last().map_or(0, |last| last["generation"].as_u64().unwrap());
        let is_loaded = plugin["generation"].as_u64().unwrap() > former;
        match (status, is_loaded) {
            ("stopped", true) => "stopped, loaded".into(),
            ("stopped", false) => "stopped, not loaded".into(),
            (status, _) => status.into(),
        }
    }
}
