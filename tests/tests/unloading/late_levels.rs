//! A thread that sets a plugin's log level is in its code, and is neither a reader nor one of its threads.

use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread::{sleep, spawn};
use std::time::Duration;

use hookrail::{Config, End, Host, LogLevel, Message, MessagePublish};
use hookrail_tests::{alone, cc};

const LONG: Duration = Duration::from_secs(120);

/// Closing begins with this: if the library had settled before, what the thread leaves would count for nothing.
#[test]
fn what_a_thread_leaves_while_it_sets_the_level_is_given_up_before_the_library_goes() {
    alone!();
    let mut config = Config::default();
    config.unload.deadline = Duration::from_millis(20);
    let host = Arc::new(Host::new(config).unwrap());
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/unloading/set_level.c");
    let library = cc::compile(cc::STRICT_C, source, &["-shared", "-fPIC"], "libhookrail_set_level.so");
    // SAFETY: our own plugin.
    let plugin = unsafe { host.load(library) }.unwrap();
    let (theirs, mut ours) = UnixStream::pair().unwrap();
    ours.set_read_timeout(Some(LONG)).unwrap();
    let mut message = Message::new("a.b", "text");
    message.timestamp = theirs.as_raw_fd() as u64;
    let _ = host.point(MessagePublish).unwrap().dispatch(&mut message);
    let (done, ending) = channel::<()>();
    let (outside, level) = channel();
    let setter = spawn({
        let (host, plugin) = (host.clone(), host.plugin("set-level").unwrap());
        move || {
            host.set_log_level(&plugin, LogLevel::Debug).unwrap();
            outside.send(()).unwrap();
            // It reaches no quiescent point until then.
            let _ = ending.recv();
        }
    });
    let mut heard = [0];
    ours.read_exact(&mut heard).expect("the thread is in the plugin");
    assert_eq!(heard, *b"l");
    let ticket = host.begin_unload(&plugin).unwrap();
    ours.read_exact(&mut heard).expect("the instance is destroyed");
    assert_eq!(heard, *b"d");
    // Enough for what follows, if it did not wait for the thread.
    sleep(Duration::from_millis(300));
    assert_eq!(ticket.try_wait(), None);
    ours.write_all(b"!").unwrap();
    level.recv_timeout(LONG).unwrap();
    assert_eq!(ticket.wait_timeout(LONG), End::Unmapped);
    assert_eq!(ticket.skipped_destructors(), 1);
    drop(done);
    setter.join().unwrap();
}
