//! Every cell of the table of states and commands in the crate's documentation, with a real process.

use hookrail_supervise::{Acknowledgement, UnitCommand as Command, UnitState as State};

use crate::common::LONG;
use crate::scripted::{Scene, once, patient};

const DOCUMENTATION: &str = include_str!("../../src/lib.rs");

const STATES: [State; 8] = [
    State::Stopped,
    State::Init,
    State::Running,
    State::Halted,
    State::Error,
    State::Stopping,
    State::Waiting,
    State::Failed,
];

const COMMANDS: [Command; 7] = [
    Command::Start,
    Command::Halt,
    Command::Resume,
    Command::Reload,
    Command::Ping,
    Command::Restart,
    Command::Shutdown,
];

/// The rows of the table, each with the name of its command first.
fn table() -> Vec<Vec<&'static str>> {
    let rows = DOCUMENTATION.lines().filter_map(|line| line.strip_prefix("//! | "));
    let rows = rows.map(|row| row.trim_end_matches('|').split('|').map(str::trim).collect::<Vec<_>>());
    let head = ["command"].into_iter().chain(STATES.map(State::name));
    let rows: Vec<_> = rows.skip_while(|row| !row.iter().copied().eq(head.clone())).take(COMMANDS.len() + 1).collect();
    assert!(rows.len() == COMMANDS.len() + 1, "the table has a row for each command");
    rows[1..].to_vec()
}

#[test]
fn every_cell_is_as_the_table_says() {
    let table = table();
    for (row, command) in table.iter().zip(COMMANDS) {
        assert_eq!((row.len(), row[0]), (STATES.len() + 1, command.name()));
    }
    // They wait for processes more than they work.
    std::thread::scope(|scope| {
        for (row, command) in table.iter().zip(COMMANDS) {
            scope.spawn(move || {
                for (cell, state) in row[1..].iter().zip(STATES) {
                    check(command, state, cell);
                }
            });
        }
    });
}

fn check(command: Command, state: State, cell: &str) {
    let cell_is = format!("{command} when {state} is `{cell}`");
    let restarts = if state == State::Failed { once().with_limit(1) } else { once() };
    let scene = Scene::new(patient(), restarts);
    scene.bring_to(state);
    let (before, told) = (scene.unit.view(), scene.log().len());
    let answer = scene.unit.begin(command);
    if state == State::Init && cell != "no" && command != Command::Ping {
        // What takes its place is not ready either, until this.
        if command != Command::Shutdown {
            scene.remove("late");
        }
    }
    if state == State::Stopping && cell != "no" {
        scene.remove("stay");
    }
    let answer = answer.recv_timeout(LONG).unwrap_or_else(|_| panic!("{cell_is}: no answer: {:?}", scene.unit));
    let after = scene.unit.view();
    let (how, then) = cell.split_once(": ").unwrap_or(("", cell));
    if cell == "no" {
        assert!(matches!(answer, Acknowledgement::Refused { .. }), "{cell_is}: {answer}");
        assert_eq!(after, before, "{cell_is}");
        return;
    }
    assert_eq!(answer, Acknowledgement::Acknowledged, "{cell_is}");
    let expected = if cell == "is so" { state.name() } else { then };
    assert_eq!(after.state.name(), expected, "{cell_is}: {after:?}");
    // What it was told, and whether it is another process.
    let told: Vec<_> =
        scene.log().into_iter().skip(told).map(|line| line.split(' ').next().unwrap().to_owned()).collect();
    let (expected, is_another) = match how {
        "asked" => (vec![command.name()], false),
        "ended" if then == "running" => (vec!["shutdown", "begin"], true),
        "ended" => (vec!["shutdown"], true),
        "started" => (vec!["begin"], true),
        "awaited" => (vec![], state == State::Stopping),
        _ => (vec![], cell != "is so" && before.pid.is_some()),
    };
    assert_eq!(
        (told, after.pid != before.pid),
        (expected.into_iter().map(str::to_owned).collect(), is_another),
        "{cell_is}"
    );
}
