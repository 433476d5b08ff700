//! In which process an installed plugin runs: kept in the home, whether a host runs or not, and told with its origin.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::Command;

use hookrail_tests::cli::live::Live;
use hookrail_tests::cli::stocked::Stocked;
use hookrail_tests::cli::{directory, run, text};
use hookrail_tests::probe::eventually;
use serde_json::{Value, json};

/// A host in which a worker may take its time, as it does on a busy machine: past the deadline a line goes without it.
fn started(command: &mut Command) -> Live {
    Live::start(command.env("HOOKRAIL_PLUGINS__SCREEN__WORKER__DEADLINE", "2m"))
}

/// Where `screen` runs and who decided it, and whether it has a worker.
fn placed(home: &Stocked) -> (Value, Value, bool) {
    let plugin = home.json(&["plugin", "show", "screen"]);
    let listed = home.screen().unwrap();
    assert_eq!(plugin["isolation"], listed["isolation"]);
    let placed = &plugin["isolation"];
    (placed["process"].clone(), placed["by"].clone(), plugin["worker"].is_object())
}

fn stocked(test: &str) -> Stocked {
    let home = Stocked::new(test);
    home.ok(&["plugin", "install", "screen-1.0.0.hrp"]);
    home.ok(&["plugin", "enable", "screen"]);
    home
}

#[test]
fn where_an_installed_plugin_runs_outlives_the_host() {
    let home = stocked("isolation_kept");
    assert_eq!(placed(&home), (json!("in-process"), json!("default"), false));
    let mut host = started(&mut home.command(&["run", "-q"]));
    assert!(host.screens());
    let moved = home.json(&["plugin", "isolate", "screen"]);
    assert_eq!((&moved["changed"], &moved["replaced"]["generation"]), (&json!(true), &json!(2)));
    assert_eq!(placed(&home), (json!("worker"), json!("store"), true));
    assert!(host.screens());
    // It is there already.
    let again = home.json(&["plugin", "isolate", "screen"]);
    assert_eq!((&again["changed"], &again["replaced"]), (&json!(false), &Value::Null));
    // It stays there with another version.
    home.ok(&["plugin", "install", "screen-1.1.0.hrp"]);
    assert_eq!(placed(&home), (json!("worker"), json!("store"), true));
    assert_eq!(host.end().0, Some(0));

    assert_eq!(placed(&home), (json!("worker"), json!("store"), false));
    let mut host = started(&mut home.command(&["run", "-q"]));
    assert!(host.screens());
    assert_eq!(placed(&home), (json!("worker"), json!("store"), true));
    home.ok(&["plugin", "isolate", "screen", "--worker", "filters"]);
    assert_eq!(placed(&home), (json!({ "worker": "filters" }), json!("store"), true));
    home.ok(&["plugin", "embed", "screen"]);
    assert_eq!(placed(&home), (json!("in-process"), json!("store"), false));
    assert!(host.screens());
    assert_eq!(host.end().0, Some(0));
}

#[test]
fn where_an_installed_plugin_runs_is_decided_without_a_host() {
    let home = stocked("isolation_offline");
    let said = home.refused(&["plugin", "isolate", "screen", "--worker", ""], "HR0205", 2);
    assert!(said.contains("`worker` is empty: name the one"), "{said}");
    let said = home.ok(&["plugin", "isolate", "screen", "--worker", "filters"]);
    assert!(said.contains("runs in the worker filters, as the store says"), "{said}");
    let mut host = started(&mut home.command(&["run", "-q"]));
    assert!(host.screens());
    assert_eq!(placed(&home), (json!({ "worker": "filters" }), json!("store"), true));
    assert!(home.ok(&["plugin", "show", "screen"]).contains("runs in the worker filters, as the store says\n"));
    // A stopped one is loaded anew where it belongs.
    home.ok(&["plugin", "stop", "screen"]);
    home.ok(&["plugin", "embed", "screen"]);
    home.ok(&["plugin", "start", "screen"]);
    assert_eq!(placed(&home), (json!("in-process"), json!("store"), false));
    assert!(host.screens());
    assert_eq!(host.end().0, Some(0));
    home.ok(&["plugin", "uninstall", "screen"]);
    home.ok(&["plugin", "install", "screen-1.1.0.hrp"]);
    assert_eq!(placed(&home), (json!("in-process"), json!("default"), false));
}

