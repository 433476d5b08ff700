//! What it serves, and how it ends.

use std::fs;

use hookrail_tests::cli::live::Live;
use hookrail_tests::probe::eventually;

use crate::scenes::{Place, following, signal};

const STDIO: &str = r#"
[plugins.mask.config]
patterns = ["secret[0-9]+"]
[pipelines.all.sources.in]
use = "stdin"
config = { topic = "a.b" }
[pipelines.all.sinks.out]
use = "stdout"
"#;

#[test]
fn stdin_is_masked_and_written_to_stdout_and_its_end_ends_the_program() {
    let place = Place::new("serve-stdio", STDIO);
    let mut serving = place.serve();
    assert_eq!(serving.through("one secret1"), "one ***");
    serving.send("two");
    let (code, out, said) = serving.end();
    assert_eq!((code, &*out), (Some(0), &["one ***".to_owned(), "two".into()][..]), "{said:?}");
    let summary = said.join("\n");
    assert!(summary.contains("received") && summary.contains('2'), "{summary}");
}

#[test]
fn a_log_is_followed_masked_and_written_and_the_program_drains_when_it_is_told_to_end() {
    let place = following("serve-follow");
    place.append("logs/app.log", "one secret1\ntwo\n");
    let serving = place.serve();
    place.wait_for_lines("out/all.txt", 2);
    place.append("logs/app.log", "three\n");
    place.append("logs/other.log", "four\n");
    place.wait_for_lines("out/all.txt", 4);
    assert_eq!(place.lines("out/all.txt")[..3], ["one ***", "two", "three"]);
    signal(serving.id(), libc::SIGTERM);
    let (code, _, said) = serving.end();
    assert_eq!(code, Some(0), "{said:?}");
    // It goes on where it was.
    place.append("logs/app.log", "five\n");
    let serving = place.serve();
    place.wait_for_lines("out/all.txt", 5);
    serving.interrupt();
    serving.end();
    assert_eq!(place.lines("out/all.txt").len(), 5, "none came twice");
}

#[test]
fn pipelines_are_shown_halted_resumed_stopped_and_started() {
    let place = following("serve-verbs");
    let serving = place.serve();
    place.append("logs/app.log", "one\n");
    place.wait_for_lines("out/all.txt", 1);
    place.wait_until_delivered("logs", 1);
    let list = place.ask(&["pipeline", "list"]);
    assert!(list.contains("logs") && list.contains("running"), "{list}");
    let shown = place.ask(&["pipeline", "halt", "logs", "--wait", "2m"]);
    assert!(shown.contains("logs is halted") && shown.contains("stopped"), "{shown}");
    place.append("logs/app.log", "two\n");
    assert!(place.ask(&["pipeline", "resume", "logs"]).contains("logs is running"));
    place.wait_for_lines("out/all.txt", 2);
    assert!(place.ask(&["pipeline", "stop", "logs", "--wait", "2m"]).contains("logs is stopped"));
    assert!(place.ask(&["pipeline", "start", "logs"]).contains("logs is running"));
    assert!(place.ask(&["pipeline", "restart", "logs", "--wait", "2m"]).contains("logs is running"));
    place.append("logs/app.log", "three\n");
    place.wait_for_lines("out/all.txt", 3);
    let missing = place.ask(&["pipeline", "show", "nobody"]);
    assert!(missing.contains("error[HR0118]") && missing.contains("hookrail pipeline list"), "{missing}");
    serving.interrupt();
    serving.end();
    assert_eq!(place.lines("out/all.txt"), ["one", "two", "three"]);
}

#[test]
fn the_second_signal_ends_it_at_once() {
    let place = Place::new("serve-twice", "");
    let zoo = hookrail_tests::zoo("sends_and_takes");
    let config = format!(
        "[plugins.sends-and-takes]\nlibrary = {zoo:?}\n[pipelines.p.sources.in]\nuse = \"sends-and-takes\"\n\
         config = {{ until = 1000000, pause_us = 1000, ends_late_ms = 100000 }}\n[pipelines.p.sinks.out]\nuse = \"stdout\"\n"
    );
    fs::write(place.path("hookrail.toml"), config).unwrap();
    let serving = place.serve();
    serving.out.line(0);
    serving.interrupt();
    serving.said.wait_for("ending");
    serving.interrupt();
    let (code, _, _) = serving.end();
    assert_eq!(code, None, "the signal has ended it");
}

#[test]
fn a_mistake_in_the_file_is_named_before_anything_runs() {
    for (config, said) in [
        ("[pipelines.p.sources.in]\nuse = \"stdin\"\n", "needs at least one source and one sink"),
        ("[pipelines.p.sources.in]\n[pipelines.p.sinks.out]\nuse = \"stdout\"\n", "needs `use`"),
        ("[pipelines.p.sinks.out]\nuse = \"stdout\"\ntopic = 1\n", "unknown field `topic`"),
        (
            "[pipelines.p.sources.in]\nuse = \"stdin\"\n[pipelines.p.sinks.out]\nuse = \"stdout\"\ntopics = [\"a..b\"]\n",
            "pipelines.p.sinks.out.topics",
        ),
        (
            "[pipelines.p.sources.in]\nuse = \"tail\"\nconfig.path = 1\n[pipelines.p.sinks.out]\nuse = \"stdout\"\n",
            "'path' was unexpected",
        ),
        ("[pipelines.p.sources.in]\nuse = \"hello\"\n[pipelines.p.sinks.out]\nuse = \"stdout\"\n", "it has no source"),
        ("[pipelines.p.sources.in]\nuse = \"tail/x\"\n[pipelines.p.sinks.out]\nuse = \"stdout\"\n", "but tail"),
    ] {
        let place = Place::new("serve-mistakes", config);
        let output = place.ask(&["serve"]);
        assert!(output.contains("error[HR0") && output.contains(said), "{output}");
    }
}

#[test]
fn without_arguments_it_serves_the_logs_of_this_machine() {
    let place = Place { directory: hookrail_tests::cli::directory("serve-default") };
    let serving = Live::start(&mut place.command(&[]));
    serving.said.wait_for("the logs of this machine are followed");
    eventually("it runs", || place.ask(&["pipeline", "show", "logs"]).contains("logs is running"));
    serving.interrupt();
    assert_eq!(serving.end().0, Some(0));
}
