//! What people can do about a system error.

use std::io::{self, ErrorKind};

// The numbers on Linux of errors that have no kind.
const ENFILE: i32 = 23;
const EMFILE: i32 = 24;
const ELOOP: i32 = 40;

const DENIED: &str = "`namei -l PATH` shows who may do that: use another user, or `chmod` and `chown`";
const LINKS: &str = "a link in that path leads back to itself: `namei -l PATH` shows it; name the file that is meant";
const LONG: &str = "choose a shorter name: one may have 255 bytes, a path 4,095";
const MEMORY: &str = "free memory, or raise `ulimit -v` or the limit of the container";
const OPEN_HERE: &str = "raise `ulimit -n`, the limit of open files of a process; 1,024 is common";
const OPEN_SYSTEM: &str = "end programs that have many files open, or raise the system's limit: `sysctl fs.file-max`";
const OTHER: &str = "docs/errors/HR0501.md lists causes; `strace -f` before the command shows which call failed";

/// The next step after an error of the system.
pub(super) fn fix(cause: &io::Error) -> &'static str {
    match cause.raw_os_error() {
        Some(ELOOP) => return LINKS,
        Some(EMFILE) => return OPEN_HERE,
        Some(ENFILE) => return OPEN_SYSTEM,
        _ => {}
    }
    match cause.kind() {
        ErrorKind::AddrInUse => "choose another path, or end the program that uses that one",
        ErrorKind::AlreadyExists => "choose another name, or remove what is there: `ls -l PATH` shows it",
        ErrorKind::BrokenPipe | ErrorKind::ConnectionReset => "look why the other end has gone, and repeat the command",
        ErrorKind::ExecutableFileBusy => "end the program that runs from that file, and repeat the command",
        ErrorKind::InvalidData => "the file is to be text in UTF-8: `file PATH` says what it is",
        ErrorKind::InvalidFilename => LONG,
        ErrorKind::IsADirectory => "name a file, not a directory",
        ErrorKind::NotADirectory => "check the path: a part of it that should be a directory is a file",
        ErrorKind::NotFound => "check the path: `namei -l PATH` shows how far it leads",
        ErrorKind::OutOfMemory => MEMORY,
        ErrorKind::PermissionDenied => DENIED,
        ErrorKind::QuotaExceeded => "remove files of yours on that disk, or raise your limit: `quota` shows it",
        ErrorKind::ReadOnlyFilesystem => {
            "choose another directory, or make that file system writable: `findmnt -T PATH` shows it; --home DIR moves a host's files"
        }
        ErrorKind::StorageFull => "free some space on that disk, and try again: `df -h` shows how full each is",
        ErrorKind::WouldBlock => {
            "raise `ulimit -u`, the limit of processes and threads, or `pids.max` of the container"
        }
        _ => fix_of_text(&cause.to_string()).unwrap_or(OTHER),
    }
}

/// The next step after an error of the system that is known by its text only, such as one of the system's loader.
pub(super) fn fix_of_text(text: &str) -> Option<&'static str> {
    let known = [
        ("Too many open files in system", OPEN_SYSTEM),
        ("Too many open files", OPEN_HERE),
        ("Too many levels of symbolic links", LINKS),
        ("File name too long", LONG),
        ("Cannot allocate memory", MEMORY),
        ("Permission denied", DENIED),
    ];
    known.into_iter().find(|(said, _)| text.contains(said)).map(|(_, fix)| fix)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With the numbers of Linux, by which the system tells them.
    #[test]
    fn errors_that_people_meet_have_words_of_their_own() {
        for (number, said) in [
            (1, "chmod"),
            (2, "how far it leads"),
            (11, "ulimit -u"),
            (12, "ulimit -v"),
            (13, "chmod"),
            (17, "another name"),
            (20, "a directory is a file"),
            (21, "not a directory"),
            (23, "fs.file-max"),
            (24, "ulimit -n"),
            (26, "runs from that file"),
            (28, "df -h"),
            (30, "writable"),
            (36, "255 bytes"),
            (40, "leads back to itself"),
            (98, "another path"),
            (122, "quota"),
        ] {
            let cause = io::Error::from_raw_os_error(number);
            assert!(fix(&cause).contains(said), "{cause}: {}", fix(&cause));
            // As wrapped by libraries, which keep the kind at most.
            let wrapped = io::Error::new(cause.kind(), format!("{cause} at path \"/a\""));
            assert!(fix(&wrapped).contains(said), "{wrapped}: {}", fix(&wrapped));
        }
        assert_eq!(fix(&io::Error::other("something else")), OTHER);
    }
}
