//! Every system call of a verb fails once, and at every one of them the program is killed once: behind
//! it the store is what it was before or what it was to become, whole.
//!
//! `HOOKRAIL_FAULTS=all` goes through more verbs, and through the calls that only read.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output};

use hookrail_tests::cli::stocked::{Stocked, packages};
use hookrail_tests::cli::whole::{
    CONFIGURE, CONFIGURE_FIRST, ENABLE, INSTALL_OVER, PURGE, ROLLBACK, UNINSTALL, Verb, Whole, verb,
};
use hookrail_tests::cli::{run, text};
use hookrail_tests::has_peer;

/// Calls that write, as far as the machine has them.
const WRITING: &[&str] = &[
    "openat",
    "write",
    "mkdir",
    "mkdirat",
    "chmod",
    "fchmod",
    "fchmodat",
    "fsync",
    "rename",
    "renameat",
    "renameat2",
    "unlink",
    "unlinkat",
    "rmdir",
];

/// Calls that read, or do other things. Not `brk`, which the kernel answers with an address and never with an
/// error: what is injected there would be taken for one.
const OTHERS: &[&str] = &[
    "read",
    "pread64",
    "lseek",
    "stat",
    "fstat",
    "newfstatat",
    "statx",
    "getdents64",
    "readlink",
    "fcntl",
    "flock",
    "memfd_create",
    "sendfile",
    "copy_file_range",
    "mmap",
    "close",
];

/// What happens at a call.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Fails(&'static str),
    Kills,
}

const MORE: &[Verb] = &[
    verb("install", &[], &["plugin", "install", "screen-1.0.0.hrp"]),
    verb("disable", INSTALL_OVER.before, &["plugin", "disable", "screen"]),
    verb("dry run", INSTALL_OVER.before, &["plugin", "install", "screen-1.2.0.hrp", "--dry-run"]),
    CONFIGURE_FIRST,
    PURGE,
    ROLLBACK,
];

#[test]
fn an_installation_that_fails_anywhere_leaves_all_as_it_was() {
    all_of(INSTALL_OVER, WRITING, Fault::Fails("ENOSPC"));
}

#[test]
fn an_installation_that_is_killed_anywhere_is_whole_or_none() {
    all_of(INSTALL_OVER, WRITING, Fault::Kills);
}

#[test]
fn an_uninstallation_that_fails_anywhere_is_whole_or_none() {
    all_of(UNINSTALL, WRITING, Fault::Fails("EACCES"));
}

#[test]
fn an_uninstallation_that_is_killed_anywhere_is_whole_or_none() {
    all_of(UNINSTALL, WRITING, Fault::Kills);
}

#[test]
fn enabling_that_fails_or_is_killed_anywhere_is_whole_or_none() {
    // Without the opening of files, most of which is for reading.
    all_of(ENABLE, &WRITING[1..], Fault::Fails("ENOSPC"));
    all_of(ENABLE, &WRITING[1..], Fault::Kills);
}

#[test]
fn configuring_that_fails_or_is_killed_anywhere_is_whole_or_none() {
    all_of(CONFIGURE, &WRITING[1..], Fault::Fails("ENOSPC"));
    all_of(CONFIGURE, &WRITING[1..], Fault::Kills);
}

/// To a look that fails it must not seem that nothing is there to be purged.
#[test]
fn a_purge_that_cannot_look_leaves_nothing_of_what_it_says_is_gone() {
    all_of(PURGE, &["statx"], Fault::Fails("EIO"));
}

#[test]
fn the_remaining_verbs_and_calls_are_whole_or_none() {
    if std::env::var_os("HOOKRAIL_FAULTS").is_none() {
        return println!("left out: HOOKRAIL_FAULTS=all runs it");
    }
    all_of(ENABLE, WRITING, Fault::Kills);
    all_of(CONFIGURE, WRITING, Fault::Kills);
    for verb in [INSTALL_OVER, UNINSTALL, ENABLE, CONFIGURE] {
        all_of(verb, OTHERS, Fault::Fails("EIO"));
        all_of(verb, WRITING, Fault::Fails("EIO"));
    }
    for verb in MORE {
        for calls in [WRITING, OTHERS] {
            all_of(*verb, calls, Fault::Fails("EIO"));
            all_of(*verb, calls, Fault::Kills);
        }
    }
}

