//! What the sink sends, and what it makes of answers.

use std::collections::HashSet;
use std::io::Read;
use std::net::SocketAddr;

use flate2::read::GzDecoder;
use hookrail_abi::Message;
use hookrail_abi::testing::{self, Answered};

use super::receiver::{Request, answer, receiving};
use crate::Http;

fn numbered(count: usize) -> Vec<Message> {
    (0..count).map(|number| Message::new("log.app", number.to_string())).collect()
}

/// Runs a sink, which answers for all of them.
fn send(at: SocketAddr, more: &str, messages: &[Message]) -> Answered {
    let plugin = testing::start::<Http>("{}").unwrap();
    let config = format!(
        r#"{{"url": "http://{at}/in", "timeout": "10m", "retry_from": "10ms", "retry_to": "20ms", "finish": "1h", {more}}}"#
    );
    let answered = plugin.sink("http", &config).unwrap().run(messages).unwrap();
    assert_eq!(answered.unanswered, 0, "{answered:?}");
    assert_eq!(answered.delivered + answered.rejected.len(), messages.len(), "{answered:?}");
    answered
}

/// The messages of these requests.
fn messages(requests: &[Request]) -> Vec<Message> {
    let lines = requests.iter().flat_map(Request::lines);
    lines.map(|line| serde_json::from_str(&line).unwrap()).collect()
}