#[test]
fn what_a_file_says_of_the_process_wins_and_is_read_only() {
    let home = stocked("isolation_declared");
    home.ok(&["plugin", "isolate", "screen"]);
    let directory = directory("isolation_declared_files");
    fs::write(directory.join("hookrail.toml"), "\n[plugins.screen]\nisolation = 'in-process'\n").unwrap();
    let command = |arguments: &[&str]| {
        let mut command = home.command(arguments);
        command.current_dir(&directory);
        command
    };
    let refuses = |at: &str| {
        for verb in ["isolate", "embed"] {
            let output = run(&mut command(&["plugin", verb, "screen"]), b"");
            let said = text(&output.stderr);
            let why = "error[HR0832]: screen: its process is chosen in hookrail.toml:3, which commands do not change";
            assert!(said.contains(why), "{verb} {at}: {said}");
        }
        let shown = run(&mut command(&["plugin", "show", "screen", "--json"]), b"");
        let shown: Value = serde_json::from_str(text(&shown.stdout)).unwrap();
        assert_eq!(shown["isolation"], json!({ "process": "in-process", "by": "host" }), "{at}");
        assert_eq!(shown["worker"], Value::Null, "{at}");
        assert_eq!(shown["installed"]["isolation"], json!({ "process": "worker", "by": "store" }), "{at}");
    };
    refuses("without a host");
    let mut host = started(&mut command(&["run", "-q"]));
    assert!(host.screens());
    refuses("with one");
    // Neither does the store decide it for another version.
    home.ok(&["plugin", "install", "screen-1.1.0.hrp"]);
    refuses("after an upgrade");
    assert_eq!(host.end().0, Some(0));
}

/// Nothing of it is stored: the next host does not load it from there.
#[test]
fn a_plugin_that_is_loaded_by_its_file_is_moved_until_it_is_unloaded() {
    let home = Stocked::new("isolation_of_a_file");
    let mut host = started(&mut home.command(&["run", "-q", "--plugin", "screen-1.0.0.so"]));
    assert!(host.screens());
    home.ok(&["plugin", "isolate", "screen"]);
    assert_eq!(placed(&home), (json!("worker"), json!("command"), true));
    assert!(host.screens());
    home.ok(&["plugin", "unload", "screen"]);
    assert_eq!(host.end().0, Some(0));
    let state = fs::read_to_string(home.home.join("state.json")).unwrap_or_default();
    assert!(!state.contains("isolation"), "{state}");
    home.refused(&["plugin", "isolate", "screen"], "HR0103", 3);
}

#[test]
fn the_limits_of_a_worker_are_shown_with_what_holds_it_to_them() {
    let home = stocked("isolation_limits");
    let directory = directory("isolation_limits_files");
    let limits = "max_memory = '512 MiB'\nmax_files = 64\n";
    let declared = format!("[plugins.screen]\nisolation = 'worker'\n[plugins.screen.worker]\n{limits}");
    fs::write(directory.join("hookrail.toml"), declared).unwrap();
    let mut host = started(home.command(&["run", "-q"]).current_dir(&directory));
    assert!(host.screens());
    let shown = home.ok(&["plugin", "show", "screen"]);
    assert!(shown.contains("runs in a worker of its own, as the host's configuration says\n"), "{shown}");
    assert!(shown.contains("\n  max_memory 512.00 MiB, by a"), "{shown}");
    assert!(shown.contains("\n  max_files 64, by an rlimit\n"), "{shown}");
    let limits = &home.json(&["plugin", "show", "screen"])["worker"]["limits"];
    assert_eq!(limits[1], json!({ "key": "max_files", "value": 64, "by": "rlimit" }));
    assert_eq!(host.end().0, Some(0));
}

