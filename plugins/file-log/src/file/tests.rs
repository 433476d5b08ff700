//! The guarantees of the file: whole lines, rotation, nothing lost.

use super::*;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

fn directory() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.log");
    (directory, path)
}

fn append(log: &mut LogFile, line: &str) {
    assert_eq!(log.append(line.as_bytes()).unwrap(), None);
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

fn numbered(path: &Path, number: u32) -> PathBuf {
    PathBuf::from(format!("{}.{number}", path.display()))
}

#[test]
fn lines_are_appended_to_what_is_there() {
    let (_directory, path) = directory();
    fs::write(&path, "0\n").unwrap();
    let mut log = LogFile::open(path.clone(), 0, 1).unwrap();
    append(&mut log, "1\n");
    assert_eq!(read(&path), "0\n1\n", "written through, not only when the log is closed");
}

#[test]
fn the_file_is_not_for_everybody() {
    let (_directory, path) = directory();
    LogFile::open(path.clone(), 0, 1).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o007, 0);
}

#[test]
fn a_full_file_is_renamed_and_the_oldest_goes() {
    let (_directory, path) = directory();
    let mut log = LogFile::open(path.clone(), 8, 2).unwrap();
    for line in 0..8 {
        append(&mut log, &format!("{line}aa\n"));
    }
    assert_eq!(read(&path), "6aa\n7aa\n");
    assert_eq!(read(&numbered(&path, 1)), "4aa\n5aa\n");
    assert_eq!(read(&numbered(&path, 2)), "2aa\n3aa\n");
    assert!(!numbered(&path, 3).exists());
}

#[test]
fn the_size_at_the_start_counts() {
    let (_directory, path) = directory();
    fs::write(&path, "0aa\n").unwrap();
    append(&mut LogFile::open(path.clone(), 6, 1).unwrap(), "1aa\n");
    assert_eq!((read(&path), read(&numbered(&path, 1))), ("1aa\n".into(), "0aa\n".into()));
}

#[test]
fn a_line_larger_than_the_file_may_be_gets_a_file_of_its_own() {
    let (_directory, path) = directory();
    let mut log = LogFile::open(path.clone(), 4, 3).unwrap();
    for line in ["a\n", "a long line\n", "b\n"] {
        append(&mut log, line);
    }
    let files = [numbered(&path, 2), numbered(&path, 1), path].map(|path| read(&path));
    assert_eq!(files, ["a\n", "a long line\n", "b\n"]);
}

#[test]
fn without_a_limit_nothing_is_renamed() {
    let (_directory, path) = directory();
    let mut log = LogFile::open(path.clone(), 0, 1).unwrap();
    (0..1_000).for_each(|_| append(&mut log, "a line\n"));
    assert_eq!(fs::metadata(&path).unwrap().len(), 7_000);
}

#[test]
fn a_file_that_cannot_be_renamed_warns_now_and_then_and_loses_nothing() {
    let (_directory, path) = directory();
    fs::create_dir_all(numbered(&path, 1).join("in the way")).unwrap();
    let mut log = LogFile::open(path.clone(), 100, 1).unwrap();
    let warnings: Vec<_> = (0..50).filter_map(|_| log.append(b"123456789\n").unwrap()).collect();
    assert_eq!(read(&path).lines().count(), 50);
    assert_eq!(warnings.len(), 4);
    assert!(warnings[0].starts_with(&format!("cannot rename {}: ", path.display())), "{warnings:?}");
}

#[test]
fn a_file_that_somebody_renamed_or_removed_is_begun_anew() {
    let (directory, path) = directory();
    let mut log = LogFile::open(path.clone(), 0, 1).unwrap();
    append(&mut log, "1\n");
    let moved = directory.path().join("moved");
    fs::rename(&path, &moved).unwrap();
    append(&mut log, "2\n");
    assert_eq!((read(&moved), read(&path)), ("1\n".into(), "2\n".into()));
    fs::remove_file(&path).unwrap();
    append(&mut log, "3\n");
    assert_eq!(read(&path), "3\n");
}

#[test]
fn a_half_line_of_a_crash_is_ended_not_continued() {
    let (_directory, path) = directory();
    fs::write(&path, "whole\nhal").unwrap();
    append(&mut LogFile::open(path.clone(), 0, 1).unwrap(), "next\n");
    assert_eq!(read(&path), "whole\nhal\nnext\n");
}