#[test]
fn messages_are_lines_of_batches_and_nothing_of_them_is_lost() {
    let mut sent = numbered(1000);
    sent[0].add_header("key", "a\nb");
    sent[1].body = (&b"\xff\n"[..]).into();
    let (received, answered) = receiving(
        |_, _| answer(202, ""),
        |at| send(at, r#""max_messages": 300, "linger": "1h", "headers": {"X-Tenant": "blue"}"#, &sent),
    );
    assert_eq!(answered.delivered, 1000);
    assert_eq!(messages(&received), sent);
    assert_eq!(received.iter().map(|request| request.lines().len()).collect::<Vec<_>>(), [300, 300, 300, 100]);
    for request in &received {
        assert!(request.head.starts_with("post /in http/1.1\r\n"), "{}", request.head);
        assert_eq!((request.header("content-type"), request.header("x-tenant")), ("application/x-ndjson", "blue"));
    }
}

#[test]
fn batches_are_full_by_their_encoded_size() {
    let sent: Vec<_> = (0..50).map(|_| Message::new("a", vec![b'\n'; 500])).collect();
    let (received, _) = receiving(|_, _| answer(200, ""), |at| send(at, r#""max_bytes": 5000, "linger": "1h""#, &sent));
    // Each newline is two bytes in JSON.
    assert!(received.iter().all(|request| (2000..5000).contains(&request.body.len())));
    assert_eq!(messages(&received), sent);
}

#[test]
fn bodies_alone_and_compressed_are_sent_if_that_is_wanted() {
    let sent = ["one", "two\nlines", "three"].map(|body| Message::new("a", body));
    let more = r#""form": "body", "gzip": true, "content_type": "text/plain", "linger": "1h""#;
    let (received, answered) = receiving(|_, _| answer(200, ""), |at| send(at, more, &sent));
    assert!(answered.rejected[0].starts_with("its body has newlines"), "{answered:?}");
    let mut text = String::new();
    for request in &received {
        assert_eq!((request.header("content-encoding"), request.header("content-type")), ("gzip", "text/plain"));
        GzDecoder::new(&*request.body).read_to_string(&mut text).unwrap();
    }
    assert_eq!(text, "one\nthree\n");
    let more = r#""form": "body", "max_messages": 1"#;
    let (received, _) = receiving(|_, _| answer(200, ""), |at| send(at, more, &sent));
    assert_eq!(
        received.iter().map(|request| &*request.body).collect::<Vec<_>>(),
        [&b"one"[..], b"two\nlines", b"three"]
    );
}

#[test]
fn a_storm_of_refusals_is_weathered_and_a_batch_keeps_its_id() {
    let sent = numbered(20);
    let past = "retry-after: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
    let (received, answered) = receiving(
        |number, _| match number % 10 {
            0..=2 => answer(429, "retry-after: 0\r\n"),
            3 => answer(503, past),
            4 => answer(500, ""),
            5 => answer(404, ""),
            // The connection ends without an answer.
            6 | 7 => answer(0, ""),
            8 => "HTTP/1.1 2x0\r\n\r\n".into(),
            _ => answer(200, ""),
        },
        |at| send(at, r#""max_messages": 10, "linger": "1h""#, &sent),
    );
    assert_eq!(answered.delivered, 20);
    let ids: Vec<_> = received.iter().map(|request| request.header("hookrail-batch")).collect();
    assert!(ids.len() >= 20 && ids.iter().collect::<HashSet<_>>().len() == 2, "{ids:?}");
    let bodies: HashSet<_> = received.iter().map(|request| &request.body).collect();
    assert_eq!(bodies.len(), 2, "what is sent again is the same");
}

#[test]
fn the_pause_that_a_receiver_wants_is_kept() {
    let began = std::time::Instant::now();
    let first = |number| if number == 0 { answer(429, "retry-after: 1\r\n") } else { answer(200, "") };
    receiving(|number, _| first(number), |at| send(at, "\"gzip\": false", &numbered(1)));
    // Its own pauses are 20 ms at most.
    assert!(began.elapsed() >= std::time::Duration::from_secs(1));
}

#[test]
fn a_message_that_is_refused_is_found_and_dead_and_the_others_are_delivered() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("dead.jsonl");
    let sent = numbered(100);
    let is_bad =
        |line: &str| ["\"13\"", "\"14\"", "\"77\""].iter().any(|bad| line.contains(&format!("\"body\":{bad}")));
    for status in [400, 413, 422] {
        let _ = std::fs::remove_file(&file);
        let (received, answered) = receiving(
            |_, request| answer(if request.lines().iter().any(|line| is_bad(line)) { status } else { 200 }, ""),
            |at| send(at, &format!(r#""linger": "1h", "dead_letters": {file:?}"#), &sent),
        );
        assert_eq!((answered.delivered, answered.rejected.len()), (97, 3), "{answered:?}");
        assert!(answered.rejected[0].contains(&status.to_string()), "{answered:?}");
        // Each one is found by halving, not one by one.
        assert!(received.len() < 60, "{} requests", received.len());
        let dead = std::fs::read_to_string(&file).unwrap();
        let dead: Vec<serde_json::Value> = dead.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let bodies: Vec<_> = dead.iter().map(|letter| letter["message"]["body"].as_str().unwrap()).collect();
        assert_eq!(bodies, ["13", "14", "77"]);
        assert!(dead[0]["reason"].as_str().unwrap().contains(&status.to_string()));
    }
}

#[test]
fn a_receiver_that_takes_less_at_once_gets_less() {
    let sent = numbered(500);
    let (received, answered) = receiving(
        |_, request| answer(if request.lines().len() > 30 { 413 } else { 200 }, ""),
        |at| send(at, "\"linger\": \"1h\"", &sent),
    );
    assert_eq!(answered.delivered, 500);
    let taken: Vec<_> = received.into_iter().filter(|request| request.lines().len() <= 30).collect();
    assert_eq!(messages(&taken), sent);
}

#[test]
fn dead_letters_that_can_have_no_file_are_refused_before_it_runs() {
    let plugin = testing::start::<Http>("{}").unwrap();
    let error = plugin.sink("http", r#"{"url": "http://a/", "dead_letters": "/dev"}"#).unwrap_err().to_string();
    assert!(error.contains("`dead_letters`: /dev: it is no file"), "{error}");
}

#[test]
fn what_is_not_taken_in_time_when_it_ends_stays_with_the_host() {
    let plugin = testing::start::<Http>("{}").unwrap();
    let ended_within = |finish: &str| {
        receiving(
            |number, _| answer(if number == 0 { 200 } else { 503 }, ""),
            |at| {
                let config = format!(
                    r#"{{"url": "http://{at}/", "max_messages": 4, "linger": "1h", "retry_from": "10ms", "finish": "{finish}"}}"#
                );
                plugin.sink("http", &config).unwrap().run(&numbered(8)).unwrap()
            },
        )
    };
    // On a busy machine the time may be over before the first batch was taken.
    let mut ended = ["100ms", "1m"].into_iter().map(ended_within);
    let (received, answered) = ended.find(|(_, answered)| answered.delivered > 0).expect("one was taken in time");
    assert_eq!((answered.delivered, answered.rejected.len(), answered.unanswered), (4, 0, 4), "{answered:?}");
    assert!(received.len() > 1);
}
