//! What the program's own callbacks hold is dropped where nobody waits for it, and may do what it likes.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{scope, spawn};
use std::time::{Duration, Instant};

use hookrail::{Callbacks, Config, End, Host, MessagePublish, PluginHandle, Priority, Ticket};
use hookrail_tests::{alone, plugin};

const LONG: Duration = Duration::from_secs(120);

/// Held by a callback; says that it is being dropped, and waits to go on.
struct Slow {
    dropping: Sender<()>,
    go_on: Mutex<Receiver<()>>,
}

impl Drop for Slow {
    fn drop(&mut self) {
        self.dropping.send(()).unwrap();
        let _ = self.go_on.lock().unwrap().recv_timeout(LONG);
    }
}

/// Registers a callback that holds `held`, unregisters it and begins to unload the plugin, all under a pin of another
/// thread. So the unloading is what drops it.
fn leave_to_an_unloading(host: &Host, plugin: &PluginHandle, held: impl Send + Sync + 'static) -> Ticket {
    let holding = Callbacks::new("test").on(MessagePublish, "hold", Priority::new(1), move |_| _ = &held);
    let registered = host.register(holding).unwrap();
    let (inside, entered) = channel();
    let (leave, left) = channel::<()>();
    scope(|scope| {
        scope.spawn(move || {
            host.pin(|_| {
                inside.send(()).unwrap();
                let _ = left.recv();
            });
        });
        entered.recv().unwrap();
        host.unregister(registered);
        let ticket = host.begin_unload(plugin).unwrap();
        drop(leave);
        ticket
    })
}

#[test]
fn an_unloading_does_not_wait_for_what_the_program_drops() {
    alone!();
    let host = Host::new(Config::default()).unwrap();
    // SAFETY: our own plugins.
    let [hello, stamp] = ["hello", "stamp"].map(|name| unsafe { host.load(plugin(name)) }.unwrap());
    let (dropping, dropped) = channel();
    let (go_on, wait) = channel();
    let ticket = leave_to_an_unloading(&host, &hello, Slow { dropping, go_on: Mutex::new(wait) });
    dropped.recv_timeout(LONG).expect("it is dropped after the first unloading");
    assert_eq!(ticket.wait_timeout(LONG), End::Unmapped, "the one that drops it");
    assert_eq!(host.begin_unload(&stamp).unwrap().wait_timeout(LONG), End::Unmapped, "another");
    go_on.send(()).unwrap();
}

#[test]
fn the_last_host_may_be_dropped_by_an_unloading() {
    alone!();
    struct Tell(Option<Arc<Host>>, Sender<Duration>, Mutex<Receiver<()>>);
    impl Drop for Tell {
        fn drop(&mut self) {
            // Until nobody else has the host.
            let _ = self.2.lock().unwrap().recv_timeout(LONG);
            let began = Instant::now();
            drop(self.0.take());
            self.1.send(began.elapsed()).unwrap();
        }
    }
    let mut config = Config::default();
    config.unload.deadline = LONG;
    let host = Arc::new(Host::new(config).unwrap());
    // SAFETY: our own plugins.
    let [hello, _] = ["hello", "stamp"].map(|name| unsafe { host.load(plugin(name)) }.unwrap());
    let (tell, took) = channel();
    let (other, gone) = channel::<()>();
    drop(leave_to_an_unloading(&host, &hello, Tell(Some(host.clone()), tell, Mutex::new(gone))));
    drop(host);
    drop(other);
    // Waiting for itself, it would wait for twice the deadline.
    assert!(took.recv_timeout(LONG).expect("the host is gone") < LONG);
}

/// The thread that unregisters drops what nobody reads: here nothing is left to anybody else.
#[test]
fn what_nobody_reads_is_dropped_by_who_unregisters_it() {
    alone!();
    let host = Host::new(Config::default()).unwrap();
    let (dropping, dropped) = channel();
    let (go_on, wait) = channel();
    go_on.send(()).unwrap();
    let slow = Slow { dropping, go_on: Mutex::new(wait) };
    let holding = Callbacks::new("test").on(MessagePublish, "hold", Priority::new(1), move |_| _ = &slow);
    let registered = host.register(holding).unwrap();
    spawn(move || host.unregister(registered)).join().unwrap();
    assert!(dropped.try_recv().is_ok());
}
