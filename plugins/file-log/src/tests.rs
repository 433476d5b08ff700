//! What the plugin writes, driven as a host drives it.

use super::*;
use hookrail_abi::testing::{self, Running};
use std::path::Path;

fn start(path: &Path, more: &str) -> Running<FileLog> {
    testing::start(&config(path, more)).unwrap()
}

fn config(path: &Path, more: &str) -> String {
    format!(r#"{{"path": {path:?} {more}}}"#)
}

fn deliver(plugin: &Running<FileLog>, body: &str) {
    plugin.call(MessageDelivered, "write", &mut Message::new("log.app", body));
}

fn lines(path: &Path) -> Vec<String> {
    std::fs::read_to_string(path).unwrap().lines().map(String::from).collect()
}

#[test]
fn delivered_messages_are_logged_in_their_order() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.log");
    let plugin = start(&path, "");
    ["one", "two"].iter().for_each(|body| deliver(&plugin, body));
    let bodies = lines(&path).into_iter().map(|line| serde_json::from_str::<Message>(&line).unwrap().body);
    assert!(bodies.eq(["one", "two"]));
}

#[test]
fn dropped_messages_are_logged_when_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.log");
    let message = Message::new("log.app", "spam");
    let mut dropped = Dropped::denied(message, "a/b", 7, "no");
    let plugin = start(&path, r#", "format": "text", "dropped": true"#);
    plugin.call(MessageDropped, "write-dropped", &mut dropped);
    assert!(lines(&path)[0].ends_with(" - log.app [dropped by a/b, code 7: no] spam"));
}

#[test]
#[should_panic(expected = "no callback `write-dropped` is registered")]
fn dropped_messages_are_left_alone_by_default() {
    let directory = tempfile::tempdir().unwrap();
    let plugin = start(&directory.path().join("a.log"), "");
    let mut dropped = Dropped::new(Message::empty(), DropKind::Fault);
    plugin.call(MessageDropped, "write-dropped", &mut dropped);
}

#[test]
#[should_panic(expected = "no callback `write` is registered")]
fn without_a_path_nothing_is_logged() {
    deliver(&testing::start("{}").unwrap(), "one");
}

#[test]
fn a_relative_path_lies_in_the_state_directory() {
    let plugin = start(Path::new("here.log"), "");
    deliver(&plugin, "here");
    assert_eq!(lines(&plugin.dir(Dir::State).join("here.log")).len(), 1);
}

#[test]
#[should_panic(expected = "write faulted: cannot append to /dev/full: No space left on device")]
fn a_full_disk_is_a_fault() {
    deliver(&start(Path::new("/dev/full"), ""), "lost");
}

#[test]
fn notable_events_are_logged() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.log");
    std::fs::create_dir_all(directory.path().join("a.log.1/in the way")).unwrap();
    let plugin = start(&path, r#", "max_bytes": 10, "keep": 1"#);
    ["one", "two"].iter().for_each(|body| deliver(&plugin, body));
    assert_eq!(lines(&path).len(), 2);
    assert!(plugin.log()[0].starts_with("cannot rename "), "{:?}", plugin.log());
}

#[test]
fn a_reload_goes_on_in_the_new_file_and_a_bad_one_in_the_old() {
    let directory = tempfile::tempdir().unwrap();
    let [old, new] = ["old", "new"].map(|name| directory.path().join(name));
    let plugin = start(&old, "");
    deliver(&plugin, "one");
    assert!(plugin.reload(&config(&directory.path().join("no/such"), "")).is_err());
    let error = plugin.reload(&config(&new, r#", "dropped": true"#)).unwrap_err().to_string();
    assert!(error.contains("at a restart"), "{error}");
    let error = plugin.reload("{}").unwrap_err().to_string();
    assert!(error.contains("at a restart"), "{error}");
    deliver(&plugin, "two");
    plugin.reload(&config(&new, r#", "format": "text""#)).unwrap();
    deliver(&plugin, "three");
    assert_eq!(lines(&old).len(), 2);
    assert!(lines(&new)[0].ends_with(" - log.app three"));
}

#[test]
fn the_next_generation_may_start_before_this_one_stops() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.log");
    let old = start(&path, "");
    let new = start(&path, "");
    deliver(&old, "one");
    deliver(&new, "two");
    drop(old);
    deliver(&new, "three");
    assert_eq!(lines(&path).len(), 3);
}

#[test]
fn mistakes_in_a_configuration_are_reported() {
    for (config, said) in [
        (r#"{"path": ""}"#, "`path` is \"\": name a file"),
        (r#"{"path": "/"}"#, "`path` is \"/\": name a file"),
        (r#"{"path": "/no/such/dir/a.log"}"#, "cannot open /no/such/dir/a.log"),
        (r#"{"dropped": true}"#, "`dropped` needs `path`: name a file"),
        (r#"{"keep": 0}"#, "`keep` is 0: keep 1 to 1000 files"),
        (r#"{"keep": 1001}"#, "`keep` is 1001"),
        (r#"{"max_bytes": -1}"#, "expected u64"),
        (r#"{"format": "xml"}"#, "expected `json` or `text`"),
        (r#"{"file": "a"}"#, "unknown field `file`"),
    ] {
        let error = testing::start::<FileLog>(config).unwrap_err().to_string();
        assert!(error.contains(said), "{config}: {error}");
    }
}
