//! The rows about replacing code, and about what belongs to that.

use std::time::Duration;

use hookrail_abi::Point;

use super::bound::{Bound, LONG_ROUNDS, ROUNDS};
use super::shared::reloaders::{Bare, HotLib, Turn};
use super::shared::replace::{self, Builds, PARTS, Parts, Replacing};
use super::shared::rounds::{Compared, compare};
use super::shared::swap::{POINTS, Swapping};
use super::shared::{hosts, load, loops, pins, register};

/// The rows of the table.
pub(super) const ROWS: [(&str, &str, Bound); 6] = [
    ("host.upgrade to first message", "1.3 x (copy to a sealed memfd, dlopen, create)", Bound::Times(1.3)),
    ("the same, part by part", "printed", Bound::None),
    ("peers that reload", "printed, by host.upgrade of a small plugin", Bound::Beside),
    ("swap of 100 points", "printed", Bound::None),
    ("host.pin", "printed", Bound::Beside),
    ("a load and its unload", "printed", Bound::Beside),
];

type Found<'a> = &'a dyn Fn(&str, String, Compared);

/// Measures all of them.
pub(super) fn measure(found: Found<'_>) {
    builds(found, replace::small());
    builds(found, replace::real());
    peers(found);
    swap(found);
    pin(found);
    let file = hookrail_tests::plugin("hello");
    let [opened, loaded, spawned] = load::round_trips(&load::host(), &file, 200).map(nanoseconds);
    found(ROWS[5].0, "hello, by copy, dlopen, dlclose".into(), Compared::of([(opened, loaded)]));
    found(ROWS[5].0, "a thread started and joined".into(), Compared::of([(loaded, spawned)]));
}

fn builds<P: Point>(found: Found<'_>, builds: Builds<P>) {
    let mut replacing = Replacing::new(builds);
    let name = replacing.name();
    let turn = |round: usize| -> [(Duration, Parts); 2] {
        // The sides alternate in coming first, since the first one finds what the end of the other has left behind.
        if round.is_multiple_of(2) {
            let by_hand = replacing.by_hand();
            [by_hand, replacing.upgrade()]
        } else {
            let ours = replacing.upgrade();
            [replacing.by_hand(), ours]
        }
    };
    let turns: Vec<_> = (0..LONG_ROUNDS).map(turn).collect();
    let all = turns.iter().map(|[by_hand, ours]| (nanoseconds(by_hand.0), nanoseconds(ours.0)));
    found(ROWS[0].0, name.into(), Compared::of(all));
    for (side, way) in [(1, ""), (0, " by hand")] {
        for (index, part) in PARTS.into_iter().enumerate() {
            let times = turns.iter().map(|turn| (nanoseconds(turn[side].0), nanoseconds(turn[side].1[index])));
            found(ROWS[1].0, format!("{name}{way}: {part}"), Compared::of(times));
        }
    }
}

fn peers(found: Found<'_>) {
    let (mut hot, mut bare, mut replacing) = (HotLib::new(), Bare::new(), Replacing::new(replace::small()));
    let turns: Vec<_> = (0..LONG_ROUNDS).map(|_| (hot.turn(), bare.turn(), replacing.upgrade().0)).collect();
    let against = |peer: &str, time: fn(&(Turn, Duration, Duration)) -> Duration| {
        let times = turns.iter().map(|turn| (nanoseconds(turn.2), nanoseconds(time(turn))));
        found(ROWS[2].0, peer.into(), Compared::of(times));
    };
    against("hot-lib-reloader", |turn| turn.0.reload);
    against("hot-lib-reloader with its watcher at 1 ms", |turn| turn.0.watched);
    against("libloading's close and open", |turn| turn.1);
}

fn swap(found: Found<'_>) {
    const PUBLICATIONS: u64 = 100;
    let mut swapping = Swapping::new();
    let one =
        |swapping: &Swapping| nanoseconds(register::publications(PUBLICATIONS, swapping.host())) / PUBLICATIONS as f64;
    let turns: Vec<_> = (0..LONG_ROUNDS).map(|_| (one(&swapping), nanoseconds(swapping.swap()))).collect();
    let each = |of: fn(&(f64, f64)) -> (f64, f64)| Compared::of(turns.iter().map(of));
    found(ROWS[3].0, "in all".into(), each(|turn| *turn));
    found(ROWS[3].0, "each".into(), each(|(one, swap)| (*one, swap / POINTS as f64)));
    found(ROWS[3].0, "one registered or unregistered alone".into(), each(|(one, swap)| (swap / POINTS as f64, *one)));
}

fn pin(found: Found<'_>) {
    const TURN: Duration = Duration::from_micros(200);
    let (host, _) = hosts::with(0);
    found(ROWS[4].0, "empty, by an empty loop".into(), compare(ROUNDS, TURN, loops::empty, |n| pins::empty(n, &host)));
    for len in [1, 4] {
        let (host, point) = hosts::with(len);
        let (plain, pinned) = (|n| loops::dispatch(n, &point, len), |n| pins::dispatch(n, &host, &point, len));
        found(ROWS[4].0, format!("{len} callback(s), by plain dispatch"), compare(ROUNDS, TURN, plain, pinned));
    }
}

fn nanoseconds(time: Duration) -> f64 {
    time.as_nanos() as f64
}
