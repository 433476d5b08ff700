//! The table of docs/guide/operating.md: what each command does to a plugin in each status, by the program
//! itself, with a host through which lines flow and without one.

use std::fs;

use hookrail_tests::cli::live::Live;
use hookrail_tests::cli::stocked::Stocked;
use hookrail_tests::cli::{run, text};
use hookrail_tests::root;
use serde_json::Value;

/// What happened to a plugin: its status after the command, or the error's code and that of the program.
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

impl Table {
    /// The one after that line of the document.
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

trait Screen {
    fn arrange(&self, status: &str);
    fn cell(&self, before: &str, command: &str) -> Cell;
}

impl Screen for Stocked {
    /// Brings `screen` into that status: 1.1.0 is installed then, 1.0.0 before it.
    fn arrange(&self, status: &str) {
        let _ = self.run(&["plugin", "uninstall", "screen", "--purge", "--yes"]);
        if status == "not installed" {
            return;
        }
        self.ok(&["plugin", "install", "screen-1.0.0.hrp"]);
        self.ok(&["plugin", "install", "screen-1.1.0.hrp"]);
        if status != "disabled" {
            self.ok(&["plugin", "enable", "screen"]);
        }
        match status {
            "halted" => _ = self.ok(&["plugin", "halt", "screen"]),
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
                "LIBRARY" => "screen-1.2.0.so",
                "PACKAGE" => "screen-1.2.0.hrp",
                word => word,
            })
            .collect();
        let is_config = command.starts_with("config");
        if is_config {
            // The configuration comes from stdin.
            arguments[4] = "-";
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
        let (version, installed) = match command.split(' ').next().unwrap() {
            "install" | "upgrade" => ("1.2.0", "1.2.0"),
            "replace" => ("1.2.0", "1.1.0"),
            "rollback" => ("1.0.0", "1.0.0"),
            _ => ("1.1.0", "1.1.0"),
        };
        if let Some(plugin) = self.screen() {
            assert_eq!(plugin["version"], version, "{command} of one that is {before}");
            assert_eq!(plugin["installed"]["version"], installed, "{command} of one that is {before}");
            // What is not installed does not last, which is told.
            let is_good = (&plugin["health"], &plugin["reason"]) == (&"good".into(), &Value::Null);
            assert_eq!(is_good, version == installed, "{command}, {before}: {plugin}");
            if is_config {
                assert_eq!(self.json(&["config", "get", "screen"])["revision"], 1);
            }
        }
        after
    }
}
