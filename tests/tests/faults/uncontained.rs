//! What no host can contain in its own process: each of these really ends it. The list is that of
//! docs/guide/faults.md.

use std::os::unix::process::ExitStatusExt;
use std::process::Command;

use hookrail_tests::{ended, root, zoo};

/// The way to end, the signal that the host ends by, if one does, and what it says.
const WAYS: [(&str, Option<i32>, &str); 9] = [
    ("abort", Some(libc::SIGABRT), ""),
    ("exit", None, ""),
    ("stack", Some(libc::SIGSEGV), ""),
    ("unwinding", Some(libc::SIGABRT), "aborting"),
    ("memory", Some(libc::SIGSEGV), ""),
    ("thread", Some(libc::SIGABRT), "exception not rethrown"),
    ("foreign", Some(libc::SIGABRT), "foreign exception"),
    ("local", Some(libc::SIGABRT), ""),
    ("allocation", Some(libc::SIGABRT), ""),
];

#[test]
fn failures_that_the_guide_calls_uncontained_end_the_host() {
    let guide = std::fs::read_to_string(root().join("docs/guide/faults.md")).unwrap();
    for (way, signal, said) in WAYS {
        assert!(guide.contains(&format!("`{way}`")), "the guide lists `{way}`");
        let output = Command::new(ended()).arg(zoo("ends_the_host")).arg(way).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
        assert!(!text.contains("the host goes on"), "{way}: {text}");
        assert!(text.contains(said), "{way}: {text}");
        match signal {
            // The stack's end is found by the guard page; who handles that decides which signal it is.
            Some(libc::SIGSEGV) => assert!(
                matches!(output.status.signal(), Some(libc::SIGSEGV | libc::SIGABRT)),
                "{way}: {} {text}",
                output.status
            ),
            Some(signal) => assert_eq!(output.status.signal(), Some(signal), "{way}: {text}"),
            None => assert_eq!(output.status.code(), Some(7), "{way}: {text}"),
        }
    }
}
