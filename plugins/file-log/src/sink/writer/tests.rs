//! What stands in the files after failures and renames between batches.

use super::*;
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

/// In another process, it says which directory is meant.
const PATH: &str = "HOOKRAIL_TEST_DIRECTORY";

fn writer(directory: &Path, sync: Sync) -> Writer {
    let files = Files::new(directory.into(), 0o640, "free some space");
    Writer::new(Template::new("{topic}").unwrap(), files, Format::Text, sync)
}

fn started(sync: Sync) -> (TempDir, Writer) {
    let directory = tempfile::tempdir().unwrap();
    let writer = writer(directory.path(), sync);
    (directory, writer)
}

/// Writes messages, whose first letters are their topics; returns how many were written.
fn write(writer: &mut Writer, bodies: &[&str]) -> (usize, Option<String>) {
    let messages: Vec<_> = bodies.iter().map(|body| Message::new(&body[..1], *body)).collect();
    let (written, failure) = writer.write(&messages.iter().collect::<Vec<_>>());
    (written, failure.map(|error| error.to_string()))
}

fn write_all(writer: &mut Writer, bodies: &[&str]) {
    assert_eq!(write(writer, bodies), (bodies.len(), None));
}

fn read(directory: &TempDir, name: &str) -> String {
    fs::read_to_string(directory.path().join(name)).unwrap()
}

/// A file on a disk that is full. It can be replaced by another one.
fn fill(directory: &TempDir, name: &str) {
    symlink("/dev/full", directory.path().join(name)).unwrap();
}

fn free(directory: &TempDir, name: &str) {
    fs::remove_file(directory.path().join(name)).unwrap();
}

#[test]
fn several_topics_go_to_several_files_each_in_its_order() {
    for sync in [Sync::Batch, Sync::Never] {
        let (directory, mut writer) = started(sync);
        write_all(&mut writer, &["a1", "b1", "a2"]);
        write_all(&mut writer, &["b2", "c1"]);
        assert_eq!(["a", "b", "c"].map(|name| read(&directory, name)), ["a1\na2\n", "b1\nb2\n", "c1\n"]);
    }
}

#[test]
fn nothing_is_written_twice_and_nothing_missing_when_one_file_of_several_fails() {
    for sync in [Sync::Batch, Sync::Never] {
        let (directory, mut writer) = started(sync);
        write_all(&mut writer, &["a0"]);
        fill(&directory, "b");
        let bodies = ["a1", "c1", "b1", "a2", "d1", "c2", "b2"];
        let (written, failure) = write(&mut writer, &bodies);
        let failure = failure.unwrap();
        assert!(failure.contains("/b: No space left on device") && failure.contains("free some space"), "{failure}");
        assert_eq!(written, 2, "those before the first one that failed");
        assert_eq!(["a", "c"].map(|name| read(&directory, name)), ["a0\na1\n", "c1\n"]);
        assert!(!directory.path().join("d").exists());
        let [path, aside] = ["a", "aside"].map(|name| directory.path().join(name));
        fs::rename(&path, &aside).unwrap();
        assert_eq!(write(&mut writer, &bodies[2..]).0, 0);
        assert!(!path.exists(), "the next try begins with what has failed");
        fs::rename(&aside, &path).unwrap();
        free(&directory, "b");
        write_all(&mut writer, &bodies[2..]);
        let read = ["a", "b", "c", "d"].map(|name| read(&directory, name));
        assert_eq!(read, ["a0\na1\na2\n", "b1\nb2\n", "c1\nc2\n", "d1\n"]);
    }
}

#[test]
fn what_cannot_be_synced_is_not_acknowledged_and_comes_again() {
    let (directory, mut writer) = started(Sync::Batch);
    // The name of this thread: it takes what is written, and cannot be synced.
    symlink("/proc/thread-self/comm", directory.path().join("b")).unwrap();
    let bodies = ["a1", "c1", "b1", "a2", "d1"];
    let (written, failure) = write(&mut writer, &bodies);
    let failure = failure.unwrap();
    assert!(failure.contains("cannot sync ") && failure.contains("/b: "), "{failure}");
    assert_eq!(written, 2);
    assert_eq!(["a", "c", "d"].map(|name| read(&directory, name)), ["a1\n", "c1\n", ""]);
    free(&directory, "b");
    write_all(&mut writer, &bodies[2..]);
    assert_eq!(["a", "b", "c", "d"].map(|name| read(&directory, name)), ["a1\na2\n", "b1\n", "c1\n", "d1\n"]);
}

#[test]
fn what_another_one_has_written_since_is_not_taken_back() {
    let (directory, mut one) = started(Sync::Never);
    let batch = ["b1", "a1"].map(|body| Message::new(&body[..1], body));
    let batch = Batch::of(&batch.each_ref(), &one.template, Format::Text).unwrap();
    let place = one.files.get("a").append(&batch.groups[1].bytes).unwrap();
    write_all(&mut writer(directory.path(), Sync::Never), &["a2"]);
    let first = one.files.get("b").append(&batch.groups[0].bytes).unwrap();
    one.take_back(&batch, &[first, place], 0);
    assert_eq!(read(&directory, "a"), "a1\na2\n");
    assert_eq!(read(&directory, "b"), "");
}

