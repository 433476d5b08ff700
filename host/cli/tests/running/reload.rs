//! The configuration of a run is read again while messages flow.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use hookrail_tests::cli::live::Live;
use hookrail_tests::cli::terminal::pair;
use hookrail_tests::cli::{directory, hookrail, run, text};
use hookrail_tests::plugin;

fn configure(directory: &Path, pattern: &str, more: &str) {
    let mask = plugin("mask");
    let config = format!("[plugins.mask]\nlibrary = {mask:?}\n[plugins.mask.config]\npatterns = [{pattern:?}]\n{more}");
    fs::write(directory.join("hookrail.toml"), config).unwrap();
}

/// A run that masks `one`, and its directory.
fn masking(test: &str) -> (PathBuf, Live) {
    let directory = directory(test);
    configure(&directory, "one", "");
    let mut live = Live::start(hookrail(&["run", "--no-store"]).current_dir(&directory));
    assert_eq!(live.through("one two"), "*** two");
    (directory, live)
}

fn reload(directory: &Path) -> String {
    let output = run(hookrail(&["config", "reload"]).current_dir(directory), b"");
    text(&output.stdout).to_owned() + text(&output.stderr)
}

fn hang_up(live: &Live) {
    // SAFETY: our own child, which has not been waited for.
    unsafe { libc::kill(live.id().cast_signed(), libc::SIGHUP) };
}

#[test]
fn a_verb_or_a_signal_changes_what_differs_and_the_run_goes_on() {
    let (directory, mut live) = masking("run-reload");
    assert!(reload(&directory).contains("nothing differs"));
    configure(&directory, "two", "[limits]\nstuck = \"1s\"\n");
    let done = reload(&directory);
    assert!(done.contains("mask has another configuration") && done.contains("limits differs, and is read"), "{done}");
    assert_eq!(live.through("one two"), "one ***");
    configure(&directory, "two", "[limits]\nstuck = \"1s\"\n[plugins.throttle.instances.a.config]\nrate = 1\n");
    assert!(reload(&directory).contains("plugins.throttle differs, and is read only"));
    configure(&directory, "two", "[limits]\nstuck = \"1s\"\n[plugins.throttle.instances.b.config]\nrate = 1\n");
    assert!(reload(&directory).contains("plugins.throttle.instances differs, and is read only"));
    configure(&directory, "three", "");
    hang_up(&live);
    live.said.wait_for("mask has another configuration");
    assert_eq!(live.through("two three"), "two ***");
    let (code, _, said) = live.end();
    assert_eq!(code, Some(0), "{said:?}");
}

#[test]
fn a_mistake_changes_nothing_and_is_named() {
    let (directory, mut live) = masking("run-reload-mistake");
    for (pattern, more, said) in [
        ("(", "", "mask"),
        ("two", "[plugins.mask", "hookrail.toml"),
        ("two", "[nothing]\n", "unknown field `nothing`"),
    ] {
        configure(&directory, pattern, more);
        let refused = reload(&directory);
        assert!(refused.contains("error[") && refused.contains(said), "{refused}");
        assert_eq!(live.through("one two"), "*** two");
    }
    hang_up(&live);
    live.said.wait_for("the configuration stays as it was");
    assert_eq!(live.through("one two"), "*** two");
    assert_eq!(live.end().0, Some(0));
}

#[test]
fn a_run_in_a_terminal_ends_when_that_has_gone() {
    let (_ours, its) = pair();
    let mut command = hookrail(&["run", "--no-store", "--quiet"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(its).spawn().unwrap();
    let mut out = std::io::BufReader::new(child.stdout.take().unwrap());
    std::io::Write::write_all(child.stdin.as_mut().unwrap(), b"one\n").unwrap();
    let mut line = String::new();
    std::io::BufRead::read_line(&mut out, &mut line).unwrap();
    assert_eq!(line, "one\n");
    // SAFETY: our own child, which has not been waited for.
    unsafe { libc::kill(child.id().cast_signed(), libc::SIGHUP) };
    let status = child.wait().unwrap();
    assert_eq!((status.code(), status.signal()), (Some(0), None));
}
