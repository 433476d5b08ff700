//! Many callbacks at many points, and many threads beside a writer.

use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use hookrail::{Callbacks, Config, Flow, Host, Priority, Registered};
use hookrail_abi::{Fold, Point};
use hookrail_benches::{Numbered, Work, WorkDone, each};

/// The number of callbacks at one point.
pub(crate) const PER_POINT: usize = 10;

type Add = fn(Callbacks) -> Callbacks;

fn add<P: Point<Kind = Fold, Payload = Work>>(callbacks: Callbacks) -> Callbacks {
    (0..PER_POINT).fold(callbacks, |callbacks, index| {
        callbacks.on(P::default(), &format!("c{index}"), Priority::new(index as i32), nothing as fn(&mut Work) -> Flow)
    })
}

fn nothing(_: &mut Work) -> Flow {
    Flow::Continue
}

fn units<const H: usize, const T: usize>() -> [Add; 10] {
    each!(U => add::<Numbered<H, T, U>>)
}

fn tens<const H: usize>() -> [[Add; 10]; 10] {
    each!(T => units::<H, T>())
}

/// `count` callbacks, ten to a point, at those points only.
pub(crate) fn callbacks(count: usize) -> Callbacks {
    let points = each!(H => tens::<H>());
    let points = points.as_flattened().as_flattened();
    points[..count / PER_POINT].iter().fold(Callbacks::new("bench"), |callbacks, add| add(callbacks))
}

/// How long one transaction takes that registers `count` callbacks at new points.
pub(crate) fn one_transaction(count: usize) -> Duration {
    let host = Host::new(Config::default()).expect("a host");
    let callbacks = callbacks(count);
    let start = Instant::now();
    host.register(callbacks).expect("they are new");
    let elapsed = start.elapsed();
    let registered: usize = host.point_views().iter().map(|point| point.chain.len()).sum();
    // The host has one of its own.
    assert_eq!(registered, count + 1);
    elapsed
}

/// How long `count` publications take, each of which retires the previous chain.
pub(crate) fn publications(count: u64, host: &Host) -> Duration {
    let mut registered: Option<Registered> = None;
    let start = Instant::now();
    for _ in 0..count {
        match registered.take() {
            Some(registered) => host.unregister(registered),
            None => registered = Some(super::republish::guest(host)),
        }
    }
    let elapsed = start.elapsed();
    if let Some(registered) = registered {
        host.unregister(registered);
    }
    elapsed
}

/// Threads that have dispatched once, and sleep until this is dropped.
pub(crate) struct Idle {
    threads: Vec<(Sender<()>, JoinHandle<()>)>,
}

impl Idle {
    /// Starts them, and waits until all are asleep.
    pub(crate) fn start(count: usize, host: &Host) -> Self {
        let point = host.point(WorkDone).expect("its own point");
        let (ready, all_ready) = channel();
        let start = |_| {
            let (wake, woken) = channel::<()>();
            let (point, ready) = (point.clone(), ready.clone());
            let run = move || {
                // Even a thread's first dispatch claims a record only if the point has a callback.
                assert!(point.is_hooked());
                let _ = point.dispatch(&mut Work::default());
                ready.send(()).expect("somebody waits");
                // An error means that the other end is dropped.
                let _ = woken.recv();
            };
            (wake, thread::Builder::new().stack_size(128 << 10).spawn(run).expect("a thread"))
        };
        let threads = (0..count).map(start).collect();
        all_ready.iter().take(count).for_each(drop);
        Idle { threads }
    }
}

impl Drop for Idle {
    fn drop(&mut self) {
        for (wake, thread) in self.threads.drain(..) {
            drop(wake);
            thread.join().expect("it only slept");
        }
    }
}
