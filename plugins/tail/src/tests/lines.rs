//! Which bytes are a message.

use super::scene::{Scene, bodies};

#[test]
fn a_line_that_is_written_in_parts_is_one_message() {
    let scene = Scene::new();
    scene.write("a.log", "o");
    let parts = ["n", "e", "\r", "\ntwo\nth"];
    let steps = parts.map(|part| move |scene: &Scene| scene.append("a.log", part));
    let steps: Vec<_> = steps.iter().map(|step| || step(&scene)).collect();
    let steps: Vec<_> = steps.iter().map(|step| (0, step as &dyn Fn())).collect();
    assert_eq!(bodies(&scene.steps("", &steps, 2)), ["one", "two"]);
}

#[test]
fn files_of_one_byte_are_read() {
    let scene = Scene::new();
    scene.write("a.log", "\n");
    scene.write("b.log", "b");
    scene.write("c.log", "");
    let mut sent = bodies(&scene.run(r#""idle_flush": "20ms""#, 2));
    sent.sort();
    assert_eq!(sent, ["", "b"]);
    let append = || ["a.log", "b.log", "c.log"].iter().for_each(|name| scene.append(name, "x\n"));
    assert_eq!(bodies(&scene.steps("", &[(0, &append)], 3)), ["x", "x", "x"]);
}

#[test]
fn a_last_line_without_a_newline_is_sent_when_none_has_come_for_a_while() {
    let scene = Scene::new();
    let config = r#""idle_flush": "30ms""#;
    scene.write("a.log", "one\ntwo");
    let finish = || scene.append("a.log", "\nthree\n");
    let sent = scene.steps(config, &[(2, &finish)], 3);
    assert_eq!(bodies(&sent), ["one", "two", "three"], "the newline that comes after all is no line");
    scene.append("a.log", "four");
    assert_eq!(bodies(&scene.run(config, 1)), ["four"]);
    scene.append("a.log", "\r\nfive\n");
    assert_eq!(bodies(&scene.run(config, 1)), ["five"], "not after a restart either");
}

#[test]
fn a_last_line_without_a_newline_waits_if_it_is_to() {
    let scene = Scene::new();
    scene.write("a.log", "one\ntwo");
    assert_eq!(bodies(&scene.run("", 1)), ["one"]);
}

#[test]
fn a_long_line_is_cut_and_the_rest_of_it_is_no_message() {
    let scene = Scene::new();
    let (long, longest) = ("x".repeat(25), "y".repeat(3_000_000));
    scene.write("a.log", &format!("0123456789\n{long}\r\nshort\n{longest}\r\nlast\n{}", &longest[..600_000]));
    let config = r#""max_line": 10"#;
    let more = || scene.append("a.log", &format!("{longest}\nafter\n"));
    let sent = scene.steps(config, &[(5, &more)], 7);
    let told = |message: &hookrail_abi::Message| {
        (message.body.to_display().into_owned(), message.header("truncated").map(String::from))
    };
    let expected = [
        ("0123456789", None),
        ("xxxxxxxxxx", Some("15")),
        ("short", None),
        ("yyyyyyyyyy", Some("2999990")),
        ("last", None),
        ("yyyyyyyyyy", Some("3599990")),
        ("after", None),
    ];
    let expected = expected.map(|(body, cut)| (body.to_owned(), cut.map(String::from)));
    assert!(sent.messages.iter().map(told).eq(expected), "{:?}", sent.messages);
    assert_eq!(scene.run(config, 0).messages, []);
}

#[test]
fn a_long_last_line_without_a_newline_is_sent_too() {
    let scene = Scene::new();
    scene.write("a.log", &"x".repeat(1_000_000));
    let sent = scene.run(r#""max_line": 10, "idle_flush": "30ms""#, 1);
    assert_eq!(sent.messages[0].header("truncated"), Some("999990"));
}

#[test]
fn a_file_that_is_truncated_within_a_long_line_is_read_from_its_beginning() {
    let scene = Scene::new();
    scene.write("a.log", &"x".repeat(1_000_000));
    let truncate = || scene.write("a.log", "one\n");
    assert_eq!(bodies(&scene.steps(r#""max_line": 10"#, &[(0, &truncate)], 1)), ["one"]);
}

const MULTILINE: &str = r#""multiline": {"start": "^[0-9]", "idle": "30ms", "max_lines": 3}"#;
const PATIENT: &str = r#""multiline": {"start": "^[0-9]", "idle": "1h"}"#;

#[test]
fn lines_that_belong_together_are_one_message() {
    let scene = Scene::new();
    scene.write("a.log", "1 a\n b\n");
    let more = || scene.append("a.log", " c\n d\n2\n3 a\n b");
    let finish = || scene.append("a.log", "b\n");
    let sent = scene.steps(PATIENT, &[(0, &more), (2, &finish)], 2);
    assert_eq!(bodies(&sent), ["1 a\n b\n c\n d", "2"]);
    let last = scene.run(MULTILINE, 1);
    assert_eq!(bodies(&last), ["3 a\n bb"], "after a restart it is whole: the mark is where it begins");
}

#[test]
fn the_last_entry_is_sent_when_no_line_has_come_for_a_while() {
    let scene = Scene::new();
    scene.write("a.log", "1 a\n b\n c\n d\n");
    let half = || scene.append("a.log", "2 a\n b");
    let whole = || scene.append("a.log", "b\n");
    let sent = scene.steps(MULTILINE, &[(2, &half), (2, &whole)], 3);
    assert_eq!(bodies(&sent), ["1 a\n b\n c", " d", "2 a\n bb"]);
    assert_eq!(scene.run(MULTILINE, 0).messages, []);
}

#[test]
fn entries_of_two_files_do_not_mix_when_they_rotate() {
    let scene = Scene::new();
    scene.write("a.log", "1 a\n b\n");
    let rotate = || {
        scene.rename("a.log", "a.log.1");
        scene.write("a.log", " c\n2\n");
    };
    let sent = scene.steps(&format!(r#"{PATIENT}, "forget_after": "20ms""#), &[(0, &rotate)], 2);
    let mut sent = bodies(&sent);
    sent.sort();
    assert_eq!(sent, [" c", "1 a\n b"]);
}
