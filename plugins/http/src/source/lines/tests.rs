//! What becomes of bodies.

use super::*;

const GIVEN: Given<'_> = Given { topic: "given", source: "192.0.2.1", most: 4 };

fn messages(shape: Shape, body: &str) -> Result<Vec<Message>, String> {
    shape.messages(body.into(), GIVEN).map_err(|refusal| refusal.why)
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
    let why = Shape::Lines.messages(b"{}\n{\"a\":\"\xff\"}".into(), GIVEN).unwrap_err().why;
    assert_eq!(why, "line 2: it is not UTF-8");
}
