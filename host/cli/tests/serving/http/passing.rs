//! One host sends, another one takes.

use std::fs;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use hookrail_tests::cli::live::Live;
use hookrail_tests::probe::eventually;
use hookrail_tests::random::Random;
use hookrail_tests::{plugin, root, zoo};

use super::{RECEIVE, Receiver};
use crate::scenes::{Over, Place, complete, signal};

/// How often; more by `HOOKRAIL_KILLS`.
const KILLS: usize = 4;

/// Follows `app.log`, masks it, and sends it there.
fn sending(test: &str, to: SocketAddr) -> Place {
    let config = r#"
[plugins.mask.config]
patterns = ["secret[0-9]+"]
[pipelines.out.sources.files]
use = "tail"
config = { paths = ["DIR/app.log"], start_at = "beginning", poll_every = "20ms", idle_flush = "10m" }
[pipelines.out.sinks.http]
use = "http"
config = { url = "http://AT/", timeout = "2m", retry_from = "20ms", retry_to = "200ms", linger = "10ms", gzip = true }
"#;
    Place::new(test, &config.replace("AT", &to.to_string()))
}

#[test]
fn what_one_host_follows_and_masks_another_one_writes() {
    let receiver = Receiver::new(
        "http-takes",
        &RECEIVE.replace("path = \"DIR/all.txt\"", "path = \"DIR/{topic}.json\", format = \"json\""),
    );
    let place = sending("http-sends", receiver.at);
    // The order in which they are started does not matter.
    let sending = place.serve();
    place.append("app.log", "one secret1\ntwo \u{fc}\n");
    sending.said.wait_for("not delivered, and tried again: ");
    let taking = receiver.serve(&[]);
    receiver.place.wait_for_lines("log.app.json", 2);
    let message = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap();
    let lines = receiver.place.lines("log.app.json");
    assert_eq!((&message(&lines[0])["body"], &message(&lines[1])["body"]), (&"one ***".into(), &"two \u{fc}".into()));
    assert!(message(&lines[0])["source"].as_str().unwrap().ends_with("app.log"), "{lines:?}");
    // It is written before it is answered for, here and there.
    place.wait_until_delivered("out", 2);
    let is_counted = || receiver.ask(&["pipeline", "show", "in", "--json"]).contains("\"delivered\": 2,");
    eventually("it is counted", is_counted);
    for live in [sending, taking] {
        live.interrupt();
        let (code, _, said) = live.end();
        assert_eq!(code, Some(0), "{said:?}");
    }
}