/// What a crash of the machine leaves is what was synced: all that a name stands for, before it has the name.
#[test]
fn files_are_synced_before_they_get_their_names() {
    if !has_peer("strace", "strace") {
        return;
    }
    let home = Stocked::new("store_synced");
    let log = home.home.with_file_name("strace");
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-y", "-e", "trace=fsync,?rename,?renameat,?renameat2,?unlinkat", "-o"]).arg(&log);
    command.args([env!("CARGO_BIN_EXE_hookrail"), "plugin", "install", "screen-1.0.0.hrp"]);
    let output = run(command.current_dir(packages()).env("HOOKRAIL_HOME", &home.home), b"");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let log = fs::read_to_string(log).unwrap();
    let lines: Vec<_> = log.lines().collect();
    let place = |name: &str| home.home.join(name).display().to_string();
    let synced = |range: &[&str], path: &str| {
        let whole = format!("<{path}>");
        assert!(range.iter().any(|line| line.contains(" fsync(") && line.contains(&whole)), "{path} in {range:#?}");
    };
    let renamed = |to: &str| {
        let whole = format!("\"{to}\"");
        let at = lines.iter().position(|line| line.contains(" rename") && line.contains(&whole));
        at.unwrap_or_else(|| panic!("{to} in {log}"))
    };
    let (files, state) = (renamed(&place("store/screen/1.0.0")), renamed(&place("state.json")));
    assert!(files < state);
    // Before the files had their place they were in the unfinished one.
    for (path, (mode, _)) in home.all().iter().filter(|(path, _)| path.starts_with("store/screen/1.0.0")) {
        let below = path.strip_prefix("store/screen/1.0.0").unwrap();
        let path = home.home.join("store/.new-screen-1.0.0").join(below).display().to_string();
        assert!(mode & 0o022 == 0);
        synced(&lines[..files], path.trim_end_matches('/'));
    }
    for directory in ["store/screen", "store", ""] {
        synced(&lines[files..state], place(directory).trim_end_matches('/'));
    }
    synced(&lines[files..state], &lines[state].split('"').nth(1).unwrap().replace("./", ""));
    synced(&lines[state..], place("").trim_end_matches('/'));
}

/// Has a fault at the first of these calls, at the second, and so on, until none is left.
fn all_of(verb: Verb, calls: &[&str], fault: Fault) {
    if !has_peer("strace", "strace") {
        return;
    }
    let Verb { name, arguments, .. } = verb;
    let whole = Whole::of(verb, &format!("{name} {fault:?} {}", calls[0]).replace([' ', '(', ')', '"'], "_"));
    let (mut faults, mut left_over) = (0, 0);
    for call in calls {
        for count in 1.. {
            whole.reset();
            let (output, is_hit) = traced(&whole.home, arguments, call, count, fault);
            if !is_hit {
                assert!(output.status.success(), "{name} without a fault: {}", text(&output.stderr));
                break;
            }
            faults += 1;
            let said = text(&output.stderr);
            let at = format!("{name}, {call} {count} {fault:?}: {:?} {said}", output.status);
            // Nobody knows whether the new state is on the disk, so the files of the old one have to stay.
            let all = whole.home.all();
            let is_kept = whole.old.0.keys().all(|path| all.contains_key(path));
            assert!(is_kept || !said.contains("state.json"), "{at}\n{:#?}", all.keys());
            let left = whole.settle(&at);
            let is_same = whole.old == whole.new;
            assert!(left.is_new || left.left_over || is_same || !output.status.success(), "{at}");
            // A failure leaves nothing over, but for what is given up by a state of which nobody knows whether
            // it is on the disk. A directory that cannot be closed ends the program: the standard library panics.
            let is_ended = matches!(fault, Fault::Kills) || said.contains("during closedir");
            assert!(left.is_new || !left.left_over || is_ended, "{at}\n{:#?}", all.keys());
            left_over += u32::from(left.left_over);
        }
    }
    println!("{name}: {faults} faults, {left_over} of which left something to collect");
    assert!(faults > 5, "strace brings faults about");
}

/// Runs the program with a fault at the call of that count; returns whether it came to it.
fn traced(home: &Stocked, arguments: &[&str], call: &str, count: u32, fault: Fault) -> (Output, bool) {
    let log = home.home.with_file_name("strace");
    let what = match fault {
        Fault::Fails(error) => format!("error={error}"),
        Fault::Kills => "signal=KILL".into(),
    };
    // With `?` a call that this machine does not have is none.
    let inject = format!("inject=?{call}:{what}:when={count}");
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-e", &format!("trace=?{call}"), "-e", &inject, "-o"]).arg(&log);
    command.arg(env!("CARGO_BIN_EXE_hookrail")).args(arguments);
    let output = run(command.current_dir(packages()).env("HOOKRAIL_HOME", &home.home), b"");
    let is_hit = match fault {
        Fault::Fails(_) => fs::read_to_string(log).unwrap().contains("(INJECTED)"),
        Fault::Kills => output.status.signal() == Some(9),
    };
    (output, is_hit)
}
