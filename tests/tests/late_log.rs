//! The line to its host is good for as long as code of a plugin runs: a thread-local that outlives the
//! instance may still write to the log. What is freed too early the address sanitizer finds (`.ci/long`).

use std::fmt::Debug;
use std::sync::Mutex;
use std::sync::mpsc::channel;

use hookrail::{Config, End, Host, Message, MessagePublish};
use hookrail_tests::probe::{LONG, eventually};
use hookrail_tests::zoo;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// What instances wrote, on any thread: instance and line.
static LINES: Mutex<Vec<(String, String)>> = Mutex::new(Vec::new());

struct Lines;

impl Subscriber for Lines {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        LINES.lock().unwrap().push((line.instance, line.message));
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[derive(Default)]
struct Line {
    instance: String,
    message: String,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            "instance" => self.instance = format!("{value:?}").replace('"', ""),
            "message" => self.message = format!("{value:?}"),
            _ => {}
        }
    }
}

fn wrote(line: &str) -> bool {
    LINES.lock().unwrap().contains(&("logs-at-the-end".into(), line.into()))
}

#[test]
fn a_thread_local_may_log_when_its_instance_is_gone() {
    tracing::subscriber::set_global_default(Lines).unwrap();
    let mut config = Config::default();
    config.unload.deadline = LONG;
    let host = Host::new(config).unwrap();
    let publish = host.point::<MessagePublish>().unwrap();
    // SAFETY: our own plugin.
    let plugin = unsafe { host.load(zoo("logs_at_the_end")) }.unwrap();
    std::thread::scope(|threads| {
        let (dispatched, wait) = channel();
        let (end, go_on) = channel::<()>();
        threads.spawn(move || {
            publish.dispatch(&mut Message::new("a.b", "text"));
            dispatched.send(()).unwrap();
            let _ = go_on.recv();
        });
        wait.recv().unwrap();
        let ticket = host.begin_unload(plugin).unwrap();
        eventually("the instance is destroyed", || wrote("the instance is gone"));
        assert!(!wrote("the last of it"), "the thread has not come by");
        drop(end);
        assert_eq!(ticket.wait(LONG), End::Unmapped);
    });
    assert!(wrote("the last of it"));
}
