//! The guarantees of the file: whole lines, nothing lost.

use super::*;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use tempfile::TempDir;

fn directory() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.log");
    (directory, path)
}

fn log(path: impl Into<PathBuf>) -> LogFile {
    LogFile::new(path.into(), 0o640, "free some space")
}

fn append(log: &mut LogFile, line: &str) -> Place {
    log.append(line.as_bytes()).unwrap()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

#[test]
fn lines_are_appended_to_what_is_there() {
    let (_directory, path) = directory();
    fs::write(&path, "0\n").unwrap();
    let mut log = log(&path);
    append(&mut log, "1\n");
    assert_eq!(read(&path), "0\n1\n", "written through, not only when the log is closed");
}

#[test]
fn a_new_file_has_the_mode_that_was_asked_for_less_the_umask() {
    for mode in [0o640, 0o600, 0o664] {
        let (directory, path) = directory();
        append(&mut LogFile::new(path.clone(), mode, ""), "1\n");
        let other = directory.path().join("other");
        OpenOptions::new().write(true).create(true).mode(mode).open(&other).unwrap();
        let [mode_of_it, expected] = [path, other].map(|path| fs::metadata(path).unwrap().mode());
        assert_eq!(mode_of_it, expected);
        assert_eq!(mode_of_it & 0o777 & !mode, 0);
    }
}

#[test]
fn the_mode_of_a_file_that_is_there_stays() {
    let (_directory, path) = directory();
    fs::write(&path, "").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o604)).unwrap();
    append(&mut log(&path), "1\n");
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o604);
}

#[test]
fn what_is_taken_back_is_gone_and_what_comes_next_follows_what_was_kept() {
    let (_directory, path) = directory();
    let mut log = log(&path);
    append(&mut log, "1\n");
    let place = append(&mut log, "2\n3\n");
    log.take_back(&place, 2);
    assert_eq!(read(&path), "1\n2\n");
    append(&mut log, "4\n");
    assert_eq!(read(&path), "1\n2\n4\n");
}

#[test]
fn what_others_have_written_behind_it_is_never_taken_back() {
    let (_directory, path) = directory();
    let [mut one, mut other] = [log(&path), log(&path)];
    let place = append(&mut one, "1\n");
    append(&mut other, "2\n");
    one.take_back(&place, 0);
    assert_eq!(read(&path), "1\n2\n");
}

#[test]
fn a_file_that_was_renamed_since_is_where_it_is_taken_back_from() {
    let (directory, path) = directory();
    let moved = directory.path().join("moved");
    let mut one = log(&path);
    let place = append(&mut one, "1\n");
    fs::rename(&path, &moved).unwrap();
    append(&mut log(&path), "x\n");
    one.take_back(&place, 0);
    assert_eq!((read(&moved), read(&path)), (String::new(), "x\n".into()));
}

#[test]
fn a_sync_reaches_files_and_is_no_error_for_a_device() {
    let (_directory, path) = directory();
    for mut log in [log(path), log("/dev/null")] {
        log.sync_data().unwrap();
        append(&mut log, "1\n");
        log.sync_data().unwrap();
        log.sync_data().unwrap();
    }
}

#[test]
fn a_new_file_that_has_lost_its_name_is_not_synced_but_can_be_taken_back() {
    let (directory, path) = directory();
    let moved = directory.path().join("moved");
    let mut log = log(&path);
    let place = append(&mut log, "1\n");
    fs::rename(&path, &moved).unwrap();
    let error = log.sync_data().unwrap_err().to_string();
    assert!(error.starts_with(&format!("cannot sync {}: ", path.display())), "{error}");
    log.take_back(&place, 0);
    assert_eq!(read(&moved), "");
    append(&mut log, "1\n");
    log.sync_data().unwrap();
    assert_eq!(read(&path), "1\n");
}

#[test]
fn a_check_finds_what_opening_would_and_makes_nothing() {
    let (directory, path) = directory();
    log(&path).check().unwrap();
    assert!(!path.exists());
    log("/dev/null").check().unwrap();
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    for (path, said) in [
        (path, "it is neither a file nor a device; let `path` name a file"),
        (directory.path().into(), "it is neither a file nor a device; let `path` name a file"),
        (directory.path().join("no/such.log"), "create its directory"),
        ("/dev/null/a.log".into(), "create its directory"),
    ] {
        let error = log(&path).check().unwrap_err().to_string();
        assert!(error.starts_with(&format!("cannot open {}: ", path.display())) && error.contains(said), "{error}");
    }
}

#[test]
fn a_file_that_somebody_renamed_or_removed_is_begun_anew() {
    let (directory, path) = directory();
    let mut log = log(&path);
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
    append(&mut log(&path), "next\n");
    assert_eq!(read(&path), "whole\nhal\nnext\n");
}

#[test]
fn a_full_disk_is_said_with_the_file_and_the_way_out() {
    let mut log = log("/dev/full");
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
    append(&mut log(&path), "last\n");
    assert_eq!(read(&path), "begun again\nlast\n", "the other process came to its end");
}

fn fill_up(path: &Path) {
    let mut log = log(path);
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
        let error = log(&path).append(b"a\n").err().unwrap().to_string();
        assert!(error.starts_with(&format!("cannot open {}: ", path.display())) && error.contains(said), "{error}");
    }
}

#[test]
fn a_pipe_is_no_log() {
    let (_directory, path) = directory();
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    let error = log(path).append(b"a\n").err().unwrap().to_string();
    assert!(error.contains("it is neither a file nor a device; let `path` name a file"), "{error}");
}