#[test]
fn a_receiver_that_is_killed_again_and_again_misses_no_message() {
    let kills = std::env::var("HOOKRAIL_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    let receiver = Receiver::new("http-killed", RECEIVE);
    let place = sending("http-outlives", receiver.at);
    let sending = place.serve();
    let is_over = AtomicBool::new(false);
    let mut random = Random::of(1);
    let written = thread::scope(|scope| {
        let writing = scope.spawn(|| {
            let mut number = 0;
            while !is_over.load(Ordering::SeqCst) {
                let lines: String = (number..number + 20).map(|number| format!("{number}\n")).collect();
                place.append("app.log", &lines);
                number += 20;
                thread::sleep(Duration::from_millis(2));
            }
            number
        });
        let over = Over(&is_over);
        for _ in 0..kills {
            let before = receiver.place.lines("all.txt").len();
            let taking = receiver.serve(&[]);
            eventually("it takes messages", || receiver.place.lines("all.txt").len() > before + 100);
            thread::sleep(Duration::from_millis(random.below(300) as u64));
            signal(taking.id(), libc::SIGKILL);
            taking.end();
        }
        drop(over);
        writing.join().unwrap()
    });
    let taking = receiver.serve(&[]);
    let last = (written - 1).to_string();
    eventually("the last line is there", || receiver.place.lines("all.txt").contains(&last));
    for live in [sending, taking] {
        live.interrupt();
        assert_eq!(live.end().0, Some(0));
    }
    let twice = complete(&receiver.place.lines("all.txt"), written);
    println!("{written} lines, {kills} kills, {twice} came twice");
}

#[test]
fn a_receiver_that_cannot_keep_up_says_so_and_gets_each_message_once() {
    let config = format!(
        "{}[plugins.sends-and-takes]\nlibrary = {:?}\n",
        RECEIVE
            .replace("patience = \"2m\"", "patience = \"10ms\"")
            .replace("use = \"file-log\"", "use = \"sends-and-takes\"")
            .replace("policy = \"spill\"", "capacity = 8")
            .replace("config = { path = \"DIR/all.txt\" }", "config = { file = \"DIR/all.txt\", takes_us = 20000 }"),
        zoo("sends_and_takes")
    );
    let receiver = Receiver::new("http-slow", &config);
    let place = sending("http-storm", receiver.at);
    place.append("app.log", &(0..100).map(|number| format!("{number}\n")).collect::<String>());
    place.configure(
        &fs::read_to_string(place.path("hookrail.toml")).unwrap().replace("linger", "max_messages = 10, linger"),
    );
    let taking = receiver.serve(&[]);
    let sending = place.serve();
    sending.said.wait_for("429 Too Many Requests");
    receiver.place.wait_for_lines("all.txt", 100);
    for live in [sending, taking] {
        live.interrupt();
        assert_eq!(live.end().0, Some(0));
    }
    assert!(receiver.place.lines("all.txt").iter().enumerate().all(|(number, line)| *line == number.to_string()));
}

#[test]
fn what_was_not_taken_when_the_sender_ends_comes_at_its_next_start() {
    let receiver = Receiver::new("http-away", RECEIVE);
    let place = sending("http-ends", receiver.at);
    place.append("app.log", "one\ntwo\n");
    let sending = Live::start(&mut place.command(&["serve", "--drain", "300ms"]));
    sending.said.wait_for("not delivered, and tried again: ");
    sending.interrupt();
    let (code, _, said) = sending.end();
    assert_eq!(code, Some(0), "{said:?}");
    let taking = receiver.serve(&[]);
    let sending = place.serve();
    receiver.place.wait_for_lines("all.txt", 2);
    for live in [sending, taking] {
        live.interrupt();
        assert_eq!(live.end().0, Some(0));
    }
    assert_eq!(receiver.place.lines("all.txt"), ["one", "two"]);
}

#[test]
fn a_message_as_large_as_can_be_is_passed_on() {
    // One byte of the body is six of JSON.
    let next = Receiver::new("http-large-takes", RECEIVE);
    let config = RECEIVE.split("[pipelines.in.sinks.all]").next().unwrap();
    let sink = format!("[pipelines.in.sinks.http]\nuse = \"http\"\nconfig = {{ url = \"http://{}/\" }}\n", next.at);
    let first = Receiver::new("http-large-sends", &format!("{config}{sink}"));
    let (taking, sending) = (next.serve(&[]), first.serve(&[]));
    let body = "\u{1}".repeat(8 << 20);
    let head = format!("POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
    let answer = super::exchange(first.at, format!("{head}{body}").as_bytes());
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    next.place.wait_for_lines("all.txt", 1);
    for live in [sending, taking] {
        live.interrupt();
        assert_eq!(live.end().0, Some(0));
    }
}

#[test]
fn both_are_replaced_moved_and_unmapped_while_messages_flow() {
    let receiver = Receiver::new("http-replaced", RECEIVE);
    let place = sending("http-replaces", receiver.at);
    let (taking, sending) = (receiver.serve(&[]), place.serve());
    eventually("it runs", || place.ask(&["pipeline", "show", "out"]).contains("out is running"));
    let library = plugin("http");
    let is_over = AtomicBool::new(false);
    let written = thread::scope(|scope| {
        let writing = scope.spawn(|| {
            let mut written = 0;
            while written == 0 || !is_over.load(Ordering::SeqCst) {
                let lines: String = (written..written + 10).map(|number| format!("{number}\n")).collect();
                place.append("app.log", &lines);
                written += 10;
                thread::sleep(Duration::from_millis(10));
            }
            written
        });
        let over = Over(&is_over);
        for verb in ["replace", "isolate", "embed", "restart", "stop", "start"] {
            let (here, there) = (|words: &[&str]| place.ask(words), |words: &[&str]| receiver.ask(words));
            for ask in [&here as &dyn Fn(&[&str]) -> String, &there] {
                let words = ["plugin", verb, "http", library.to_str().unwrap()];
                let done = ask(&words[..if verb == "replace" { 4 } else { 3 }]);
                assert!(!done.contains("error["), "{verb}: {done}");
                if verb == "replace" {
                    assert!(done.contains("unmapped"), "{done}");
                }
            }
        }
        drop(over);
        writing.join().unwrap()
    });
    // Some may come twice, so that their number says nothing.
    let last = (written - 1).to_string();
    eventually("the last line is there", || receiver.place.lines("all.txt").contains(&last));
    let shown = [place.ask(&["plugin", "show", "http"]), receiver.ask(&["plugin", "show", "http"])];
    for shown in shown {
        assert!(shown.contains("unmapped") && !shown.contains("kept"), "{shown}");
    }
    for live in [sending, taking] {
        live.interrupt();
        assert_eq!(live.end().0, Some(0));
    }
    let twice = complete(&receiver.place.lines("all.txt"), written);
    println!("{twice} of {written} came twice");
}

#[test]
fn the_guide_passes_messages_as_it_is_printed() {
    let page = fs::read_to_string(root().join("docs/guide/serving.md")).unwrap();
    let block = |first: &str| {
        page.split("```toml\n").find(|block| block.starts_with(first)).unwrap().split("```").next().unwrap()
    };
    // Whoever posts here may be slow.
    let centre = block("# at the centre").replace("127.0.0.1:8080\"", "AT\", header_timeout = \"2m\"");
    let centre = centre.replace("/var/log/hookrail", "DIR");
    let receiver = Receiver::new("http-guide-centre", &centre);
    let edge = block("# at the edge").replace("127.0.0.1:8080", &receiver.at.to_string());
    let place = Place::new("http-guide-edge", &edge.replace("/var/log/app", "DIR"));
    place.append("old.log", "nobody asked for what was there before\n");
    let (taking, sending) = (receiver.serve(&[]), place.serve());
    // A file that is there at the first look is followed from its end, as the guide says.
    let looked = "hookrail_plugins_tail_followed_files{plugin=\"tail\"} 1\n";
    eventually("it has had its first look", || place.ask(&["metrics"]).contains(looked));
    place.append("new.log", "one\ntwo\n");
    receiver.place.wait_for_lines("log.new.log", 2);
    assert_eq!(receiver.place.lines("log.new.log"), ["one", "two"]);
    let curl = "POST /?topic=a.b HTTP/1.1\r\nhost: a\r\ncontent-type: application/x-www-form-urlencoded\r\n\
                connection: close\r\ncontent-length: 5\r\n\r\nhello";
    assert!(super::exchange(receiver.at, curl.as_bytes()).contains("{\"accepted\":1}"));
    receiver.place.wait_for_lines("a.b.log", 1);
    assert!(!receiver.place.path("log.old.log").exists());
    for live in [sending, taking] {
        live.interrupt();
        assert_eq!(live.end().0, Some(0));
    }
}