#[test]
fn several_writers_of_one_path_lose_and_tear_nothing_while_it_rotates() {
    const WRITERS: usize = 4;
    const LINES: usize = 500;
    let (directory, path) = directory();
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let mut log = LogFile::open(path.clone(), 1_000, 1_000).unwrap();
            scope.spawn(move || (0..LINES).for_each(|line| append(&mut log, &format!("{writer} {line}\n"))));
        }
    });
    let files: Vec<_> = fs::read_dir(directory.path()).unwrap().map(|entry| read(&entry.unwrap().path())).collect();
    assert!(files.len() > 10 && files.iter().all(|file| file.len() <= 1_000), "it rotated {} times", files.len());
    let mut lines: Vec<_> = files.iter().flat_map(|file| file.lines()).map(String::from).collect();
    let mut expected: Vec<_> =
        (0..WRITERS).flat_map(|writer| (0..LINES).map(move |line| format!("{writer} {line}"))).collect();
    lines.sort();
    expected.sort();
    assert_eq!(lines, expected);
}

#[test]
fn a_full_disk_is_said_with_the_file_and_the_way_out() {
    let mut log = LogFile::open("/dev/full".into(), 0, 1).unwrap();
    for _ in 0..2 {
        let error = log.append(b"line\n").unwrap_err().to_string();
        for part in
            ["cannot append to /dev/full: No space left on device", "what is logged is whole", "free some space"]
        {
            assert!(error.contains(part), "{error}");
        }
    }
}

/// The file size limit makes the kernel write part of a line and then refuse, as a full disk does. It applies to a
/// whole process, so the test runs itself in another one.
#[test]
fn a_disk_that_fills_up_within_a_line_tears_nothing() {
    const NAME: &str = "file::tests::a_disk_that_fills_up_within_a_line_tears_nothing";
    const PATH: &str = "HOOKRAIL_TEST_FULL_DISK";
    if let Some(path) = std::env::var_os(PATH) {
        return fill_up(Path::new(&path));
    }
    let (_directory, path) = directory();
    let script = "trap '' XFSZ; ulimit -f 8; exec \"$@\"";
    let test = std::env::current_exe().unwrap();
    let mut shell = Command::new("sh");
    let output = shell.args(["-c", script, "sh"]).arg(test).args(["--exact", NAME]).env(PATH, &path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    append(&mut LogFile::open(path.clone(), 0, 1).unwrap(), "last\n");
    assert_eq!(read(&path), "begun again\nlast\n", "the other process came to its end");
}

fn fill_up(path: &Path) {
    let mut log = LogFile::open(path.into(), 0, 1).unwrap();
    let line = format!("{}\n", "x".repeat(998));
    let error = std::iter::repeat_with(|| log.append(line.as_bytes())).find_map(Result::err).unwrap().to_string();
    assert!(error.contains("File too large") && error.contains("free some space"), "{error}");
    let written = read(path);
    assert!(written.len() > 3_000 && written.len().is_multiple_of(line.len()), "{} bytes", written.len());
    assert!(log.append(line.as_bytes()).is_err());
    assert_eq!(read(path), written, "a second try changes nothing");
    // With space again, logging continues by itself.
    File::options().write(true).open(path).unwrap().set_len(0).unwrap();
    append(&mut log, "begun again\n");
}

#[test]
fn a_file_that_cannot_be_opened_is_named_with_the_way_out() {
    let (directory, path) = directory();
    fs::write(&path, "").unwrap();
    for (path, said) in [
        (directory.path().join("no/such/a.log"), "create its directory"),
        (path.join("a.log"), "create its directory"),
        (directory.path().into(), "let `path` name a file"),
    ] {
        let error = LogFile::open(path.clone(), 0, 1).err().unwrap().to_string();
        assert!(error.starts_with(&format!("cannot open {}: ", path.display())) && error.contains(said), "{error}");
    }
}

#[test]
fn a_link_stays_a_link_and_the_file_behind_it_is_renamed() {
    let (directory, path) = directory();
    let target = directory.path().join("there").join("b.log");
    fs::create_dir(target.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(&target, &path).unwrap();
    let mut log = LogFile::open(path.clone(), 4, 2).unwrap();
    ["0aa\n", "1aa\n"].iter().for_each(|line| append(&mut log, line));
    assert!(path.is_symlink());
    assert_eq!(
        (read(&path), read(&target), read(&numbered(&target, 1))),
        ("1aa\n".into(), "1aa\n".into(), "0aa\n".into())
    );
    assert!(!numbered(&path, 1).exists());
}

#[test]
fn a_pipe_is_no_log() {
    let (_directory, path) = directory();
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    let error = LogFile::open(path, 0, 1).err().unwrap().to_string();
    assert!(error.contains("it is neither a file nor a device; let `path` name a file"), "{error}");
}
