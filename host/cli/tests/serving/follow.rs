//! `hookrail run --follow`: real files that are rotated, and a program that is ended and started again.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;

use hookrail_tests::cli::home;
use hookrail_tests::cli::live::Live;
use hookrail_tests::plugin;
use hookrail_tests::probe::eventually;

use crate::scenes::{Place, signal};

fn masking(test: &str) -> Place {
    _ = ["mask", "tail"].map(plugin);
    // Its positions are those of another run of the test.
    let _ = fs::remove_dir_all(home());
    Place::new(test, "[plugins.mask.config]\npatterns = [\"secret[0-9]+\"]\n")
}

fn follow(place: &Place, more: &[&str]) -> Live {
    let arguments = [&["run", "--follow", "a.log", "not yet [1].log"], more].concat();
    Live::start(&mut place.command(&arguments))
}

#[test]
fn files_are_followed_through_rotation_and_the_next_run_goes_on_where_this_one_was() {
    let place = masking("follow-rotation");
    place.append("a.log", "one secret1\n");
    let live = follow(&place, &[]);
    assert_eq!(live.out.line(0), "one ***");
    fs::rename(place.path("a.log"), place.path("a.log.1")).unwrap();
    place.append("a.log.1", "two\n");
    place.append("a.log", "three secret2\n");
    assert_eq!([live.out.line(1), live.out.line(2)], ["two", "three ***"]);
    place.append("not yet [1].log", "four\n");
    assert_eq!(live.out.line(3), "four");
    assert!(place.ask(&["pipeline", "list"]).contains("run-follow"));
    place.wait_until_delivered("run-follow", 4);
    live.interrupt();
    let (code, out, said) = live.end();
    assert_eq!((code, out.len()), (Some(0), 4), "{said:?}");
    let said = said.join("\n");
    assert!(said.contains("ending") && said.contains("run-follow  stopped"), "{said}");
    // What comes meanwhile, also by another rotation, comes then, and nothing twice.
    place.append("a.log", "five\n");
    fs::rename(place.path("a.log"), place.path("a.log.1")).unwrap();
    place.append("a.log", "six\n");
    let live = follow(&place, &["--output-format", "json", "--topic", "of.mine"]);
    let [five, six] = [live.out.line(0), live.out.line(1)];
    assert!(five.contains("\"body\":\"five\"") && six.contains("\"body\":\"six\""), "{five} {six}");
    assert!(six.contains("\"topic\":\"of.mine\"") && six.contains("a.log\""), "{six}");
    signal(live.id(), libc::SIGTERM);
    let (code, out, _) = live.end();
    assert_eq!((code, out.len()), (Some(0), 2));
}

#[test]
fn a_run_that_is_killed_misses_no_line() {
    let place = masking("follow-kill");
    let mut seen = Vec::new();
    for round in 0..3 {
        let lines: String = (0..200).map(|number| format!("{round}-{number}\n")).collect();
        place.append("a.log", &lines);
        let live = follow(&place, &[]);
        let last = format!("{round}-{}", if round == 2 { 199 } else { 50 });
        live.out.wait_for(&last);
        signal(live.id(), libc::SIGKILL);
        seen.extend(live.end().1);
    }
    for round in 0..3 {
        for number in 0..200 {
            let line = format!("{round}-{number}");
            assert!(seen.contains(&line), "{line} is missing");
        }
    }
}

#[test]
fn the_configuration_is_read_again_and_the_files_are_followed_all_the_same() {
    let place = masking("follow-reload");
    let live = follow(&place, &[]);
    place.append("a.log", "secret1 hidden1\n");
    assert_eq!(live.out.line(0), "*** hidden1");
    place.configure("[plugins.mask.config]\npatterns = [\"hidden[0-9]+\"]\n");
    signal(live.id(), libc::SIGHUP);
    live.said.wait_for("mask has another configuration");
    place.append("a.log", "secret1 hidden1\n");
    assert_eq!(live.out.line(1), "secret1 ***");
    assert!(place.ask(&["config", "reload"]).contains("nothing differs"));
    live.interrupt();
    assert_eq!(live.end().0, Some(0));
}

#[test]
fn it_ends_when_whoever_reads_stdout_has_gone_and_what_was_not_written_comes_again() {
    let place = masking("follow-reader");
    place.append("a.log", "one\n");
    let mut command = place.command(&["run", "--follow", "a.log", "--quiet"]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    // What nobody reads any more is waited for no longer, not even for its answer.
    place.wait_until_delivered("run-follow", 1);
    drop(out);
    let output = child.wait_with_output().unwrap();
    assert_eq!((&*line, output.status.code()), ("one\n", Some(141)), "{output:?}");
    place.append("a.log", "two\n");
    let live = Live::start(&mut place.command(&["run", "--follow", "a.log"]));
    assert_eq!(live.out.line(0), "two");
    live.interrupt();
    live.end();
}

#[test]
fn the_second_signal_ends_it_at_once() {
    let place = masking("follow-twice");
    // More than a pipe that nobody reads has room for, and than the queue.
    place.append("a.log", &format!("{}\n", "x".repeat(1000)).repeat(5000));
    // Ten seconds after the first one it ends by itself: then this thread was late, and tries it again.
    eventually("the second one ends it", || {
        let mut command = place.command(&["run", "--follow", "a.log"]);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
        eventually("it is stuck", || place.ask(&["pipeline", "show", "run-follow", "--json"]).contains("\"held\": 1"));
        signal(child.id(), libc::SIGINT);
        assert!(said.any(|line| line.unwrap().contains("Ctrl-C again quits at once")));
        signal(child.id(), libc::SIGINT);
        child.wait().unwrap().signal() == Some(libc::SIGINT)
    });
}

#[test]
fn two_runs_do_not_share_positions() {
    let place = masking("follow-shared");
    place.append("a.log", "one\n");
    let live = follow(&place, &[]);
    assert_eq!(live.out.line(0), "one");
    let refused = place.ask(&["run", "--follow", "a.log", "not yet [1].log"]);
    assert!(refused.contains("error[HR0501]") && refused.contains("another run follows the same files"), "{refused}");
    // Other files are other positions.
    let other = Live::start(&mut place.command(&["run", "--follow", "a.log"]));
    assert_eq!(other.out.line(0), "one");
    signal(live.id(), libc::SIGKILL);
    live.end();
    place.append("a.log", "two\n");
    let live = follow(&place, &[]);
    live.out.wait_for("two");
    live.interrupt();
    live.end();
}

#[test]
fn what_cannot_be_followed_is_refused() {
    let place = masking("follow-refused");
    for (arguments, said) in [
        (&["-"][..], "stdin is not followed"),
        (&["."], "directory"),
        (&[], "required arguments were not provided"),
        (&["a.log", "--threads", "2"], "cannot be used with '--threads"),
        (&["a.log", "--input-format", "json"], "cannot be used with '--input-format"),
        (&["a.log", "--watch"], "cannot be used with '--watch'"),
    ] {
        let refused = place.ask(&[&["run", "--follow"], arguments].concat());
        assert!(refused.contains("error") && refused.contains(said), "{arguments:?}: {refused}");
    }
    place.append("a.log", "one\n");
    let grown = fs::OpenOptions::new().append(true).open(place.path("a.log")).unwrap();
    let output = place.command(&["run", "--follow", "a.log"]).stdout(grown).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("it would grow for ever"), "{output:?}");
}
