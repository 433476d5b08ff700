//! Both ends of a region in one process: the memory mapped twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, spawn};
use std::time::{Duration, Instant};

use hookrail_isolate::lane::{
    Answered, Area, Handler, HostLane, Malformed, Patience, Received, Region, Request, Served, Spin, WorkerLane,
};

/// A host, and threads that serve its lanes as a worker would.
pub(crate) struct Pair {
    pub(crate) host: Arc<Region>,
    pub(crate) worker: Arc<Region>,
    pub(crate) dead: AtomicBool,
    threads: Vec<JoinHandle<Result<(), Malformed>>>,
}

impl Pair {
    pub(crate) fn new(lanes: usize, data: usize) -> Self {
        let host = Region::create(lanes, data).unwrap();
        let worker = Region::open(host.file().try_clone_to_owned().unwrap()).unwrap();
        Pair { host: Arc::new(host), worker: Arc::new(worker), dead: AtomicBool::new(false), threads: Vec::new() }
    }

    /// Claims a lane, which nobody serves.
    pub(crate) fn claim(&self, spin: Spin) -> HostLane {
        HostLane::claim(&self.host, spin).expect("a lane is free")
    }

    /// Claims a lane that is served by a thread.
    pub(crate) fn served(&mut self, spin: fn() -> Spin, handler: impl Handler + Send + 'static) -> HostLane {
        let lane = self.claim(spin());
        let (worker, index) = (self.worker.clone(), lane.index());
        self.threads
            .push(spawn(move || WorkerLane::take(&worker, index, spin()).expect("it is not served").serve(&handler)));
        lane
    }

    /// As who waits for as long as it takes; a test that hangs is seen.
    pub(crate) fn patience(&self) -> Patience<'_> {
        Patience { deadline: Some(Instant::now() + Duration::from_secs(60)), each: Duration::ZERO, dead: &self.dead }
    }

    /// Ends the worker, and returns how its threads ended.
    pub(crate) fn end(&mut self) -> Vec<Result<(), Malformed>> {
        self.dead.store(true, Ordering::Release);
        self.host.poison();
        self.threads.drain(..).map(|thread| thread.join().unwrap()).collect()
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.end();
        }
    }
}

/// A handler by its functions.
pub(crate) struct With<C, N = fn(&WorkerLane, &Received, Area<'_>)> {
    call: C,
    note: N,
}

impl<C: Fn(&WorkerLane, Served<'_>) -> Answered, N: Fn(&WorkerLane, &Received, Area<'_>)> Handler for With<C, N> {
    fn call(&self, lane: &WorkerLane, crossing: Served<'_>) -> Answered {
        (self.call)(lane, crossing)
    }

    fn note(&self, lane: &WorkerLane, note: &Received, payload: Area<'_>) {
        (self.note)(lane, note, payload);
    }
}

/// A handler of requests and of notes.
pub(crate) fn with<C, N>(call: C, note: N) -> With<C, N>
where
    C: Fn(&WorkerLane, Served<'_>) -> Answered,
    N: Fn(&WorkerLane, &Received, Area<'_>),
{
    With { call, note }
}

/// A handler of requests alone.
pub(crate) fn calls<C: Fn(&WorkerLane, Served<'_>) -> Answered>(call: C) -> With<C> {
    With { call, note: |_, _, _| panic!("no note was sent") }
}

/// A request for one callback.
pub(crate) fn request(callbacks: &[u32]) -> Request<'_> {
    Request { callbacks, flags: 0, codec: 0, context: None }
}

/// Encodes bytes as they are.
pub(crate) fn bytes(bytes: &[u8]) -> impl Fn(Area<'_>) -> Option<usize> {
    move |room| {
        let _ = room.write(0, bytes);
        Some(bytes.len())
    }
}

/// The bytes of an area.
pub(crate) fn read(area: Area<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    area.append_to(&mut bytes);
    bytes
}

/// Waits until something holds.
pub(crate) fn until(mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while !holds() {
        assert!(Instant::now() < deadline, "it never came to this");
        std::thread::yield_now();
    }
}

/// Serves no upcalls.
pub(crate) fn none(_kind: u32, _bytes: &[u8], _answer: &mut Vec<u8>) -> u32 {
    u32::MAX
}
