//! A plugin may log in an initialiser that runs once, though other threads wait for it: nothing that the host or the
//! SDK holds meanwhile is needed there.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread::{scope, spawn};

use hookrail::{Config, Decision, End, Host, LogLevel, Message, MessagePublish};
use hookrail_tests::listener::{Listener, fields};
use hookrail_tests::probe::LONG;
use hookrail_tests::{alone, zoo};

static SAID: Mutex<BTreeMap<String, u32>> = Mutex::new(BTreeMap::new());

const COUNTS: Listener = Listener {
    wants: |metadata| metadata.fields().field("generation").is_some(),
    hears: |event| {
        let said = fields(event);
        let message = said.split_once("message=").unwrap().1.split(" instance=").next().unwrap();
        *SAID.lock().unwrap().entry(message.split(" value=").next().unwrap().into()).or_default() += 1;
    },
};

/// As many as the specimen has.
const ROUNDS: u32 = 8;
const THREADS: u32 = 4;
/// Each has statics of its own, so each has its first events again.
const GENERATIONS: u32 = 10;

#[test]
fn a_plugin_may_log_in_an_initialiser_for_which_other_threads_wait() {
    alone!();
    tracing::subscriber::set_global_default(COUNTS).unwrap();
    let (done, is_done) = channel();
    spawn(move || {
        for _ in 0..GENERATIONS {
            one_generation();
        }
        done.send(()).unwrap();
    });
    // For all generations together.
    is_done.recv_timeout(LONG * 4).expect("nobody waits for ever");
    let said = SAID.lock().unwrap();
    for round in 0..ROUNDS {
        for (what, times) in [
            ("outside", THREADS - 1),
            ("inside", 1),
            ("by tracing", 1),
            ("by log", 1),
            ("while shown", 1),
            ("with a value", 1),
            ("after", THREADS),
        ] {
            let message = format!("{round} {what}");
            assert_eq!(said.get(&message), Some(&(times * GENERATIONS)), "{message}: {said:#?}");
        }
    }
    assert_eq!(said.get("about to panic"), Some(&GENERATIONS), "{said:#?}");
}

fn one_generation() {
    let mut config = Config::default();
    config.log_level = Some(LogLevel::Info);
    config.unload.deadline = LONG;
    let host = Host::new(config).unwrap();
    let point = host.point(MessagePublish).unwrap();
    // SAFETY: our own library.
    let plugin = unsafe { host.load(zoo("logs_in_once")) }.unwrap();
    let over = Arc::new(AtomicBool::new(false));
    scope(|scope| {
        // Each change asks for every callsite of the library again, while its threads wait.
        let changing = scope.spawn(|| {
            while !over.load(Ordering::SeqCst) {
                for level in [LogLevel::Trace, LogLevel::Info] {
                    host.set_log_level(&plugin, level).unwrap();
                }
            }
        });
        for round in 0..ROUNDS {
            let point = &point;
            let dispatch = move || point.dispatch(&mut Message::new("a", format!("round {round}").as_str())).decision();
            let threads = [(); THREADS as usize].map(|()| scope.spawn(dispatch));
            threads.into_iter().for_each(|thread| assert_eq!(thread.join().unwrap(), Decision::Passed));
        }
        // The first panics, the next finds what that has left: both are faults, and no more.
        for _ in 0..2 {
            assert_eq!(point.dispatch(&mut Message::new("a", "panic once")).decision(), Decision::Passed);
        }
        over.store(true, Ordering::SeqCst);
        changing.join().unwrap();
    });
    assert_eq!(host.unload(&plugin).unwrap(), End::Unmapped);
}
