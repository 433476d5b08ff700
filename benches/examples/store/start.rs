//! Starting a host with 200 installed plugins of which 100 are enabled, compared with loading those 100 by hand.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use hookrail::control::Manager;
use hookrail::store::agree;
use hookrail::{Config, Host};

use crate::made::Maker;
use crate::row::Row;
use crate::taking::{compare, fastest};

const INSTALLED: usize = 200;
const ENABLED: usize = 100;
const ROUNDS: usize = 15;

pub(crate) fn measure(maker: &Maker) -> Vec<Row> {
    let directory = tempfile::tempdir_in(fastest()).expect("a directory");
    let store = maker.store(&directory.path().join("home"));
    let names = maker.install(&store, INSTALLED);
    // Every other plugin, which is a typical spread.
    let enabled: Vec<_> = names.iter().step_by(INSTALLED / ENABLED).collect();
    let mut change = store.change().expect("nobody else changes it");
    for name in &enabled {
        change.enable(name, agree).expect("it is installed");
    }
    drop(change);
    let libraries: Vec<PathBuf> =
        enabled.iter().map(|name| store.load_spec(name).expect("it is installed").library.path).collect();
    let by_hand = || {
        let host = Host::new(Config::default()).expect("a host");
        let began = Instant::now();
        for library in &libraries {
            // SAFETY: our own plugin.
            unsafe { host.load(library) }.expect("it is good");
        }
        ended(&host, began)
    };
    let from_store = || {
        let began = Instant::now();
        let host = Host::new(Config::default()).expect("a host");
        // SAFETY: what is installed there is our own plugin in C, many times, and no other command is executed.
        let failed = unsafe { Manager::new(&host).open_store(store.clone()) }.expect("it is read");
        assert!(failed.is_empty(), "{failed:?}");
        ended(&host, began)
    };
    let [loads, start] = compare(ROUNDS, by_hand, from_store);
    let ratio = start / loads;
    vec![Row {
        case: format!("starting a host with {INSTALLED} installed plugins, {ENABLED} of them enabled"),
        must: "1.1 x 100 times `host.load` of the same",
        measured: format!("{ratio:.2} ({start:.1} ms, {loads:.1} ms)"),
        is_met: ratio <= 1.1,
    }]
}

/// Checks that all of them are loaded.
fn ended(host: &Host, began: Instant) -> Duration {
    let took = began.elapsed();
    assert_eq!(host.plugin_views().len(), ENABLED);
    took
}
