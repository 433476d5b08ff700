//! Readers and writers at once, few enough of both for Miri, which finds what a race or a dangling pointer would be.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread::scope;

use hookrail_abi::catalogue::{MessageDelivered, MessagePublish};
use hookrail_abi::{Message, Priority};

use super::*;
use crate::embed::Callbacks;
use crate::hook_point::HookPoint;

const READERS: usize = 2;
const DISPATCHES: usize = 10;
const CHANGES: u64 = 5;

fn registry() -> (Registry, HookPoint<MessagePublish>) {
    let registry = Registry::new(BTreeMap::new(), FaultPolicies::default(), Quarantine::default());
    let point = registry.hook_point(MessagePublish).unwrap();
    (registry, point)
}

/// Counts its calls, by memory of its own.
fn counting(instance: &str, calls: &Arc<AtomicUsize>) -> Callbacks {
    let (calls, one) = (calls.clone(), Box::new(1));
    Callbacks::new(instance).on(MessagePublish, "count", Priority::new(10), move |_| {
        calls.fetch_add(*one, Ordering::Relaxed);
    })
}

fn dispatch(point: &HookPoint<MessagePublish>) {
    let _ = point.dispatch(&mut Message::empty());
}

/// Each dispatch has another one in it.
#[test]
fn a_callback_that_stays_is_called_by_each_dispatch_while_others_come_and_go() {
    let (registry, point) = registry();
    let inner = registry.hook_point(MessageDelivered).unwrap();
    let [outer_calls, inner_calls, others] = [(); 3].map(|()| Arc::new(AtomicUsize::new(0)));
    let (of_outer, of_inner) = (outer_calls.clone(), inner_calls.clone());
    let stays = Callbacks::new("stays")
        .on(MessagePublish, "outer", Priority::new(20), move |_| {
            of_outer.fetch_add(1, Ordering::Relaxed);
            let _ = inner.dispatch(&mut Message::empty());
        })
        .on(MessageDelivered, "inner", Priority::new(20), move |_| {
            of_inner.fetch_add(1, Ordering::Relaxed);
        });
    registry.register(stays, Owner(1)).unwrap();
    scope(|scope| {
        for _ in 0..READERS {
            scope.spawn(|| (0..DISPATCHES).for_each(|_| dispatch(&point)));
        }
        for number in 0..CHANGES {
            let owner = Owner(10 + number);
            registry.register(counting("comes", &others), owner).unwrap();
            registry.remove(owner);
        }
    });
    let all = READERS * DISPATCHES;
    assert_eq!((outer_calls.load(Ordering::Relaxed), inner_calls.load(Ordering::Relaxed)), (all, all));
    assert!(others.load(Ordering::Relaxed) <= all);
    registry.clear();
}

#[test]
fn a_pin_keeps_the_chain_that_it_began_with() {
    let (registry, point) = registry();
    let [before, after] = [(); 2].map(|()| Arc::new(AtomicUsize::new(0)));
    registry.register(counting("before", &before), Owner(1)).unwrap();
    registry.pinned(|chains| {
        scope(|scope| {
            scope.spawn(|| {
                registry.remove(Owner(1));
                registry.register(counting("after", &after), Owner(2)).unwrap();
            });
        });
        let _ = chains.dispatch(&point, &mut Message::empty());
        dispatch(&point);
    });
    assert_eq!((before.load(Ordering::Relaxed), after.load(Ordering::Relaxed)), (1, 1));
    registry.clear();
}

#[test]
fn what_is_disarmed_is_not_called_by_who_still_holds_its_chain() {
    let (registry, point) = registry();
    let [calls, others] = [(); 2].map(|()| Arc::new(AtomicUsize::new(0)));
    registry.register(counting("leaves", &calls), Owner(1)).unwrap();
    registry.register(counting("stays", &others), Owner(2)).unwrap();
    let (tell, is_inside) = channel();
    let (disarmed, is_disarmed) = channel::<()>();
    scope(|scope| {
        // Dropped if an assertion fails, so that the reader does not wait for ever.
        let disarmed = disarmed;
        let (registry, point) = (&registry, &point);
        scope.spawn(move || {
            registry.pinned(|chains| {
                tell.send(()).unwrap();
                let _ = is_disarmed.recv();
                let _ = chains.dispatch(point, &mut Message::empty());
            });
        });
        is_inside.recv().unwrap();
        drop(registry.leave(Owner(1)));
        assert_eq!(registry.disarm(Owner(1)).len(), 1);
        disarmed.send(()).unwrap();
    });
    assert_eq!((calls.load(Ordering::Relaxed), others.load(Ordering::Relaxed)), (0, 1));
    registry.finish_drain();
    registry.clear();
}
