//! `hookrail tap`: what passes is shown, and nothing waits for it.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ExitStatus, Output, Stdio};

use hookrail_tests::cli::live::Live;
use hookrail_tests::probe::eventually;
use serde_json::Value;

use crate::scenes::{FOLLOW, Place, following, signal};

const POINTS: [&str; 3] = ["message.publish", "message.delivered", "message.dropped"];

/// One that looks; it is killed when the test ends.
struct Tap(Child);

impl Tap {
    /// Looks by the time that this returns.
    fn begin(place: &Place, options: &[&str]) -> Self {
        let before = taps(place);
        let mut command = place.command(&[&["tap"][..], options].concat());
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let tap = Tap(child);
        eventually("it looks", || taps(place) > before);
        tap
    }

    /// Waits until it has ended.
    fn ended(&mut self) -> ExitStatus {
        eventually("it ends", || self.0.try_wait().unwrap().is_some());
        self.0.wait().unwrap()
    }

    /// What it has shown, which is less than a pipe has room for.
    fn output(mut self) -> Output {
        let status = self.ended();
        let [mut stdout, mut stderr] = [Vec::new(), Vec::new()];
        self.0.stdout.take().unwrap().read_to_end(&mut stdout).unwrap();
        self.0.stderr.take().unwrap().read_to_end(&mut stderr).unwrap();
        Output { status, stdout, stderr }
    }

