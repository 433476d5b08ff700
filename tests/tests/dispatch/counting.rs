//! Calls are counted exactly: wherever a dispatch ends, and whatever is published meanwhile.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::scope;

use hookrail::{Access, Callbacks, Config, Host, PointView, Priority, StatsLevel};
use hookrail_abi::{Point, points};
use hookrail_tests::counter::Raise;
use hookrail_tests::probe::eventually;

points! {
    /// Somebody says who decides.
    // SAFETY: a number owns all it holds.
    unsafe Decided: "test.decided", 1, Gate<u64> {}
}

const LEVELS: [StatsLevel; 2] = [StatsLevel::Count, StatsLevel::Histogram];

fn view(host: &Host) -> PointView {
    host.point_views().into_iter().find(|view| view.point == Decided::NAME).unwrap()
}

/// The counts of the callbacks: called, stopped, denied.
fn counts(host: &Host) -> Vec<(u64, u64, u64)> {
    view(host).chain.iter().map(|it| (it.calls.total, it.calls.skipped, it.calls.denied)).collect()
}

/// Callbacks of which each decides its own number, in turn "allow" and "deny".
fn deciders(numbers: std::ops::Range<u64>) -> Callbacks {
    numbers.fold(Callbacks::new("deciders"), |callbacks, own| {
        callbacks.on(Decided, &format!("{own:03}"), Priority::new(100), move |number| match own {
            _ if *number != own => Access::Continue,
            _ if own % 2 == 0 => Access::Allow,
            _ => Access::Deny(1),
        })
    })
}

/// Chains whose counts fill less than a cache line, one, and more.
#[test]
fn each_callback_has_its_calls_wherever_a_dispatch_ends() {
    for (level, len) in LEVELS.into_iter().flat_map(|level| [1, 2, 8, 9, 20].map(|len| (level, len))) {
        let host = Host::new(Config::default()).unwrap();
        let point = host.point(Decided).unwrap();
        host.register(deciders(0..len)).unwrap();
        host.set_level(Decided::NAME, level).unwrap();
        // The callback at each place decides once more often than the one before; nobody so often as that.
        let times = |place: u64| place + 1;
        for place in 0..=len {
            for _ in 0..times(place) {
                let _ = point.dispatch(&mut { place });
            }
        }
        let expected: Vec<_> = (0..len)
            .map(|place| {
                let decided = times(place);
                let called = (place..=len).map(times).sum();
                if place % 2 == 0 { (called, decided, 0) } else { (called, 0, decided) }
            })
            .collect();
        assert_eq!(counts(&host), expected, "{level:?}, {len}");
        let view = view(&host);
        assert_eq!((view.dispatches, view.empty), ((0..=len).map(times).sum(), 0), "{level:?}, {len}");
    }
}

/// Each dispatch once, and each call once, while levels change and callbacks come and go under load.
#[test]
fn calls_are_counted_once_while_chains_are_replaced() {
    const THREADS: usize = 3;
    const CHANGES: usize = 1000;
    let host = Host::new(Config::default()).unwrap();
    let point = host.point(Decided).unwrap();
    // 0 goes on at once, 1 never comes to the last one.
    host.register(deciders(0..2)).unwrap();
    host.set_level(Decided::NAME, StatsLevel::Count).unwrap();
    let (over, all, looks) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    scope(|threads| {
        let _over = Raise(&over);
        for _ in 0..THREADS {
            threads.spawn(|| {
                let mut number = 0;
                while !over.load(Ordering::SeqCst) {
                    let _ = point.dispatch(&mut (number % 4));
                    number += 1;
                }
                // As many of each kind.
                while number % 4 != 0 {
                    let _ = point.dispatch(&mut (number % 4));
                    number += 1;
                }
                all.fetch_add(number, Ordering::SeqCst);
            });
        }
        threads.spawn(|| {
            let mut before = 0;
            while !over.load(Ordering::SeqCst) {
                let dispatches = view(&host).dispatches;
                assert!(dispatches >= before, "counts only grow");
                before = dispatches;
                looks.fetch_add(1, Ordering::SeqCst);
            }
        });
        eventually("somebody dispatches, and looks", || view(&host).dispatches > 0 && looks.load(Ordering::SeqCst) > 0);
        for change in 0..CHANGES {
            host.set_level(Decided::NAME, LEVELS[change % 2]).unwrap();
            if change % 10 == 0 {
                let guest = Callbacks::new("guest").on(Decided, "go", Priority::new(change as i32 % 200), |_| ());
                host.unregister(host.register(guest).unwrap());
            }
        }
    });
    let all = all.load(Ordering::SeqCst);
    assert!(all > 0 && looks.load(Ordering::SeqCst) > 0);
    assert_eq!(view(&host).dispatches, all);
    assert_eq!(counts(&host), [(all, all / 4, 0), (all / 4 * 3, 0, all / 4)]);
}

/// Without a callback too; what was counted before it came stays.
#[test]
fn a_point_is_empty_until_somebody_comes() {
    for level in LEVELS {
        let host = Host::new(Config::default()).unwrap();
        let point = host.point(Decided).unwrap();
        host.set_level(Decided::NAME, level).unwrap();
        for _ in 0..5 {
            let _ = point.dispatch(&mut 9);
        }
        host.register(deciders(0..1)).unwrap();
        for _ in 0..3 {
            let _ = point.dispatch(&mut 9);
        }
        assert_eq!((view(&host).dispatches, view(&host).empty), (8, 5));
        assert_eq!(counts(&host), [(3, 0, 0)]);
    }
}

/// More threads than a chain has counts for at once.
#[test]
fn threads_with_high_numbers_are_counted_too() {
    const THREADS: u64 = 150;
    let host = Host::new(Config::default()).unwrap();
    let point = host.point(Decided).unwrap();
    host.register(deciders(0..10)).unwrap();
    host.set_level(Decided::NAME, StatsLevel::Count).unwrap();
    let ready = std::sync::Barrier::new(THREADS as usize);
    scope(|threads| {
        for _ in 0..THREADS {
            threads.spawn(|| {
                // All of them have a number before one gives its own back.
                let _ = point.dispatch(&mut 99);
                ready.wait();
                for mut number in [9, 4] {
                    let _ = point.dispatch(&mut number);
                }
            });
        }
    });
    assert_eq!(view(&host).dispatches, 3 * THREADS);
    let calls: Vec<_> = counts(&host).into_iter().map(|(calls, ..)| calls / THREADS).collect();
    assert_eq!(calls, [3, 3, 3, 3, 3, 2, 2, 2, 2, 2]);
}
