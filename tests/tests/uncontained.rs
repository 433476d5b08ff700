//! What no host can contain in its own process: each of these really ends it. The list is that of
//! docs/guide/faults.md.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

use hookrail::{Config, Host, Message, MessagePublish};
use hookrail_tests::{root, zoo};

/// The way to end, the signal that the host ends by, if one does, and what it says.
const WAYS: [(&str, Option<i32>, &str); 8] = [
    ("abort", Some(libc::SIGABRT), ""),
    ("exit", None, ""),
    ("stack", Some(libc::SIGSEGV), ""),
    ("unwinding", Some(libc::SIGABRT), "aborting"),
    ("memory", Some(libc::SIGSEGV), ""),
    ("thread", Some(libc::SIGABRT), "exception not rethrown"),
    ("local", Some(libc::SIGABRT), ""),
    ("allocation", Some(libc::SIGABRT), ""),
];

#[test]
fn each_of_these_ends_the_host() {
    let guide = std::fs::read_to_string(root().join("docs/guide/faults.md")).unwrap();
    for (way, signal, said) in WAYS {
        assert!(guide.contains(&format!("`{way}`")), "the guide lists `{way}`");
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "the_host_that_ends", "--nocapture", "--test-threads=1"])
            .env("HOOKRAIL_TEST_WAY", way)
            .env("HOOKRAIL_TEST_ANIMAL", zoo("ends_the_host"))
            .stdin(Stdio::null())
            .output()
            .unwrap();
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

/// Not a test: what the one above runs in a process of its own.
#[test]
#[ignore = "ends its process, and is run by the test above"]
fn the_host_that_ends() {
    let (Ok(way), Ok(animal)) = (std::env::var("HOOKRAIL_TEST_WAY"), std::env::var("HOOKRAIL_TEST_ANIMAL")) else {
        return;
    };
    let host = Host::new(Config::default()).unwrap();
    // SAFETY: our own library, which ends this process.
    unsafe { host.load(animal) }.unwrap();
    let publish = host.point::<MessagePublish>().unwrap();
    std::thread::spawn(move || publish.dispatch(&mut Message::new("a.b", way.as_bytes()))).join().unwrap();
    println!("the host goes on");
}
