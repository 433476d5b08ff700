//! The transaction that replaces the old build with the new one, at a hundred points at once.
//!
//! That each point is published once and not twice cannot be observed from outside, since readers see either the
//! previous chain or the next one. A test of the host's registry counts what is retired.

use std::path::PathBuf;
use std::time::Duration;

use hookrail::{Config, Decision, Host, PluginHandle};
use hookrail_abi::{Fold, Point};
use hookrail_benches::{Numbered, Work, each};

/// The number of points that the plugin hooks.
pub(crate) const POINTS: usize = 100;

type Dispatch = Box<dyn Fn(&mut Work)>;
type Open = fn(&Host) -> Dispatch;

/// A host with a hundred points, and a plugin that hooks each of them.
pub(crate) struct Swapping {
    host: Host,
    points: Vec<Dispatch>,
    files: [PathBuf; 2],
    plugin: PluginHandle,
    serving: usize,
}

impl Swapping {
    pub(crate) fn new() -> Self {
        let host = Host::new(Config::default()).expect("a host");
        let points: Vec<_> = tens().as_flattened().iter().map(|point| point(&host)).collect();
        assert_eq!(points.len(), POINTS);
        let files = [1, 2].map(|mark| hookrail_tests::marked("hundred", mark));
        // SAFETY: our own plugin.
        let plugin = unsafe { host.load(&files[0]) }.expect("it loads");
        Swapping { host, points, files, plugin, serving: 0 }
    }

    /// How long the swap itself takes. After it each point returns the new mark.
    pub(crate) fn swap(&mut self) -> Duration {
        let next = 1 - self.serving;
        // SAFETY: our own plugin.
        let upgraded = unsafe { self.host.upgrade(&self.plugin, &self.files[next]) }.expect("it takes over");
        let mut work = Work::default();
        for (passed, dispatch) in (1..).zip(&self.points) {
            dispatch(&mut work);
            assert_eq!(work.count, passed * (next as u64 + 1), "the point has the new callback, and it alone");
        }
        assert!(upgraded.old.wait_timeout(Duration::from_secs(60)).is_unmapped());
        self.serving = next;
        upgraded.times.swap
    }

    /// The host, for the measurements that are compared with it.
    pub(crate) fn host(&self) -> &Host {
        &self.host
    }
}

fn open<P: Point<Kind = Fold, Payload = Work>>(host: &Host) -> Dispatch {
    let point = host.point(P::default()).expect("declared once");
    Box::new(move |work| assert_eq!(point.dispatch(work).decision(), Decision::Passed))
}

fn units<const T: usize>() -> [Open; 10] {
    each!(U => open::<Numbered<0, T, U>>)
}

fn tens() -> [[Open; 10]; 10] {
    each!(T => units::<T>())
}
