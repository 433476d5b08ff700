//! Workers are killed at any moment, under load: each message is answered once, and costs at most its own answer.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use hookrail::worker::Restarts;
use hookrail::{Decision, Message, Quarantine};
use hookrail_tests::counter::Raise;
use hookrail_tests::random::Random;
use hookrail_tests::scene::Scene;
use hookrail_tests::{alone, zoo};

use crate::scenes::{faults, last_fault, limited, limits, worker};

/// How often a worker is killed; `.ci/long` says more often.
fn kills() -> u64 {
    std::env::var("HOOKRAIL_KILLS").map_or(100, |kills| kills.parse().expect("a number"))
}

#[test]
fn each_message_is_answered_once_however_often_the_worker_is_killed() {
    // It counts descriptors, which others open, too.
    alone!();
    let mut random = Random::of(7);
    // Many are killed before they have answered a call.
    let pause = Duration::from_millis(1);
    let restarts = Restarts::default().with_first(pause).with_longest(pause).with_limit(u32::MAX);
    let config = limited("harms-its-worker", limits().with_restarts(restarts));
    let config = config.with_quarantine(Quarantine::default().with_faults(0));
    let scene = Scene::new(config);
    scene.load(zoo("harms_its_worker"));
    let (is_over, sent) = (AtomicBool::new(false), AtomicU64::new(0));
    let descriptors = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let before = descriptors();
    let answered = thread::scope(|scope| {
        let over = Raise(&is_over);
        let send = || {
            let mut answered = 0;
            while !is_over.load(Ordering::SeqCst) {
                let mut message = Message::new("a.b", "which");
                assert_eq!(scene.publish.dispatch(&mut message).decision(), Decision::Passed);
                sent.fetch_add(1, Ordering::SeqCst);
                answered += u64::from(message.header("process").is_some());
            }
            answered
        };
        let threads = thread::available_parallelism().map_or(2, usize::from);
        let senders: Vec<_> = (0..threads).map(|_| scope.spawn(send)).collect();
        let deadline = Instant::now() + Duration::from_secs(600);
        for kill in 0..kills() {
            // It is killed once it has been seen, and at any moment after that.
            let process = loop {
                match worker(&scene) {
                    view if view.restarts == kill && view.pid.is_some() => break view.pid.unwrap(),
                    view => assert!(Instant::now() < deadline, "after {kill} kills: {view:?}"),
                }
                thread::sleep(Duration::from_millis(1));
            };
            thread::sleep(Duration::from_micros(random.below(3000) as u64));
            // SAFETY: the function takes two numbers; the process is our child's, and not yet reaped.
            unsafe { libc::kill(process as i32, libc::SIGKILL) };
        }
        while worker(&scene).restarts < kills() {
            assert!(Instant::now() < deadline, "{:?}", worker(&scene));
            thread::sleep(Duration::from_millis(1));
        }
        drop(over);
        senders.into_iter().map(|sender| sender.join().unwrap()).sum::<u64>()
    });
    let sent = sent.load(Ordering::SeqCst);
    assert_eq!(answered + faults(&scene), sent, "each one was answered, or is a fault");
    let threads = thread::available_parallelism().map_or(2, usize::from) as u64;
    assert!(
        faults(&scene) <= threads * kills(),
        "a kill costs what was inside: {} of {sent}, the last one: {}",
        faults(&scene),
        last_fault(&scene)
    );
    assert!(descriptors() <= before + 8, "{before} descriptors have become {}", descriptors());
}
