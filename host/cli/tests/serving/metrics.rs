//! What a host exports is what it shows, in a form that Prometheus takes.

use std::io::Write;
use std::process::Stdio;

use hookrail_tests::has_peer;
use hookrail_tests::probe::eventually;
use serde_json::Value;

use crate::scenes::{FOLLOW, Place, following};

/// The number of a series.
fn number(text: &str, series: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("{series} is missing in\n{text}")).parse().unwrap()
}

fn served(test: &str) -> (Place, hookrail_tests::cli::live::Live) {
    let place = following(test);
    place.append("logs/app.log", "one\ntwo\nthree\n");
    let serving = place.serve();
    place.wait_until_delivered("logs", 3);
    (place, serving)
}

#[test]
fn the_numbers_are_those_of_the_pipeline_and_add_up() {
    let (place, serving) = served("serve-metrics");
    let shown: Value = serde_json::from_str(&place.ask(&["pipeline", "show", "logs", "--json"])).unwrap();
    let text = place.ask(&["metrics"]);
    let pipeline = |name: &str| number(&text, &format!("hookrail_pipeline_{name}_messages_total{{pipeline=\"logs\"}}"));
    let sink = |name: &str| number(&text, &format!("hookrail_sink_{name}{{pipeline=\"logs\",sink=\"all\"}}"));
    let dropped: u64 = text
        .lines()
        .filter(|line| line.starts_with("hookrail_pipeline_dropped_") || line.starts_with("hookrail_sink_dropped_"))
        .map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap())
        .sum();
    assert_eq!(shown["received"], pipeline("received"));
    assert_eq!(shown["routed"], pipeline("routed"));
    assert_eq!(shown["sinks"][0]["given"], sink("given_messages_total"));
    assert_eq!(shown["sinks"][0]["delivered"], sink("delivered_messages_total"));
    assert_eq!(shown["sinks"][0]["held"], sink("held_messages"));
    assert_eq!(pipeline("received"), sink("delivered_messages_total") + dropped + sink("held_messages"));
    assert_eq!(number(&text, "hookrail_plugin_up{plugin=\"mask\"}"), 1);
    assert_eq!(number(&text, "hookrail_bus_received_messages_total"), 0);
    place.ask(&["plugin", "unload", "mask"]);
    let text = place.ask(&["metrics"]);
    assert!(
        text.contains("plugin=\"tail\"") && !text.contains("plugin=\"mask\""),
        "its series are gone with it: {text}"
    );
    serving.interrupt();
    serving.end();
}

/// What `tail` counts itself, wherever it runs.
#[test]
fn the_numbers_of_a_plugin_are_there_in_the_process_and_in_a_worker() {
    let place = following("serve-plugin-metrics");
    place.configure(&crate::scenes::FOLLOW.replace("poll_every", "max_line = 10, poll_every"));
    let serving = place.serve_and_answer();
    place.append("logs/app.log", "one\nmuch too long for that\n");
    place.append("logs/b.log", "two\n");
    let shows = |lines: &[&str]| {
        let text = place.ask(&["metrics"]);
        lines.iter().all(|line| text.contains(&format!("hookrail_plugins_tail_{line}\n")))
    };
    let all =
        ["followed_files{plugin=\"tail\"} 2", "behind_bytes{plugin=\"tail\"} 0", "cut_lines_total{plugin=\"tail\"} 1"];
    eventually("they are shown", || shows(&all));
    // What is not answered for would come again from the new one, and be counted by it.
    eventually("all is answered for", || place.ask(&["pipeline", "show", "logs", "--json"]).contains("\"held\": 0"));
    let moved = place.ask(&["plugin", "isolate", "tail"]);
    assert!(!moved.contains("error"), "{moved}");
    // A new process counts anew; what is there now is what is there.
    let anew = [all[0], all[1], "cut_lines_total{plugin=\"tail\"} 0"];
    eventually("they are told by the worker", || shows(&anew));
    place.append("logs/app.log", "once more much too long for that\n");
    eventually("they go on", || shows(&all));
    place.ask(&["plugin", "stop", "tail"]);
    eventually("nothing is followed", || shows(&["followed_files{plugin=\"tail\"} 0"]));
    serving.interrupt();
    serving.end();
}

#[test]
fn prometheus_finds_nothing_wrong() {
    if !has_peer("promtool", "prometheus") {
        return;
    }
    let (place, serving) = served("serve-promtool");
    place.ask(&["hooks", "set-level", "message.publish", "histogram"]);
    place.append("logs/app.log", "four\n");
    place.wait_for_lines("out/all.txt", 4);
    let text = place.ask(&["metrics"]);
    assert!(text.contains("hookrail_callback_duration_seconds_count"), "{text}");
    let mut command = std::process::Command::new("promtool");
    let command =
        command.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut promtool = command.spawn().unwrap();
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    serving.interrupt();
    serving.end();
}

#[test]
fn a_queue_of_large_messages_has_no_more_memory_than_it_may() {
    const LINES: usize = 64;
    let place = following("serve-memory");
    let queue = "[pipelines.logs.sinks.all]\nqueue = { memory = \"4MiB\" }\n";
    place.configure(&FOLLOW.replace("[pipelines.logs.sinks.all]\n", queue));
    let serving = place.serve_and_answer();
    let stopped = place.ask(&["plugin", "stop", "file-log"]);
    assert!(!stopped.contains("error"), "{stopped}");
    let line = format!("{}\n", "x".repeat(200 << 10));
    place.append("logs/app.log", &line.repeat(LINES));
    let now = |series: &str| {
        number(&place.ask(&["metrics"]), &format!("hookrail_sink_{series}{{pipeline=\"logs\",sink=\"all\"}}"))
    };
    let limit = now("memory_limit_bytes");
    assert_eq!(limit, 4 << 20);
    eventually("it is full", || now("memory_bytes") >= limit);
    // A batch of the source goes in whole, with up to a line more than its bound.
    let most = limit + (1 << 20);
    for _ in 0..20 {
        let bytes = now("memory_bytes");
        assert!((limit..most).contains(&bytes), "{bytes}");
    }
    assert!(now("held_messages") < LINES as u64);
    place.ask(&["plugin", "start", "file-log"]);
    place.wait_for_lines("out/all.txt", LINES);
    eventually("it is empty", || now("memory_bytes") == 0);
    serving.interrupt();
    assert_eq!(serving.end().0, Some(0));
}