#[test]
fn a_file_that_is_renamed_or_removed_between_two_batches_is_begun_anew() {
    for sync in [Sync::Batch, Sync::Never] {
        let (directory, mut writer) = started(sync);
        let path = directory.path().join("a");
        write_all(&mut writer, &["a1"]);
        fs::rename(&path, directory.path().join("moved")).unwrap();
        write_all(&mut writer, &["a2", "a3"]);
        assert_eq!(["moved", "a"].map(|name| read(&directory, name)), ["a1\n", "a2\na3\n"]);
        fs::remove_file(&path).unwrap();
        write_all(&mut writer, &["a4"]);
        assert_eq!(read(&directory, "a"), "a4\n");
        fs::rename(&path, directory.path().join("again")).unwrap();
        fs::write(&path, "made by logrotate\n").unwrap();
        write_all(&mut writer, &["a5"]);
        assert_eq!(read(&directory, "a"), "made by logrotate\na5\n");
    }
}

#[test]
fn a_file_that_is_emptied_between_two_batches_is_continued_at_its_beginning() {
    let (directory, mut writer) = started(Sync::Never);
    write_all(&mut writer, &["a1"]);
    File::options().write(true).open(directory.path().join("a")).unwrap().set_len(0).unwrap();
    write_all(&mut writer, &["a2"]);
    assert_eq!(read(&directory, "a"), "a2\n");
}

#[test]
fn a_link_that_points_elsewhere_between_two_batches_is_followed() {
    let (directory, mut writer) = started(Sync::Batch);
    let link = directory.path().join("a");
    for (target, body) in [("one", "a1"), ("two", "a2")] {
        symlink(directory.path().join(target), &link).unwrap();
        write_all(&mut writer, &[body]);
        fs::remove_file(&link).unwrap();
    }
    assert_eq!(["one", "two"].map(|name| read(&directory, name)), ["a1\n", "a2\n"]);
}

#[test]
fn a_directory_that_is_gone_holds_the_messages_up_until_it_is_back() {
    let (directory, _) = started(Sync::Never);
    let inner = directory.path().join("inner");
    let mut writer = writer(&inner, Sync::Never);
    let (written, failure) = write(&mut writer, &["a1"]);
    assert_eq!(written, 0);
    assert!(failure.unwrap().contains("create its directory"));
    fs::create_dir(&inner).unwrap();
    write_all(&mut writer, &["a1"]);
    assert_eq!(read(&directory, "inner/a"), "a1\n");
}

#[test]
fn a_pipe_and_a_directory_in_place_of_a_file_hold_the_messages_up() {
    let (directory, mut writer) = started(Sync::Never);
    assert!(Command::new("mkfifo").arg(directory.path().join("p")).status().unwrap().success());
    fs::create_dir(directory.path().join("d")).unwrap();
    for body in ["p1", "d1"] {
        let (written, failure) = write(&mut writer, &[body]);
        assert_eq!(written, 0);
        assert!(failure.unwrap().contains("let `path` name a file"));
    }
}

#[test]
fn what_was_acknowledged_survives_a_kill_of_the_process() {
    const NAME: &str = "sink::writer::tests::what_was_acknowledged_survives_a_kill_of_the_process";
    if let Some(path) = std::env::var_os(PATH) {
        write_all(&mut writer(Path::new(&path), Sync::Never), &["a1", "b1", "a2"]);
        Command::new("kill").args(["-9", &std::process::id().to_string()]).status().unwrap();
        unreachable!("it was killed");
    }
    let (directory, _) = started(Sync::Never);
    let output = elsewhere(NAME, directory.path(), "");
    assert_eq!(output.status.signal(), Some(9), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(["a", "b"].map(|name| read(&directory, name)), ["a1\na2\n", "b1\n"]);
}

/// The file size limit makes the kernel write part of a batch and then refuse, as a full disk does. It applies to a whole
/// process, so the test runs itself in another one.
#[test]
fn a_disk_that_fills_up_within_a_batch_leaves_no_half_message() {
    const NAME: &str = "sink::writer::tests::a_disk_that_fills_up_within_a_batch_leaves_no_half_message";
    if let Some(path) = std::env::var_os(PATH) {
        return fill_up(Path::new(&path));
    }
    let (directory, mut writer) = started(Sync::Batch);
    let output = elsewhere(NAME, directory.path(), "trap '' XFSZ; ulimit -f 8;");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    write_all(&mut writer, &["a last"]);
    assert_eq!(read(&directory, "a"), "a first\na second\na last\n", "the other process came to its end");
}

/// Runs one of these tests in another process, after some commands of a shell.
fn elsewhere(test: &str, directory: &Path, before: &str) -> Output {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("{before} exec \"$@\""), "sh"]).arg(std::env::current_exe().unwrap());
    shell.args(["--exact", test]).env(PATH, directory).output().unwrap()
}

fn fill_up(directory: &Path) {
    let mut writer = writer(directory, Sync::Batch);
    let path = directory.join("a");
    write_all(&mut writer, &["a first"]);
    let long = format!("a{}", "x".repeat(1_000));
    let many: Vec<_> = ["b", "a", "b"].into_iter().chain([&*long; 20]).collect();
    let (written, failure) = write(&mut writer, &many);
    assert_eq!(written, 1);
    let failure = failure.unwrap();
    assert!(failure.contains("File too large") && failure.contains("what is logged is whole"), "{failure}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "a first\n");
    assert_eq!(fs::read_to_string(directory.join("b")).unwrap(), "b\n");
    write_all(&mut writer, &["a second"]);
}
