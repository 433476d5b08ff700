//! A worker in a process of its own, which dies.

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::scope;
use std::time::{Duration, Instant};

use hookrail_isolate::lane::{Change, HostLane, Lost, Patience, Region, Spin, WorkerLane};
use rustix::io::{FdFlags, fcntl_setfd};

use crate::pair::{bytes, calls, none, read, request};

const DESCRIPTOR: &str = "HOOKRAIL_TEST_DESCRIPTOR";

/// The worker, when the test below starts it; nothing otherwise.
#[test]
fn the_worker() {
    let Ok(descriptor) = std::env::var(DESCRIPTOR) else { return };
    // SAFETY: it was left open for this process, which takes it once.
    let file = unsafe { OwnedFd::from_raw_fd(descriptor.parse().unwrap()) };
    let region = Arc::new(Region::open(file).unwrap());
    let reverse = calls(|_, mut crossing| {
        crossing.begin(0);
        crossing.end(0, 0);
        if crossing.request().callbacks().len() > 1 {
            crossing.begin(1);
            std::process::abort();
        }
        let mut payload = read(crossing.payload());
        payload.reverse();
        crossing.changed(bytes(&payload))
    });
    WorkerLane::take(&region, 0, Spin::adaptive()).unwrap().serve(&reverse).unwrap();
}

/// Ends the worker, also when the test fails.
struct Poisons<'a>(&'a Region);

impl Drop for Poisons<'_> {
    fn drop(&mut self) {
        self.0.poison();
    }
}

#[test]
fn a_worker_in_another_process_replies_until_it_dies() {
    let region = Arc::new(Region::create(4, 1 << 16).unwrap());
    let lane = HostLane::claim(&region, Spin::adaptive()).unwrap();
    fcntl_setfd(region.file(), FdFlags::empty()).unwrap();
    let mut worker = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "process::the_worker"])
        .env(DESCRIPTOR, region.file().as_raw_fd().to_string())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    fcntl_setfd(region.file(), FdFlags::CLOEXEC).unwrap();
    let dead = AtomicBool::new(false);
    scope(|scope| {
        let _end = Poisons(&region);
        scope.spawn(|| {
            worker.wait().unwrap();
            dead.store(true, Ordering::Release);
            region.poison();
        });
        let patience =
            || Patience { deadline: Some(Instant::now() + Duration::from_secs(60)), each: Duration::ZERO, dead: &dead };
        for round in 0..1000_u32 {
            let sent: Vec<_> = (0..round % 500).map(|at| (at + round) as u8).collect();
            let reply = lane.call(&request(&[1]), bytes(&sent), &patience(), none).unwrap();
            let Change::Changed(area) = reply.change() else { panic!() };
            assert!(read(area).iter().rev().eq(&sent));
        }
        assert_eq!(lane.call(&request(&[1, 2]), bytes(b"x"), &patience(), none).unwrap_err(), Lost::Dead);
        assert_eq!(lane.inside(), Some(1), "the second callback killed it");
    });
    assert!(HostLane::claim(&region, Spin::never()).is_none());
}
