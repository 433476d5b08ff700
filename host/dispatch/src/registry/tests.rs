//! Registering, replacing and removing, against points that nobody else uses.

use hookrail_abi::catalogue::{MessageDelivered, MessageDropped, MessagePublish};
use hookrail_abi::{FaultPolicy, Priority};

use super::*;
use crate::embed::Callbacks;

fn on_three_points() -> Callbacks {
    let priority = Priority::new(10);
    Callbacks::new("three")
        .on(MessagePublish, "one", priority, |_| ())
        .on(MessagePublish, "another", priority, |_| ())
        .on(MessageDelivered, "one", priority, |_| ())
        .on(MessageDropped, "one", priority, |_| ())
}

#[test]
fn a_replacement_publishes_each_point_once() {
    let registry = Registry::new(BTreeMap::new(), FaultPolicies::default(), Quarantine::default());
    let (old, new) = (Owner(1), Owner(2));
    registry.register(on_three_points(), old).unwrap();
    // Under a pin all that is retired stays.
    registry.pin(|_| {
        let retired = || {
            let (mut snapshots, mut roots) = (0, 0);
            registry.limbo.each(|retired| match retired {
                Retired::Root { .. } => roots += 1,
                Retired::Snapshot(..) => snapshots += 1,
            });
            (snapshots, roots)
        };
        let before = retired();
        let removed = registry.replace(old, on_three_points().into_additions(&registry, new).unwrap());
        assert_eq!(removed.unwrap().len(), 4);
        let behind = retired();
        assert_eq!((behind.0 - before.0, behind.1 - before.1), (3, 1));
    });
}

/// Nobody looks at the numbers meanwhile.
#[test]
fn republishing_gathers_no_tallies() {
    let registry = Registry::new(BTreeMap::new(), FaultPolicies::default(), Quarantine::default());
    registry.register(on_three_points(), Owner(1)).unwrap();
    for _ in 0..10_000 {
        registry.watch(MessagePublish::NAME, |level, _| *level = StatsLevel::Count);
    }
    let followed = registry.points.lock()[MessagePublish::NAME].counts.followed();
    assert!(followed <= 3, "{followed}");
}

#[test]
fn no_callback_stands_in_for_a_plugin_that_runs() {
    let registry = Registry::new(BTreeMap::new(), FaultPolicies::default(), Quarantine::default());
    let publish = registry.declare::<MessagePublish>().unwrap();
    let required = |owner| {
        let mut additions = on_three_points().into_additions(&registry, Owner(owner)).unwrap();
        for Addition { callback, .. } in &mut additions {
            (callback.required, callback.terms.fault) = (true, FaultPolicy::Closed);
        }
        additions
    };
    registry.begin("three", required(1)).unwrap();
    registry.remove(Owner(1));
    assert!(publish.chain.has_callbacks(), "the host denies in its place");
    registry.begin("four", Vec::new()).unwrap();
    assert!(publish.chain.has_callbacks(), "that is another one");
    // A version without callbacks there.
    let is_elsewhere = |addition: &Addition| addition.point.chain.facts.point != MessagePublish::NAME;
    registry.begin("three", required(2).into_iter().filter(is_elsewhere).collect()).unwrap();
    assert!(!publish.chain.has_callbacks());
}

/// Halted, stopped or unloaded: there is nothing but the stand-in to change.
#[test]
fn what_is_said_of_the_faults_of_an_absent_plugin_holds_at_once() {
    let registry = Registry::new(BTreeMap::new(), FaultPolicies::default(), Quarantine::default());
    let [publish, seen] =
        [registry.declare::<MessagePublish>().unwrap(), registry.declare::<MessageDelivered>().unwrap()];
    let mut additions = on_three_points().into_additions(&registry, Owner(1)).unwrap();
    for Addition { callback, .. } in &mut additions {
        (callback.required, callback.terms.fault) = (true, FaultPolicy::Open);
    }
    registry.begin("three", additions).unwrap();
    registry.remove(Owner(1));
    let say = |fault, enabled| {
        registry.amend(|_, callback| Some((Terms { fault, enabled, ..callback.terms }, Some(Origin::Operator))));
        (publish.chain.has_callbacks(), seen.chain.has_callbacks())
    };
    assert_eq!((publish.chain.has_callbacks(), seen.chain.has_callbacks()), (false, false), "they let pass");
    assert_eq!(say(FaultPolicy::Closed, true), (true, false), "the host denies where that is possible");
    assert_eq!(say(FaultPolicy::Closed, false), (false, false));
    assert_eq!(say(FaultPolicy::Closed, true), (true, false));
    assert_eq!(say(FaultPolicy::Rollback, true), (false, false));
}

#[test]
fn readers_enter_a_point_without_callbacks_while_a_plugin_leaves() {
    let registry = Registry::new(BTreeMap::new(), FaultPolicies::default(), Quarantine::default());
    let state = registry.declare::<MessagePublish>().unwrap();
    let is = || (state.chain.is_hooked(), state.chain.has_callbacks());
    let [first, second] = [1, 2].map(Owner);
    registry.register(on_three_points(), first).unwrap();
    assert_eq!(is(), (true, true));
    drop(registry.leave(first));
    registry.register(on_three_points(), second).unwrap();
    drop(registry.leave(second));
    assert_eq!(is(), (true, false), "two leave");
    registry.finish_drain();
    assert_eq!(is(), (true, false), "one leaves");
    registry.finish_drain();
    assert_eq!(is(), (false, false), "nobody does");
}
