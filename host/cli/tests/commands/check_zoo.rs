//! What `hookrail check` finds in the zoo: each specimen does not pass the check that it was made for, and
//! passes every other; those that were made for something else are in `excused`.

use std::collections::BTreeSet;
use std::fs;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use hookrail_tests::cc;
use hookrail_tests::cli::{directory, hookrail, run, text};
use hookrail_tests::probe::eventually;
use hookrail_tests::specimens::c;
use hookrail_tests::{has_peer, root, zoo, zoo_cpp};
use serde_json::Value;

use crate::excused::{EXCUSED, PARTS};
use crate::zoo_rows::{C, CHANGES, CRASHES, ENDPOINTS, HANGS, LINKED, MISTAKES, NO_PLUGINS, PANICS, RUST, Row, SLOW};

/// In which process a plugin is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Here,
    Worker,
}

impl Place {
    fn arguments(self) -> &'static [&'static str] {
        static FILE: LazyLock<String> = LazyLock::new(|| zoo_config().to_str().unwrap().to_owned());
        static WORKER: LazyLock<[&str; 3]> = LazyLock::new(|| ["--isolated", "--config", &FILE]);
        match self {
            Place::Here => &[],
            Place::Worker => &*WORKER,
        }
    }
}

/// A configuration by which workers are given the variables by which specimens choose.
fn zoo_config() -> PathBuf {
    let passed = [
        ("breaks", r#"["BREAKS", "BREAKS_LOCK"]"#),
        ("breaks-endpoints", r#"["BREAKS"]"#),
        ("changes-the-process", r#"["CHANGES"]"#),
        ("panics-somewhere", r#"["PANICS"]"#),
    ];
    let lines = passed.map(|(name, variables)| format!("[plugins.{name}.worker]\nenvironment = {variables}\n"));
    let file = directory("isolated").join("hookrail.toml");
    fs::write(&file, lines.concat()).unwrap();
    file
}

/// What the program answers, with a variable of the environment by which specimens choose.
fn report(file: &Path, variable: (&str, &str), more: &[&str], place: Place) -> Value {
    let mut command = hookrail(&["check", "--json", "--quick", "--seed", "1"]);
    let output = run(command.args(place.arguments()).args(more).arg(file).env(variable.0, variable.1), b"");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output.stderr)));
    let is_bad = ["failed", "crashed", "timed-out"].iter().any(|way| report["summary"][way] != 0);
    assert_eq!(output.status.code(), Some(i32::from(is_bad)), "{report:#}");
    report
}

/// The checks that did not pass, in their order, each with how it ended.
fn not_passed(report: &Value) -> Vec<(String, String)> {
    let word = |check: &Value, key: &str| check[key].as_str().unwrap().to_owned();
    let checks = report["checks"].as_array().unwrap().iter();
    let ended = checks.map(|check| (word(check, "name"), word(check, "status")));
    ended.filter(|(_, status)| !["passed", "skipped"].contains(&&**status)).collect()
}

fn check(file: &Path, variable: &str, row: &Row, more: &[&str], place: Place) {
    // How long something takes here says nothing, unless it is made to.
    check_all(file, variable, row, &[&["--skip", "load-time"], more].concat(), place);
}

fn check_all(file: &Path, variable: &str, (what, expected): &Row, more: &[&str], place: Place) {
    let arguments = [&["--strictness", "10"], more].concat();
    let report = report(file, (variable, what), &arguments, place);
    let expected: Vec<_> = expected.iter().map(|(check, status)| ((*check).into(), (*status).into())).collect();
    assert_eq!(not_passed(&report), expected, "{what}, {place:?}: {report:#}");
}

/// A test for each place, so that both run at once. What stands in brackets is for the worker's alone.
macro_rules! everywhere {
    ($($(#[$about:meta])* [$($seldom:meta)?] fn $name:ident($place:ident) $body:block)*) => {
        mod here {
            use super::*;
            $($(#[$about])* #[test] fn $name() { let $place = Place::Here; $body })*
        }

        mod in_a_worker {
            use super::*;
            $($(#[$about])* $(#[$seldom])? #[test] fn $name() { let $place = Place::Worker; $body })*
        }
    };
}

everywhere! {
    [ignore = "takes minutes: .ci/long runs it"]
    fn specimens_in_c_fail_what_they_were_made_for(place) {
        C.iter().for_each(|row| check(&c(row.0), "NOTHING", row, &[], place));
    }

    [ignore = "takes minutes: .ci/long runs it"]
    fn specimens_in_rust_fail_what_they_were_made_for(place) {
        RUST.iter().for_each(|row| check(&zoo(row.0), "NOTHING", row, &[], place));
    }

    [ignore = "takes minutes: .ci/long runs it"]
    fn specimens_that_are_excused_fail_nothing_else(place) {
        for (file, why, expected) in EXCUSED {
            let (directory, name) = file.split_once('/').unwrap();
            let (name, _) = name.rsplit_once('.').unwrap();
            let library = match directory {
                "c" => c(name),
                _ if !name.contains("_cpp_") => zoo(name),
                _ if has_peer("c++", "g++") => zoo_cpp(name),
                _ => continue,
            };
            check(&library, "NOTHING", &(why, expected), &[], place);
        }
    }

    [] fn a_panic_is_found_wherever_it_is(place) {
        PANICS.iter().for_each(|row| check(&zoo("panics_somewhere"), "PANICS", row, &[], place));
    }

    [] fn a_crash_is_a_report_wherever_it_is(place) {
        CRASHES.iter().for_each(|row| check(&c("breaks"), "BREAKS", row, &[], place));
    }

    [] fn every_mistake_fails_its_check_and_no_other(place) {
        MISTAKES.iter().for_each(|row| check(&c("breaks"), "BREAKS", row, &[], place));
    }

    [ignore = "takes minutes: .ci/long runs it"]
    fn every_mistake_of_an_endpoint_fails_its_check_and_no_other(place) {
        ENDPOINTS.iter().for_each(|row| check(&c("breaks_endpoints"), "BREAKS", row, &[], place));
    }

    [ignore = "takes minutes: .ci/long runs it"]
    fn every_change_of_the_process_fails_its_check_and_no_other(place) {
        // A kernel may be built without the list of a process's POSIX timers.
        let is_seen = |row: &&Row| row.0 != "start:POSIX timer" || Path::new("/proc/self/timers").exists();
        CHANGES.iter().filter(is_seen).for_each(|row| check(&c("changes_the_process"), "CHANGES", row, &[], place));
    }

    [ignore = "takes minutes: .ci/long runs it"]
    fn a_slow_plugin_fails_only_the_check_of_its_time(place) {
        check_all(&c("breaks"), "BREAKS", &SLOW, &[], place);
    }

    [ignore = "takes minutes: .ci/long runs it"]
    fn flaws_of_linking_are_found(place) {
        for (number, row) in LINKED.iter().enumerate() {
            check(&linked("well_behaved", &[row.0], &format!("linked_{number}_{place:?}.so")), "NOTHING", row, &[], place);
        }
        let library = linked("library_with_keys", &["-D_GNU_SOURCE"], &format!("libhookrail_zoo_keys_{place:?}.so"));
        // As needed is what some compilers take for granted, and the library stands before what needs it.
        let more = ["-Wl,--no-as-needed", library.to_str().unwrap()];
        let row = ("leans_on_a_library", &[("libraries", "warned"), ("unmaps", "warned")][..]);
        check(&linked("leans_on_a_library", &more, &format!("leans_{place:?}.so")), "NOTHING", &row, &[], place);
        if cfg!(target_arch = "x86_64") {
            let arguments = ["-fno-pic", "-mcmodel=large", "-Wl,-z,notext"];
            let patched = linked("well_behaved", &arguments, &format!("patched_{place:?}.so"));
            check(&patched, "NOTHING", &("well_behaved", &[("text-relocations", "failed")]), &[], place);
        }
    }

    [ignore = "takes minutes: .ci/long runs it"]
    fn unique_symbols_are_found(place) {
        if !has_peer("c++", "g++") {
            return;
        }
        let cpp = root().join("tests/zoo/cpp/unique.cpp");
        let compiler = ["c++", "-std=c++17", "-Wall", "-Wextra", "-Werror"];
        let object = cc::compile(&compiler, cpp.to_str().unwrap(), &["-c", "-fPIC"], &format!("zoo_unique_{place:?}.o"));
        let library = linked("brings_unique_symbols", &[object.to_str().unwrap(), "-lstdc++"], &format!("zoo_unique_{place:?}.so"));
        let row = ("brings_unique_symbols", &[("removable", "warned"), ("unmaps", "failed")][..]);
        check(&library, "NOTHING", &row, &[], place);
    }

    [] fn a_hang_is_killed_wherever_it_is(place) {
        for row in HANGS {
            let (check_name, _) = row.1[0];
            check(&c("breaks"), "BREAKS", row, &["--only", check_name, "--timeout", "1s"], place);
        }
    }

    /// Whoever killed the check's process alone would leave its child behind, which holds a lock.
    [] fn processes_that_a_check_started_are_killed_with_it(place) {
        let lock = directory(&format!("killed_{place:?}")).join("lock");
        let mut command = hookrail(&["check", "--json", "--only", "starts", "--timeout", "1s"]);
        command.args(place.arguments()).arg(c("breaks")).env("BREAKS", "start:fork").env("BREAKS_LOCK", &lock);
        let output = run(&mut command, b"");
        assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
        // One that was killed before its child had the lock has made none.
        let file = fs::File::options().read(true).write(true).create(true).truncate(false).open(&lock).unwrap();
        // SAFETY: a plain call on an open file.
        let is_free = || unsafe { libc::lockf(file.as_raw_fd(), libc::F_TLOCK, 0) == 0 };
        match place {
            Place::Here => assert!(is_free(), "somebody still holds it"),
            // What a worker has started is killed by its guardian, which outlives the program by a moment.
            Place::Worker => eventually("nobody holds it", is_free),
        }
    }
}

#[test]
fn files_that_are_no_plugins_are_not_checked() {
    for name in NO_PLUGINS {
        let output = run(hookrail(&["check"]).arg(c(name)), b"");
        assert_eq!(output.status.code(), Some(5), "{name}: {}", text(&output.stderr));
        let code = match *name {
            "note_of_a_newer_format" => "HR0316",
            "library_with_keys" | "no_note" | "no_plugin" => "HR0304",
            _ => "HR0317",
        };
        assert!(text(&output.stderr).starts_with(&format!("error[{code}]: ")), "{name}: {}", text(&output.stderr));
    }
}

/// What each load sets to the same value differs only from the process before the first of them.
#[test]
fn leaves_nothing_compares_with_the_process_before_the_first_load() {
    for (change, named) in
        [("start:umask", "the umask"), ("start:ignored signal", "signal 12"), ("start:alarm", "ITIMER_REAL")]
    {
        let report = report(&c("changes_the_process"), ("CHANGES", change), &["--only", "leaves-nothing"], Place::Here);
        let detail = report["checks"][0]["detail"].as_str().unwrap();
        assert!(detail.contains(named), "{change}: {detail}");
    }
}

/// A library of the zoo, compiled with more arguments.
fn linked(name: &str, more: &[&str], output: &str) -> PathBuf {
    let source = root().join(format!("tests/zoo/c/{name}.c"));
    let arguments = [&["-shared", "-fPIC"], more].concat();
    cc::compile(cc::STRICT_C, source.to_str().unwrap(), &arguments, output)
}

/// Whether every check is shown to fail: one that nothing fails says nothing.
#[test]
fn every_check_has_an_specimen() {
    let tables = [C, RUST, PANICS, CRASHES, MISTAKES, ENDPOINTS, CHANGES, LINKED, HANGS];
    let mut found: BTreeSet<&str> = tables
        .iter()
        .copied()
        .flatten()
        .chain([&SLOW])
        .flat_map(|(_, checks)| checks.iter().map(|(name, _)| *name))
        .collect();
    // Those of `flaws_of_linking_are_found`.
    found.extend(["libraries", "text-relocations"]);
    let output = run(&mut hookrail(&["check", "--list", "--json"]), b"");
    let all: Value = serde_json::from_slice(&output.stdout).unwrap();
    let names = all.as_array().unwrap().iter().map(|check| check["name"].as_str().unwrap());
    let missing: Vec<_> = names.filter(|name| !found.contains(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// Whether every specimen stands somewhere: in a table with what it fails, or with a reason.
#[test]
fn every_specimen_has_a_row_or_a_reason() {
    let fails = |table: &'static [Row]| table.iter().filter(|row| !row.1.is_empty()).map(|row| row.0);
    // Those of whole tables, and those that are linked in a way of their own.
    let more = ["breaks", "breaks_endpoints", "changes_the_process", "brings_unique_symbols", "leans_on_a_library"];
    let in_c = fails(C).chain(NO_PLUGINS.iter().copied()).chain(more).map(|name| format!("c/{name}.c"));
    let in_rust = fails(RUST).chain(["panics_somewhere"]).map(|name| format!("examples/{name}.rs"));
    let reasons = EXCUSED.iter().map(|(file, why, _)| (file, why)).chain(PARTS.iter().map(|(file, why)| (file, why)));
    let excused = reasons.map(|(file, why)| {
        assert!(!why.is_empty(), "{file}: why?");
        (*file).to_owned()
    });
    let mut listed: Vec<_> = in_c.chain(in_rust).chain(excused).collect();
    let mut there: Vec<_> = ["c", "cpp", "examples"].into_iter().flat_map(files_of_the_zoo).collect();
    listed.sort();
    there.sort();
    let without = |these: &[String], those: &[String]| -> Vec<_> {
        these.iter().filter(|name| !those.contains(name)).cloned().collect()
    };
    assert_eq!(without(&there, &listed), [""; 0], "neither a row nor a reason in `excused`");
    assert_eq!(without(&listed, &there), [""; 0], "no such file in tests/zoo");
    assert_eq!(listed.len(), there.len(), "a file is listed twice: {listed:?}");
}

fn files_of_the_zoo(directory: &str) -> Vec<String> {
    let entries = fs::read_dir(root().join("tests/zoo").join(directory)).unwrap();
    entries.map(|entry| format!("{directory}/{}", entry.unwrap().file_name().to_str().unwrap())).collect()
}