    /// What it has shown, as JSON, once it has ended well.
    fn shown(self) -> Vec<Value> {
        let Output { status, stdout, stderr } = self.output();
        assert!(status.success(), "{status}: {}", String::from_utf8_lossy(&stderr));
        String::from_utf8(stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// What is read of one that looks, up to a line that was appended for that.
struct ReadToMarker {
    shown: Vec<String>,
    /// The number of the line that was shown, of those that were appended for it.
    marker: usize,
    appended: usize,
}

impl Tap {
    /// Reads until it shows a line that is appended now, which may take several: whatever came before that line was shown, or
    /// was told to be missed.
    fn read_to_marker(&mut self, place: &Place) -> ReadToMarker {
        let mut stdout = BufReader::new(self.0.stdout.take().unwrap());
        let reading = std::thread::spawn(move || {
            let mut shown = Vec::new();
            loop {
                let mut line = String::new();
                assert!(stdout.read_line(&mut line).unwrap() > 0, "it has ended");
                let body = serde_json::from_str::<Value>(&line).unwrap()["message"]["body"].to_string();
                shown.push(line);
                if let Some((_, number)) = body.trim_matches('"').split_once("marker ") {
                    return (shown, number.parse().unwrap(), stdout);
                }
            }
        });
        let mut appended = 0;
        eventually("a marker is shown", || {
            if !reading.is_finished() {
                appended += 1;
                place.append("logs/app.log", &format!("marker {appended}\n"));
            }
            reading.is_finished()
        });
        let (shown, marker, mut stdout) = reading.join().unwrap();
        // On a slow machine many markers follow: unread they would fill the pipe, and without a reader it would end by itself.
        std::thread::spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()));
        ReadToMarker { shown, marker, appended }
    }

    /// What it says at its end, by itself or by Ctrl-C.
    fn said(mut self) -> (ExitStatus, String) {
        let (status, mut said) = (self.ended(), String::new());
        self.0.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (status, said)
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// How many look.
fn taps(place: &Place) -> usize {
    POINTS.map(|point| place.ask(&["hooks", "show", point]).matches("hookrail/tap-").count()).iter().sum()
}

fn end(serving: Live) {
    serving.interrupt();
    serving.end();
}

#[test]
fn each_place_shows_what_passes_there_and_where_it_comes_from() {
    let place = following("tap-places");
    let serving = place.serve_and_answer();
    let tap = |at| Tap::begin(&place, &[">", "--at", at, "--json", "--limit", "1", "--pipeline", "logs"]);
    let [received, published, delivered] = ["received", "published", "delivered"].map(tap);
    place.append("logs/app.log", "a secret7\n");
    let [received, published, delivered] = [received, published, delivered].map(|tap| tap.shown().remove(0));
    assert_eq!((&received["message"]["body"], &received["endpoint"]), (&"a secret7".into(), &"files".into()));
    assert_eq!((&published["message"]["body"], &published["endpoint"]), (&"a ***".into(), &"files".into()));
    assert_eq!((&delivered["message"]["body"], &delivered["endpoint"]), (&"a ***".into(), &"all".into()));
    for tapped in [&received, &published, &delivered] {
        assert_eq!((&tapped["pipeline"], &tapped["message"]["id"]), (&"logs".into(), &received["message"]["id"]));
    }
    eventually("nothing is left of them in the chains", || taps(&place) == 0);
    end(serving);
}

#[test]
fn what_is_dropped_is_shown_with_the_reason() {
    let place = following("tap-dropped");
    place.configure(&FOLLOW.replace("use = \"file-log\"", "use = \"file-log\"\ntopics = [\"quite.another\"]"));
    let serving = place.serve_and_answer();
    let dropped = Tap::begin(&place, &["--at", "dropped", "--json", "--limit", "1"]);
    place.append("logs/app.log", "nobody wants it\n");
    let dropped = dropped.shown().remove(0);
    assert_eq!((&dropped["kind"], &dropped["endpoint"]), (&"unrouted".into(), &"files".into()), "{dropped}");
    assert!(dropped["reason"].as_str().unwrap().contains("no sink wants"), "{dropped}");
    end(serving);
}

#[test]
fn only_what_was_asked_for_is_shown_and_long_bodies_are_cut() {
    let place = following("tap-filters");
    let second = "[pipelines.more.sources.files]\nuse = \"tail\"\nconfig = { paths = [\"DIR/logs/*.txt\"], topic = \"more.a\", start_at = \"beginning\", poll_every = \"20ms\" }\n[pipelines.more.sinks.all]\nuse = \"file-log\"\nconfig = { path = \"DIR/out/more.txt\" }\n";
    place.configure(&format!("{FOLLOW}{second}"));
    let serving = place.serve_and_answer();
    let by_topic = Tap::begin(&place, &["more.*", "--json", "--limit", "1"]);
    let by_pipeline = Tap::begin(&place, &["--pipeline", "more", "--json", "--limit", "1"]);
    let by_header = Tap::begin(&place, &["--header", "nobody=has it", "--json"]);
    place.append("logs/app.log", "another\n");
    place.wait_for_lines("out/all.txt", 1);
    place.append("logs/a.txt", &format!("{}\n", "x".repeat(40_000)));
    for shown in [by_topic.shown(), by_pipeline.shown()] {
        let [tapped] = &shown[..] else { panic!("{shown:?}") };
        assert_eq!((&tapped["message"]["topic"], &tapped["body_bytes"]), (&"more.a".into(), &40_000.into()));
        assert_eq!(tapped["message"]["body"].as_str().unwrap().len(), 16 << 10);
    }
    end(serving);
    assert!(by_header.shown().is_empty());
}

/// It reads nothing, and its pipe, its socket and its queue hold much less than what comes.
#[test]
fn who_does_not_read_slows_nobody_and_is_told_how_much_it_has_missed() {
    // So few that they have passed long before the host ends what does not read for half a minute.
    const LINES: usize = 5_000;
    let place = following("tap-slow");
    let serving = place.serve_and_answer();
    let mut tap = Tap::begin(&place, &["--json", "--at", "delivered"]);
    let lines: String = (0..LINES).map(|number| format!("{number} {}\n", "x".repeat(500))).collect();
    place.append("logs/app.log", &lines);
    place.wait_for_lines("out/all.txt", LINES);
    let read = tap.read_to_marker(&place);
    end(serving);
    let (_, said) = tap.said();
    assert!(said.contains("were not shown: they came too fast") && said.contains("the host has ended"), "{said}");
    assert!(read.shown.len() < LINES, "it cannot have read them all");
}

#[test]
fn a_rate_leaves_out_the_rest_and_counts_it() {
    const LINES: usize = 100;
    let place = following("tap-rate");
    let serving = place.serve_and_answer();
    let mut tap = Tap::begin(&place, &["--json", "--rate", "1"]);
    place.append("logs/app.log", &"one\n".repeat(LINES));
    place.wait_for_lines("out/all.txt", LINES);
    let read = tap.read_to_marker(&place);
    signal(tap.0.id(), libc::SIGINT);
    let (status, said) = tap.said();
    let left_out: usize = said.split_whitespace().next().unwrap().parse().unwrap();
    assert!(status.success() && said.contains("--rate left them out"), "{status} {said}");
    // Those after the marker that was shown may have been counted too.
    let all = LINES + read.marker..=LINES + read.appended;
    assert!(all.contains(&(read.shown.len() + left_out)), "{said} {all:?}");
    end(serving);
}

#[test]
fn it_leaves_the_chain_when_its_reader_is_gone_however_it_goes() {
    let place = following("tap-gone");
    let serving = place.serve_and_answer();
    let killed = Tap::begin(&place, &[]);
    signal(killed.0.id(), libc::SIGKILL);
    eventually("nothing is left of it", || taps(&place) == 0);

    let mut closed = Tap::begin(&place, &["--json"]);
    let mut first = String::new();
    let mut stdout = BufReader::new(closed.0.stdout.take().unwrap());
    place.append("logs/app.log", "one\n");
    stdout.read_line(&mut first).unwrap();
    drop(stdout);
    place.append("logs/app.log", "two\nthree\n");
    let status = closed.ended();
    assert!(status.success(), "{status}");
    eventually("nothing is left of it", || taps(&place) == 0);
    end(serving);
}

#[test]
fn a_mistake_is_named() {
    let place = following("tap-mistakes");
    let serving = place.serve_and_answer();
    for (options, said) in [
        (&["a..b"][..], "its token 2 is empty"),
        (&["--at", "nowhere"], "use received, published, delivered, dropped"),
        (&["--pipeline", "none"], "`none`"),
        (&["--header", "no"], "KEY=VALUE"),
    ] {
        let told = place.ask(&[&["tap"][..], options].concat());
        assert!(told.contains(said), "{options:?}: {told}");
    }
    end(serving);
}
