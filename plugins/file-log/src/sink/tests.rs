//! The sink, driven as a host drives it.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;
use std::time::Duration;

use hookrail_abi::prelude::*;
use hookrail_abi::testing::{self, Answered, Running};
use tempfile::TempDir;

use super::files::MOST_OPEN;
use crate::FileLog;

fn start() -> (TempDir, Running<FileLog>) {
    let directory = tempfile::tempdir().unwrap();
    (directory, testing::start(r#"{ "path": "callback.log" }"#).unwrap())
}

fn config(path: &Path, more: &str) -> String {
    format!(r#"{{ "path": {path:?} {more} }}"#)
}

/// Runs the sink, which delivers everything.
fn deliver(plugin: &Running<FileLog>, path: &Path, more: &str, messages: &[Message]) {
    let answered = plugin.sink("file", &config(path, more)).unwrap().run(messages).unwrap();
    assert_eq!(answered, delivered(messages.len()));
}

fn delivered(count: usize) -> Answered {
    let mut answered = Answered::default();
    answered.delivered = count;
    answered
}

fn numbered(count: usize) -> Vec<Message> {
    (0..count).map(|number| Message::new("log.app", number.to_string())).collect()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

fn names(directory: &TempDir) -> Vec<String> {
    let names = fs::read_dir(directory.path()).unwrap();
    let mut names: Vec<_> = names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn every_message_is_a_line_in_its_order() {
    let (directory, plugin) = start();
    let path = directory.path().join("a.log");
    let messages = numbered(2_000);
    deliver(&plugin, &path, "", &messages);
    assert!(read(&path).lines().eq(messages.iter().map(|message| message.body.to_display())));
}

#[test]
fn text_is_the_body_as_it_is() {
    let (directory, plugin) = start();
    let path = directory.path().join("a.log");
    deliver(&plugin, &path, "", &["a\tb", "", "two\nlines"].map(|body| Message::new("a", body)));
    deliver(&plugin, &path, "", &[Message::new("a", &b"\xff\0"[..])]);
    assert_eq!(fs::read(&path).unwrap(), b"a\tb\n\ntwo\nlines\n\xff\0\n");
}

#[test]
fn json_is_the_whole_message_on_one_line() {
    let (directory, plugin) = start();
    let path = directory.path().join("a.log");
    let mut messages = [&b"two\nlines"[..], b"\xff"].map(|body| Message::new("a/b", body));
    messages[0].add_header("key", "value");
    deliver(&plugin, &path, r#", "format": "json""#, &messages);
    let read = read(&path);
    assert!(read.lines().map(|line| serde_json::from_str::<Message>(line).unwrap()).eq(messages));
}

#[test]
fn a_sink_that_is_started_again_loses_nothing_and_writes_nothing_twice() {
    let (directory, plugin) = start();
    let path = directory.path().join("a.log");
    let messages = numbered(1_300);
    for part in messages.chunks(600) {
        deliver(&plugin, &path, "", part);
    }
    drop(plugin);
    let (_directory, plugin) = start();
    deliver(&plugin, &path, "", &[Message::new("a", "last")]);
    let bodies = messages.iter().map(|message| message.body.to_display().to_string()).chain(["last".into()]);
    assert!(read(&path).lines().eq(bodies));
}

#[test]
fn a_sink_that_receives_nothing_makes_no_file() {
    let (directory, plugin) = start();
    deliver(&plugin, &directory.path().join("a.log"), "", &[]);
    assert!(names(&directory).is_empty());
}

#[test]
fn topics_and_days_have_files_of_their_own() {
    let (directory, plugin) = start();
    let messages = [("log.a", 0), ("log.b", 0), ("log.a", 1)].map(|(topic, day)| {
        let mut message = Message::new(topic, format!("{topic} {day}"));
        message.timestamp = (day + 1) * 86_400_000_000_000 - 1;
        message
    });
    deliver(&plugin, &directory.path().join("{topic}-{date}"), "", &messages);
    assert_eq!(names(&directory), ["log.a-1970-01-01", "log.a-1970-01-02", "log.b-1970-01-01"]);
    assert_eq!(read(&directory.path().join("log.a-1970-01-02")), "log.a 1\n");
}

#[test]
fn no_topic_leaves_the_directory_or_reaches_another_one() {
    let (directory, plugin) = start();
    let inner = directory.path().join("inner");
    fs::create_dir(&inner).unwrap();
    let long = "../".repeat(10_000);
    let topics = ["../../etc/passwd", "..", ".", "", "/etc/passwd", "a/b", "a\0b", "\n", "sub/", &long];
    let messages = topics.map(|topic| Message::new(topic, "x"));
    deliver(&plugin, &inner.join("{topic}"), "", &messages);
    assert_eq!(names(&directory), ["inner"]);
    let entries: Vec<_> = fs::read_dir(&inner).unwrap().map(|entry| entry.unwrap()).collect();
    assert_eq!(entries.len(), topics.len());
    assert!(entries.iter().all(|entry| entry.file_type().unwrap().is_file() && entry.file_name().len() <= 128));
}

#[test]
fn more_files_than_may_be_open_are_written_all_the_same() {
    let (directory, plugin) = start();
    let count = 3 * MOST_OPEN;
    let messages: Vec<_> = (0..4 * count).map(|turn| Message::new(&(turn % count).to_string(), "x")).collect();
    for sync in ["never", "batch"] {
        deliver(&plugin, &directory.path().join("{topic}"), &format!(r#", "sync": "{sync}""#), &messages);
    }
    assert_eq!(names(&directory).len(), count);
    assert!(names(&directory).iter().all(|name| read(&directory.path().join(name)) == "x\n".repeat(8)));
}

#[test]
fn a_full_disk_has_the_messages_come_again_and_each_stands_there_once() {
    let (directory, plugin) = start();
    let path = directory.path().join("b");
    symlink("/dev/full", &path).unwrap();
    let messages: Vec<_> =
        (0..1_500).map(|number| Message::new(["a", "b", "c"][number % 3], number.to_string())).collect();
    let answered = std::thread::scope(|scope| {
        scope.spawn(|| {
            // What comes after the first one that failed is taken back.
            while fs::read(directory.path().join("a")).unwrap_or_default() != b"0\n" {
                std::thread::sleep(Duration::from_millis(1));
            }
            fs::remove_file(&path).unwrap();
        });
        plugin.sink("file", &config(&directory.path().join("{topic}"), "")).unwrap().run(&messages).unwrap()
    });
    assert_eq!((answered.delivered, answered.unanswered, answered.rejected.len()), (1_500, 0, 0));
    assert!(answered.retried[0].contains("/b: No space left on device"), "{}", answered.retried[0]);
    for (at, name) in ["a", "b", "c"].into_iter().enumerate() {
        let expected = (at..1_500).step_by(3).map(|number| number.to_string());
        assert!(read(&directory.path().join(name)).lines().eq(expected), "{name}");
    }
}

#[test]
fn a_half_line_that_a_crash_has_left_is_ended() {
    let (directory, plugin) = start();
    let path = directory.path().join("a.log");
    fs::write(&path, "whole\nhal").unwrap();
    deliver(&plugin, &path, "", &[Message::new("a", "half and more")]);
    assert_eq!(read(&path), "whole\nhal\nhalf and more\n");
}

#[test]
fn a_new_file_has_its_mode() {
    let (directory, plugin) = start();
    for (more, most) in [("", 0o640), (r#", "mode": "0600""#, 0o600), (r#", "mode": "660""#, 0o660)] {
        let path = directory.path().join(format!("{most:o}"));
        deliver(&plugin, &path, more, &[Message::new("a", "x")]);
        let mode = fs::metadata(&path).unwrap().mode() & 0o777;
        assert_eq!((mode & !most, mode & 0o600), (0, 0o600), "{mode:o}");
    }
}

#[test]
fn a_relative_path_lies_in_the_state_directory() {
    let (_directory, plugin) = start();
    deliver(&plugin, Path::new("{topic}.log"), "", &[Message::new("here", "x")]);
    assert_eq!(read(&plugin.dir(Dir::State).join("here.log")), "x\n");
}

#[test]
fn several_sinks_and_the_callback_share_a_file_and_tear_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.log");
    let plugin = testing::start::<FileLog>(&config(&path, "")).unwrap();
    let messages = numbered(1_000);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| deliver(&plugin, &path, r#", "format": "json""#, &messages));
        }
        for message in &messages {
            plugin.call(MessageDelivered, "write", &mut message.clone());
        }
    });
    let read = read(&path);
    let mut ids: Vec<_> = read.lines().map(|line| serde_json::from_str::<Message>(line).unwrap().id).collect();
    assert_eq!(ids.len(), 4_000);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 1_000);
}

#[test]
fn mistakes_in_a_configuration_are_refused_and_make_no_file() {
    let (directory, plugin) = start();
    let path = directory.path().join("a.log");
    for (config, said) in [
        ("{}".into(), "missing field `path`"),
        (config(Path::new(""), ""), "name a file"),
        (config(directory.path(), ""), "let `path` name a file"),
        (config(Path::new("/no/such/{topic}.log"), ""), "cannot open /no/such/{topic}.log: "),
        (config(Path::new("/tmp/{topic}/a.log"), ""), "not of a directory"),
        (config(&path, r#", "mode": "640 ""#), "`mode` is \"640 \""),
        (config(&path, r#", "mode": "0440""#), "lets the owner read and write"),
        (config(&path, r#", "mode": "04640""#), "`mode` is \"04640\""),
        (config(&path, r#", "mode": 640"#), "expected a string"),
        (config(&path, r#", "format": "xml""#), "expected `json` or `text`"),
        (config(&path, r#", "sync": "always""#), "expected `batch` or `never`"),
        (config(&path, r#", "keep": 1"#), "unknown field `keep`"),
    ] {
        let error = plugin.sink("file", &config).unwrap_err().to_string();
        assert!(error.contains(said), "{config}: {error}");
    }
    assert!(names(&directory).is_empty());
}
