//! What becomes of bodies.

use super::super::budget::Budget;
use super::*;

const GIVEN: Given<'_> = Given { topic: "given", source: "192.0.2.1", now: 1, most: 4, most_body: 1000 };

/// With so many bytes of memory.
fn taken(shape: Shape, body: &[u8], given: Given<'_>, memory: usize) -> Result<Vec<Message>, Refusal> {
    let mut held = Budget::new(1, memory, 1).hold();
    held.grow(body.len())?;
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut filled = runtime.block_on(shape.messages(body.into(), given, &mut held, &Spares::default()))?;
    Ok(filled.messages().to_vec())
}

fn messages(shape: Shape, body: &str) -> Result<Vec<Message>, String> {
    taken(shape, body.as_bytes(), GIVEN, 1 << 20).map_err(|refusal| refusal.why)
}

fn bodies(shape: Shape, body: &str) -> Vec<String> {
    messages(shape, body).unwrap().iter().map(|message| message.body.to_display().into_owned()).collect()
}

#[test]
fn a_message_keeps_what_it_has_and_is_given_what_it_has_not() {
    let mut sent = Message::new("a.b", "hi\n\"you\"");
    sent.source.set("app");
    sent.add_header("k", "v");
    let line = serde_json::to_string(&sent).unwrap();
    let read = messages(Shape::Lines, &format!("{line}\r\n\n{{\"body\":\"x\",\"flags\":7}}\n")).unwrap();
    assert_eq!(read[0], sent);
    assert_eq!((read[1].topic.as_str(), read[1].source.as_str(), read[1].flags), ("given", "192.0.2.1", 0));
    assert_eq!(read.len(), 2);
    assert_eq!(&**messages(Shape::Lines, r#"{"body_base64":"/w=="}"#).unwrap()[0].body, b"\xff");
}

#[test]
fn any_other_object_is_the_body_as_it_is() {
    for object in [r#"{"level": "info", "body": "x"}"#, "{}", r#"{"topic":"a"}"#, r#"{"n":1e999,"a":[{}]}"#] {
        assert_eq!(bodies(Shape::Lines, object), [object]);
        assert_eq!(messages(Shape::Lines, object).unwrap()[0].topic, *"given");
    }
    assert_eq!(
        bodies(Shape::Objects, "{\n \"a\": 1\n}\n{\"b\":2}{\"body\":\"c\"}"),
        ["{\n \"a\": 1\n}", "{\"b\":2}", "c"]
    );
    assert_eq!(bodies(Shape::Body, "{\"body\":1}\n"), ["{\"body\":1}\n"]);
    assert!(bodies(Shape::Lines, " \n\n").is_empty() && bodies(Shape::Objects, " \n").is_empty());
}

#[test]
fn a_line_that_is_wrong_is_named_and_nothing_is_taken() {
    let deep = "[".repeat(100_000);
    for (shape, body, said) in [
        (Shape::Lines, "{\"a\":1}\n\n[]", "line 3: invalid type: sequence, expected a JSON object"),
        (Shape::Lines, "{\"a\":1}\n7", "line 2: invalid type: integer `7`, expected a JSON object"),
        (Shape::Lines, "{\"a\":", "line 1: EOF while parsing a value, at column 5"),
        (Shape::Lines, "{\"a\":1} {\"b\":2}", "line 1: trailing characters, at column 9"),
        (Shape::Lines, "{\"body\":\"a\",\"body_base64\":\"\"}", "line 1: `body` and `body_base64` exclude each other"),
        (Shape::Lines, "{\"body\":\"a\",\"timestamp\":\"now\"}", "line 1: `timestamp` is no RFC 3339 time"),
        (Shape::Lines, "{\"body\":7}", "line 1: invalid type: integer `7`"),
        (Shape::Lines, "{\"body\":\"\",\"topic\":\"a\\u001b\"}", "line 1: its topic has control characters"),
        (Shape::Lines, "{\"a\":\"\u{1}\"}", "line 1: control character"),
        (Shape::Lines, &format!("{{\"a\":{deep}"), "line 1: EOF while parsing a list"),
        (Shape::Lines, "{}\n{}\n{}\n{}\n{}", "more than 4 messages"),
        (Shape::Objects, "{\"a\":1}\n\n 7", "line 3: invalid type: integer"),
        (Shape::Objects, "{\"a\":1}\n\n{]", "line 3: key must be a string"),
        (Shape::Objects, "[{}]", "line 1: invalid type: sequence"),
    ] {
        let why = messages(shape, body).unwrap_err();
        assert!(why.starts_with(said), "{body}: {why}");
    }
    let why = taken(Shape::Lines, b"{}\n{\"a\":\"\xff\"}", GIVEN, 1 << 20).unwrap_err().why;
    assert_eq!(why, "line 2: it is not UTF-8");
}

#[test]
fn a_message_has_bounds_of_its_own() {
    let headers = |count: usize, value: &str| {
        let headers = vec![format!("[\"\",\"{value}\"]"); count].join(",");
        format!("{{}}\n{{\"body\":\"\",\"headers\":[{headers}]}}")
    };
    let long = "x".repeat(65);
    assert_eq!(messages(Shape::Lines, &headers(MOST_HEADERS, "")).unwrap()[1].headers.len(), MOST_HEADERS);
    for (body, status, said) in [
        (headers(MOST_HEADERS + 1, ""), StatusCode::BAD_REQUEST, "line 2: it has more than 1024 headers"),
        (headers(MOST_HEADERS, &long), StatusCode::PAYLOAD_TOO_LARGE, "line 2: its headers and its source have more"),
        (format!("{{\"body\":\"{}\"}}", "x".repeat(1001)), StatusCode::PAYLOAD_TOO_LARGE, "line 1: its body has more"),
        (format!("{{\"a\":\"{}\"}}", "x".repeat(1000)), StatusCode::PAYLOAD_TOO_LARGE, "line 1: its body has more"),
    ] {
        let refusal = taken(Shape::Lines, body.as_bytes(), GIVEN, 1 << 20).unwrap_err();
        assert_eq!(refusal.status, status, "{}", refusal.why);
        assert!(refusal.why.starts_with(said), "{}", refusal.why);
    }
    // No message: its headers are text.
    let other = headers(2000, "").replace("body", "b");
    assert!(messages(Shape::Lines, &other).unwrap_err().contains("its body has more"));
}

#[test]
fn what_small_messages_need_is_held() {
    let topic = "t".repeat(1024);
    let given = Given { topic: &topic, most: 10_000, ..GIVEN };
    let body = "{}\n".repeat(10_000);
    // Ten thousand topics of 1 KiB.
    let refusal = taken(Shape::Lines, body.as_bytes(), given, 10 << 20).unwrap_err();
    assert_eq!(refusal.status, StatusCode::PAYLOAD_TOO_LARGE, "{}", refusal.why);
    assert_eq!(taken(Shape::Lines, body.as_bytes(), given, 16 << 20).unwrap().len(), 10_000);
}

#[test]
fn what_is_taken_can_be_passed_on_with_the_same_bounds() {
    let most = 100_000;
    let given = Given { most_body: most, ..GIVEN };
    for byte in [b'x', b'"', 1, 0xff] {
        let mut message = taken(Shape::Body, &vec![byte; most], given, 1 << 30).unwrap().remove(0);
        message.topic.set(&"\\".repeat(1024));
        message.source.set(&"\u{1}".repeat(MOST_AROUND - 1024 - 2 * 1000));
        (0..1000).for_each(|_| message.add_header("k", "\u{1}"));
        let line = serde_json::to_vec(&message).unwrap();
        assert!(line.len() <= Shape::Lines.most(most), "{} bytes", line.len());
        message.topic.set("t");
        let line = serde_json::to_vec(&message).unwrap();
        assert_eq!(taken(Shape::Lines, &line, given, 1 << 30).unwrap(), [message]);
    }
}

#[test]
fn a_type_that_cannot_be_read_is_refused() {
    let of = |value: &[u8]| {
        let value = hyper::header::HeaderValue::from_bytes(value).unwrap();
        Shape::of(&HeaderMap::from_iter([(CONTENT_TYPE, value)])).map_err(|refusal| refusal.status)
    };
    assert_eq!(of(b"Application/JSON; charset=\"UTF-8\""), Ok(Shape::Objects));
    assert_eq!(of(b"application/json\xff"), Err(StatusCode::UNSUPPORTED_MEDIA_TYPE));
}
