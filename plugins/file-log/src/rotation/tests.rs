//! The guarantees of the rotation: the oldest goes, nothing else is lost.

use super::*;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use tempfile::TempDir;

fn directory() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.log");
    (directory, path)
}

fn append(log: &mut RotatingLog, line: &str) {
    assert_eq!(log.append(line.as_bytes()).unwrap(), None);
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

fn numbered(path: &Path, number: u32) -> PathBuf {
    PathBuf::from(format!("{}.{number}", path.display()))
}

#[test]
fn the_file_is_not_for_everybody() {
    let (_directory, path) = directory();
    RotatingLog::open(path.clone(), 0, 1).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o007, 0);
}

#[test]
fn a_full_file_is_renamed_and_the_oldest_goes() {
    let (_directory, path) = directory();
    let mut log = RotatingLog::open(path.clone(), 8, 2).unwrap();
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
    append(&mut RotatingLog::open(path.clone(), 6, 1).unwrap(), "1aa\n");
    assert_eq!((read(&path), read(&numbered(&path, 1))), ("1aa\n".into(), "0aa\n".into()));
}

#[test]
fn a_line_larger_than_the_file_may_be_gets_a_file_of_its_own() {
    let (_directory, path) = directory();
    let mut log = RotatingLog::open(path.clone(), 4, 3).unwrap();
    for line in ["a\n", "a long line\n", "b\n"] {
        append(&mut log, line);
    }
    let files = [numbered(&path, 2), numbered(&path, 1), path].map(|path| read(&path));
    assert_eq!(files, ["a\n", "a long line\n", "b\n"]);
}

#[test]
fn without_a_limit_nothing_is_renamed() {
    let (_directory, path) = directory();
    let mut log = RotatingLog::open(path.clone(), 0, 1).unwrap();
    (0..1_000).for_each(|_| append(&mut log, "a line\n"));
    assert_eq!(fs::metadata(&path).unwrap().len(), 7_000);
}

#[test]
fn a_file_that_cannot_be_renamed_warns_now_and_then_and_loses_nothing() {
    let (_directory, path) = directory();
    fs::create_dir_all(numbered(&path, 1).join("in the way")).unwrap();
    let mut log = RotatingLog::open(path.clone(), 100, 1).unwrap();
    let warnings: Vec<_> = (0..50).filter_map(|_| log.append(b"123456789\n").unwrap()).collect();
    assert_eq!(read(&path).lines().count(), 50);
    assert_eq!(warnings.len(), 4);
    assert!(warnings[0].starts_with(&format!("cannot rename {}: ", path.display())), "{warnings:?}");
}

#[test]
fn several_writers_of_one_path_lose_and_tear_nothing_while_it_rotates() {
    const WRITERS: usize = 4;
    const LINES: usize = 500;
    let (directory, path) = directory();
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let mut log = RotatingLog::open(path.clone(), 1_000, 1_000).unwrap();
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
fn a_link_stays_a_link_and_the_file_behind_it_is_renamed() {
    let (directory, path) = directory();
    let target = directory.path().join("there").join("b.log");
    fs::create_dir(target.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(&target, &path).unwrap();
    let mut log = RotatingLog::open(path.clone(), 4, 2).unwrap();
    ["0aa\n", "1aa\n"].iter().for_each(|line| append(&mut log, line));
    assert!(path.is_symlink());
    assert_eq!(
        (read(&path), read(&target), read(&numbered(&target, 1))),
        ("1aa\n".into(), "1aa\n".into(), "0aa\n".into())
    );
    assert!(!numbered(&path, 1).exists());
}