/// As by an installation of another version while a host runs.
#[test]
fn a_worker_is_its_hosts_own_program_also_when_the_file_of_that_was_replaced() {
    let home = stocked("isolation_replaced");
    home.ok(&["plugin", "isolate", "screen"]);
    let directory = directory("isolation_replaced_files");
    let program = directory.join("hookrail");
    let ours = home.command(&["run", "-q"]);
    fs::copy(ours.get_program(), &program).unwrap();
    let mut command = Command::new(&program);
    command.args(ours.get_args()).current_dir(&directory);
    for (name, value) in ours.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let mut host = started(&mut command);
    assert!(host.screens());
    let image = |pid: u64| fs::metadata(format!("/proc/{pid}/exe")).map(|file| file.ino()).ok();
    let before = image(host.id().into());
    let worker = || home.json(&["plugin", "show", "screen"])["worker"].clone();
    let first = worker()["pid"].as_u64().unwrap();
    assert_eq!(image(first), before);

    // Whoever executes the file from now on gets another program, which is no worker.
    fs::copy("/bin/true", directory.join("other")).unwrap();
    fs::rename(directory.join("other"), &program).unwrap();
    // SAFETY: it is the worker that runs, and nobody else ends it.
    assert_eq!(unsafe { libc::kill(first.try_into().unwrap(), libc::SIGKILL) }, 0);
    // These wait for the next one.
    assert!(host.screens());
    // It answers before its unit is said to run.
    let mut next = worker();
    eventually("it runs", || {
        next = worker();
        next["state"] == "running"
    });
    assert_eq!(next["restarts"], 1);
    let pid = next["pid"].as_u64().unwrap();
    assert!(pid != first && image(pid) == before, "{next}");
    host.said.wait_for("the program's file was replaced: this worker runs what its host runs");
    assert_eq!(host.end().0, Some(0));
}

/// A report as a host leaves it in the home, of a call whose input was not kept.
#[test]
fn a_report_that_is_not_there_or_cannot_be_replayed_is_told_with_the_next_step() {
    let home = Stocked::new("crashes");
    assert_eq!(home.ok(&["crash", "list"]), "no worker has crashed\n");
    home.refused(&["crash", "show"], "HR0713", 3);
    let crashes = home.home.join("crashes");
    fs::create_dir_all(&crashes).unwrap();
    let lost = json!([{ "point": "message.publish", "callback": "screen/screen" }]);
    let report = json!({
        "id": "20261127T204907800-15106-0", "time": "2026-11-27T20:49:07Z", "worker": "screen", "plugins": [],
        "end": "was killed by \u{1b}[31mSIGSEGV", "backtrace": ["screen\n0: main"], "lost": lost,
    });
    fs::write(crashes.join("20261127T204907800-15106-0.json"), report.to_string()).unwrap();
    let shown = home.ok(&["crash", "show"]);
    assert!(shown.contains("screen/screen on message.publish") && shown.contains("keep_input"), "{shown}");
    // It commands no terminal, and looks like no line of the program.
    assert!(!shown.contains('\u{1b}') && !shown.contains("\n0: main"), "{shown}");
    assert!(!home.ok(&["crash", "list"]).contains('\u{1b}'));
    assert_eq!(home.json(&["crash", "list"])[0]["lost"], lost);
    assert!(home.refused(&["crash", "show", "../state"], "HR0713", 3).contains("crash list"));
    assert!(home.refused(&["crash", "replay"], "HR0631", 2).contains("keep_input"));
    assert!(home.refused(&["crash", "replay", "--call", "2"], "HR0631", 2).contains("no such call"));
}
