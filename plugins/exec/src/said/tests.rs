//! What is read, and what is refused with which reason.

use super::*;

fn refused(line: impl AsRef<[u8]>) -> String {
    Said::read(line.as_ref()).unwrap_err()
}

#[test]
fn malformed_lines_are_refused_with_the_reason() {
    let deep = format!(r#"{{"type":"config","config":{}1{}}}"#, r#"{"a":"#.repeat(200), "}".repeat(200));
    let long = format!(r#"{{"type":"publish","id":"{}","message":{{"body":""}}}}"#, "a".repeat(300));
    for (line, said) in [
        ("", "no JSON object"),
        ("ready", "no JSON object"),
        ("[\"ready\"]", "no JSON object"),
        ("{", "EOF while parsing"),
        ("{}", "missing field `type`"),
        (r#"{"type":7}"#, "invalid type: integer `7`"),
        (r#"{"type":"ready"} {"type":"ready"}"#, "trailing characters"),
        (r#"{"type":"ready","answers":"ping"}"#, "expected a sequence"),
        (r#"{"type":"ready","acks":"yes"}"#, "expected a boolean"),
        (r#"{"type":"publish"}"#, "missing field `message`"),
        (r#"{"type":"publish","message":{}}"#, "missing field `body`"),
        (r#"{"type":"publish","message":"hi"}"#, "a message as an object"),
        (r#"{"type":"publish","message":{"body":"a","level":"info"}}"#, "unknown field `level`"),
        (r#"{"type":"publish","message":{"body":"a","timestamp":"now"}}"#, "no RFC 3339 time"),
        (r#"{"type":"publish","message":{"body":"a","body_base64":"YQ=="}}"#, "exclude each other"),
        (r#"{"type":"publish","message":{"body":"\ud800"}}"#, "hex escape"),
        (&long, "its `id` is longer than 256 bytes"),
        (r#"{"type":"subscribe"}"#, "missing field `topics`"),
        (r#"{"type":"subscribe","topics":[]}"#, "`topics` is empty"),
        (r#"{"type":"subscribe","topics":["a..b"]}"#, "an empty token"),
        (r#"{"type":"subscribe","topics":[">.a"]}"#, "`>` stands at the end"),
        (r#"{"type":"subscribe","topics":["a*"]}"#, "stands for a whole token"),
        (r#"{"type":"subscribe","topics":["a"],"headers":{"k":1}}"#, "expected a string"),
        (r#"{"type":"ack"}"#, "missing field `id`"),
        (r#"{"type":"ack","id":-1}"#, "expected u64"),
        (r#"{"type":"ack","id":18446744073709551616}"#, "expected u64"),
        (r#"{"type":"pong","state":"fine"}"#, "expected one of `error`, `init`, `running`"),
        (r#"{"type":"refused","what":"ping"}"#, "expected one of `halt`, `reload`, `resume`"),
        (r#"{"type":"log","level":"loud","text":""}"#, "unknown variant `loud`"),
        (r#"{"type":"config","config":[]}"#, "expected a map"),
        (&deep, "recursion limit"),
    ] {
        let error = refused(line);
        assert!(error.contains(said), "{line}: {error}");
    }
    assert_eq!(refused(b"{\"type\":\"ready\xff\"}"), "it is not UTF-8");
}

#[test]
fn what_a_later_version_adds_is_passed_over() {
    assert!(matches!(Said::read(br#"{"type":"metric","value":1}"#), Ok(Said::Unknown(what)) if what == "metric"));
    assert!(matches!(Said::read(br#"{"type":"ack","id":3,"since":"1.7"}"#), Ok(Said::Ack(3))));
    let ready = Said::read(br#" {"type":"ready","color":"red","answers":["ping","dance"]} "#).unwrap();
    assert!(matches!(ready, Said::Ready(ready) if ready.answers("ping") && !ready.acks && ready.protocol.is_none()));
}

#[test]
fn a_published_message_keeps_what_it_has_and_gets_what_is_missing() {
    let line = br#"{"type":"publish","id":[1],"message":{"topic":"a.b","headers":[["k","v"]],"flags":7,"body":"hi"}}"#;
    let Ok(Said::Publish { message, reference }) = Said::read(line) else { panic!("it is a message") };
    assert_eq!((message.topic.as_str(), message.header("k"), message.flags), ("a.b", Some("v"), 0));
    assert!(message.timestamp > 0 && reference == Some(serde_json::json!([1])));
}

#[test]
fn an_answer_to_a_ping_says_how_it_is() {
    let pong = |line: &str| match Said::read(line.as_bytes()) {
        Ok(Said::Pong(pong)) => pong,
        other => panic!("{other:?}"),
    };
    assert_eq!(pong(r#"{"type":"pong"}"#), Pong::Running);
    assert_eq!(pong(r#"{"type":"pong","state":"init"}"#), Pong::Init);
    assert_eq!(pong(r#"{"type":"pong","state":"error","reason":"ill"}"#), Pong::Error("ill".into()));
}

/// Good lines with some bytes changed, and cut off or not: what is made of them is said, and nothing panics.
#[test]
fn any_line_is_read_or_refused() {
    const GOOD: [&[u8]; 5] = [
        br#"{"type":"publish","id":[1,"a"],"message":{"topic":"a.b","headers":[["k","v"]],"body":"hi"}}"#,
        br#"{"type":"publish","message":{"timestamp":"2026-01-31T12:00:00Z","body_base64":"/wA="}}"#,
        br#"{"type":"subscribe","topics":["a.*","b.>"],"headers":{"k":"v"}}"#,
        br#"{"type":"ready","protocol":1,"acks":true,"answers":["ping","halt"]}"#,
        br#"{"type":"refused","what":"reload","reason":"no"}"#,
    ];
    let mut seed = 1_u64;
    let mut random = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    };
    let mut read = 0;
    for _ in 0..50_000 {
        let mut line = GOOD[random(GOOD.len())].to_vec();
        for _ in 0..random(4) {
            let at = random(line.len());
            line[at] = random(256) as u8;
        }
        line.truncate(line.len() - if random(4) == 0 { random(line.len()) } else { 0 });
        match Said::read(&line) {
            Ok(_) => read += 1,
            Err(why) => assert!(!why.is_empty()),
        }
    }
    assert!((5_000..45_000).contains(&read), "{read} of them were read");
}
