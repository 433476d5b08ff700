//! Callbacks next to each other on one point, of which each notes its name, and does what a message says to it.

use std::fs::OpenOptions;
use std::io::Write;
use std::time::Duration;

use hookrail_abi::prelude::*;

struct Specimen;

/// Notes that this callback ran: in the message, and in the file that it names. Then does what the message says to it.
fn run(name: &str, message: &mut Message) -> Verdict {
    if let Some(file) = message.header("log") {
        let mut log = OpenOptions::new().append(true).create(true).open(file).expect("the test's directory is there");
        log.write_all(name.as_bytes()).expect("the disk is not full");
    }
    let ran = message.header("ran").unwrap_or_default().to_owned() + name;
    message.set_header("ran", &ran);
    let body = message.body.to_display();
    match body.split_once(' ').filter(|(_, whom)| whom.contains(name)) {
        Some(("abort", _)) => std::process::abort(),
        Some(("deny", _)) => Verdict::deny(7, "as the message says"),
        Some(("hang", _)) => loop {
            std::thread::sleep(Duration::from_secs(1));
        },
        // SAFETY: it is what it is made for.
        Some(("kill", _)) => unsafe {
            libc::raise(libc::SIGKILL);
            unreachable!()
        },
        Some(("panic", _)) => panic!("as the message says"),
        Some(("skip", _)) => Verdict::Skip,
        _ => Verdict::Continue,
    }
}

impl Plugin for Specimen {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks![
        MessagePublish, "first" => |_, message| run("1", message), priority = 10, effects = local;
        MessagePublish, "second" => |_, message| run("2", message), priority = 20, effects = pure;
        MessagePublish, "third" => |_, message| run("3", message), priority = 30, effects = external;
        MessagePublish, "fourth" => |_, message| run("4", message), priority = 40, effects = local;
    ];

    fn start(_: &Startup, _: NoConfig) -> Result<Self> {
        Ok(Specimen)
    }
}

export!(Specimen, name = "stands-beside-itself");
