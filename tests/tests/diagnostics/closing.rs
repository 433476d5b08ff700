//! What a plugin logs while it is asked for its tables, as the last of its code, may make the program dispatch.

use std::io::Read;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::sync::OnceLock;
use std::time::Duration;

use hookrail::{End, HookPoint, Host, Message, MessagePublish};
use hookrail_tests::listener::Listener;
use hookrail_tests::scene::patient;
use hookrail_tests::{alone, cc};

static POINT: OnceLock<HookPoint<MessagePublish>> = OnceLock::new();

/// Publishes a message for each line of the plugin.
const PUBLISHES: Listener = Listener {
    wants: |metadata| metadata.target() == "closing",
    hears: |_| {
        let mut message = Message::new("log", "");
        message.timestamp = 0;
        let _ = POINT.get().unwrap().dispatch(&mut message);
    },
};

/// A thread leaves a dispatch there, and that is no quiescent point: the plugin's code is on its stack.
#[test]
fn nothing_of_a_library_is_run_amid_a_call_of_its_tables() {
    alone!();
    let host = Host::new(patient()).unwrap();
    assert!(POINT.set(host.point(MessagePublish).unwrap()).is_ok());
    tracing::subscriber::set_global_default(PUBLISHES).unwrap();
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/diagnostics/closing.c");
    let library = cc::compile(cc::STRICT_C, source, &["-shared", "-fPIC"], "libhookrail_closing.so");
    // SAFETY: our own plugin.
    let plugin = unsafe { host.load(library) }.unwrap();
    let (theirs, mut ours) = UnixStream::pair().unwrap();
    let mut message = Message::new("a.b", "text");
    message.timestamp = theirs.as_raw_fd() as u64;
    let _ = POINT.get().unwrap().dispatch(&mut message);
    let ticket = host.begin_unload(&plugin).unwrap();
    assert_eq!(ticket.wait_timeout(Duration::from_secs(120)), End::Unmapped);
    drop(theirs);
    let mut said = String::new();
    ours.read_to_string(&mut said).unwrap();
    assert!(!said.is_empty() && !said.contains('x'), "{said}");
}
