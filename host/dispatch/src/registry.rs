//! The points and their callbacks. All changes of one plugin are one transaction.

mod point;
mod point_entry;
mod root;

use std::collections::BTreeMap;
use std::ptr::NonNull;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, OnceLock};

use hookrail_abi::Point;
use hookrail_model::config::{FaultPolicies, PointConfig, Quarantine};
use hookrail_model::error::ApiMisuse;
use hookrail_model::installed::Origin;
use hookrail_model::instance::plugin_of;
use hookrail_model::stats::StatsLevel;
use parking_lot::Mutex;

pub use point::PointState;
pub use point_entry::Look;
use point_entry::{PointEntry, Replaced};
use root::FormerRoot;
pub(crate) use root::Root;

use crate::chain::{Callback, CallbackState, Entry, Owner, Snapshot, Terms};
use crate::fault::Signals;
use crate::reclaim::{self, Limbo};
use crate::stats::Tracers;
use crate::sync::{AtomicPtr, Ordering};

/// The points of a host, and their callbacks.
///
/// # Invariants
/// The published chain of a point holds its enabled callbacks, in order, without those that are absent and deny nothing.
/// `root` came from a box, and what it pointed to before is dropped only after a grace period.
pub struct Registry {
    points: Mutex<BTreeMap<&'static str, PointEntry>>,
    /// How many plugins are leaving: meanwhile readers enter empty points too, and run what they have left of those.
    leaving: AtomicUsize,
    /// Takes each snapshot before `points` is unlocked, so that an unloading misses none that holds its callbacks.
    limbo: Limbo<Retired>,
    /// The chains of all points after the last transaction.
    root: AtomicPtr<Root>,
    config: BTreeMap<String, PointConfig>,
    faults: FaultPolicies,
    /// What the program is called in the catalogue, if it is there: it dispatches points that others may not.
    pub program: OnceLock<&'static str>,
    /// What dispatches find out about callbacks.
    pub signals: Arc<Signals>,
}

/// What a transaction replaced.
enum Retired {
    Root {
        _root: FormerRoot,
    },
    /// A snapshot of the point with that name.
    Snapshot(&'static str, Snapshot),
}

/// A callback that is to be added to a point.
pub struct Addition {
    /// The point.
    pub point: Arc<PointState>,
    /// The callback; its priority determines its place.
    pub callback: Callback,
}

/// A callback that was taken out of its chain for a while.
pub struct TakenOut {
    point: &'static str,
    callback: Arc<Callback>,
}

impl TakenOut {
    /// Grants it other terms, under which it will come back, if `amend` returns some.
    pub fn amend(&mut self, amend: impl Fn(&'static str, &Callback) -> Option<(Terms, Option<Origin>)>) {
        if let Some((terms, by)) = amend(self.point, &self.callback) {
            self.callback = Arc::new(self.callback.under(terms, by));
        }
    }

    /// The callback itself, which does not come back.
    pub fn into_callback(self) -> Arc<Callback> {
        self.callback
    }
}

impl Registry {
    /// Without points; `config` is by point name.
    pub fn new(config: BTreeMap<String, PointConfig>, faults: FaultPolicies, quarantine: Quarantine) -> Self {
        Registry {
            config,
            faults,
            program: OnceLock::new(),
            signals: Arc::new(Signals::new(quarantine)),
            points: Mutex::default(),
            leaving: AtomicUsize::new(0),
            limbo: Limbo::new(),
            root: AtomicPtr::new(Box::into_raw(Box::default())),
        }
    }

    /// The point of that declaration, which is declared at its first use.
    pub fn declare<P: Point>(&self) -> Result<Arc<PointState>, ApiMisuse> {
        let mut points = self.points.lock();
        let is_new = !points.contains_key(P::NAME);
        let point_entry =
            points.entry(P::NAME).or_insert_with(|| PointEntry::new::<P>(self.config.get(P::NAME), self.faults));
        if !point_entry.state.is::<P>() {
            return Err(ApiMisuse::PointRedeclared(P::NAME.into()));
        }
        let state = point_entry.state.clone();
        if is_new && point_entry.level > StatsLevel::Off {
            let retired = point_entry.publish(false);
            self.retire(&points, vec![retired]);
        }
        Ok(state)
    }

    /// The point with that name.
    pub fn point(&self, name: &str) -> Option<Arc<PointState>> {
        self.points.lock().get(name).map(|point_entry| point_entry.state.clone())
    }

    /// Passes every point and its callbacks, in order, to `look`.
    pub fn each(&self, mut look: impl FnMut(&Look<'_>)) {
        self.points.lock().values_mut().for_each(|point_entry| {
            point_entry.counts.bring_in();
            let PointEntry { state, callbacks, level, tracers, counts } = point_entry;
            look(&Look { state, callbacks, level: *level, tracers: tracers.0.len(), counts });
        });
    }

    /// Looks at the dispatches of a point in another way from now on. `false` when there is no such point.
    pub fn watch(&self, point: &str, change: impl FnOnce(&mut StatsLevel, &mut Tracers)) -> bool {
        self.change(point, |point_entry| {
            change(&mut point_entry.level, &mut point_entry.tracers);
            true
        })
    }

    /// Ends all traces.
    pub fn end_traces(&self) {
        let mut points = self.points.lock();
        let is_left = self.leaving.load(Ordering::Relaxed) > 0;
        let (mut ended, mut retired) = (Vec::new(), Vec::new());
        for point_entry in points.values_mut().filter(|point_entry| !point_entry.tracers.0.is_empty()) {
            ended.append(&mut point_entry.tracers.0);
            retired.push(point_entry.publish(is_left));
        }
        self.retire(&points, retired);
        drop(points);
        self.limbo.collect();
        ended.iter().for_each(|tracer| tracer.close());
    }

    /// Changes the state of a callback if it is still there, and returns it. If `change` returns `None` the state
    /// stays.
    pub fn stand(
        &self,
        point: &str,
        is_meant: impl Fn(&Callback) -> bool,
        change: impl FnOnce(&Callback) -> Option<CallbackState>,
    ) -> Option<Arc<Callback>> {
        let mut found = None;
        self.change(point, |point_entry| {
            found = point_entry.callbacks.iter().find(|callback| is_meant(callback)).cloned();
            let Some(callback) = &found else { return false };
            let Some(state) = change(callback) else { return false };
            *callback.state.lock() = state;
            true
        });
        found
    }

    /// Changes a point, and publishes it again if `change` returns true. `false` if there is no such point.
    fn change(&self, point: &str, change: impl FnOnce(&mut PointEntry) -> bool) -> bool {
        let mut points = self.points.lock();
        let is_left = self.leaving.load(Ordering::Relaxed) > 0;
        let Some(point_entry) = points.get_mut(point) else { return false };
        if !change(point_entry) {
            return true;
        }
        let retired = point_entry.publish(is_left);
        self.retire(&points, vec![retired]);
        drop(points);
        self.limbo.collect();
        true
    }

    /// The point and the callback of an entry, in a chain that is or was published.
    pub fn entry(&self, entry: *mut ()) -> Option<(&'static str, Arc<Callback>)> {
        let is_it = |found: &Entry<'_>| found.pair.identity() == entry;
        let points = self.points.lock();
        for point_entry in points.values() {
            // SAFETY: what is published is replaced and retired under this lock alone, so it is alive.
            if let Some(found) = unsafe { point_entry.state.chain.load().entries() }.find(is_it) {
                return Some((point_entry.state.chain.facts.point, found.callback.clone()));
            }
        }
        drop(points);
        let mut found = None;
        self.limbo.each(|retired| {
            if let Retired::Snapshot(point, snapshot) = retired
                && let Some(entry) = snapshot.entries().find(is_it)
            {
                found = Some((*point, entry.callback.clone()));
            }
        });
        found
    }

    /// Adds all of them, or none. Does not wait for readers.
    pub(crate) fn add(&self, additions: Vec<Addition>) -> Result<(), ApiMisuse> {
        self.swap(None, None, additions).map(drop)
    }

    /// As `add`, for a plugin that runs from now on: removes all its stand-ins, also those for callbacks that it no
    /// longer has.
    pub fn begin(&self, plugin: &str, additions: Vec<Addition>) -> Result<(), ApiMisuse> {
        self.swap(None, Some(plugin), additions).map(drop)
    }

    /// Adds the callbacks of a plugin that [`take_out`](Self::take_out) returned: all of them, or none. Those that were
    /// quarantined are called again. Does not wait for readers.
    pub fn put_back(&self, plugin: &str, taken_out: &[TakenOut]) -> Result<(), ApiMisuse> {
        let mut by_point: BTreeMap<&'static str, Vec<Arc<Callback>>> = BTreeMap::new();
        for TakenOut { point, callback } in taken_out {
            // It is in no chain, so nobody else changes its state.
            *callback.state.lock() = callback.arm();
            by_point.entry(point).or_default().push(callback.clone());
        }
        self.swap_by_point(None, Some(plugin), by_point).map(drop)
    }

    /// Removes all callbacks of `leaving` and adds these, with one publication per point, or changes nothing. Returns
    /// the removed callbacks. Does not wait for readers. `leaving` drains until [`finish_drain`](Self::finish_drain).
    pub fn replace(&self, leaving: Owner, additions: Vec<Addition>) -> Result<Vec<Arc<Callback>>, ApiMisuse> {
        self.swap(Some(leaving), None, additions)
    }

    fn swap(
        &self,
        leaving: Option<Owner>,
        begins: Option<&str>,
        additions: Vec<Addition>,
    ) -> Result<Vec<Arc<Callback>>, ApiMisuse> {
        let mut by_point: BTreeMap<&'static str, Vec<Arc<Callback>>> = BTreeMap::new();
        for addition in additions {
            by_point.entry(addition.point.chain.facts.point).or_default().push(Arc::new(addition.callback));
        }
        self.swap_by_point(leaving, begins, by_point)
    }

    fn swap_by_point(
        &self,
        leaving: Option<Owner>,
        begins: Option<&str>,
        mut by_point: BTreeMap<&'static str, Vec<Arc<Callback>>>,
    ) -> Result<Vec<Arc<Callback>>, ApiMisuse> {
        let mut removed = Vec::new();
        // After `by_point`, so that refused additions are dropped without the lock: a drop may run foreign code.
        let mut points = self.points.lock();
        let leaves = |callback: &Arc<Callback>| match callback.owner {
            Owner::DEFAULT_VERDICT => Some(plugin_of(&callback.instance)) == begins,
            owner => Some(owner) == leaving,
        };
        for (&name, point_entry) in &*points {
            if point_entry.callbacks.iter().any(leaves) {
                by_point.entry(name).or_default();
            }
        }
        let mut next = Vec::with_capacity(by_point.len());
        for (&name, added) in &mut by_point {
            let (gone, mut callbacks): (Vec<_>, Vec<_>) = points[name].callbacks.iter().cloned().partition(leaves);
            for callback in added.iter_mut().filter_map(Arc::get_mut) {
                if let Some(before) = gone.iter().find(|before| before.id == callback.id) {
                    callback.record = before.record.clone();
                }
            }
            removed.extend(gone);
            callbacks.extend_from_slice(added);
            callbacks.sort_by(|a, b| (&a.instance, &a.name).cmp(&(&b.instance, &b.name)));
            if let Some(twice) = callbacks
                .windows(2)
                .find(|pair| (&pair[0].instance, &pair[0].name) == (&pair[1].instance, &pair[1].name))
            {
                let callback = format!("{}/{}", twice[0].instance, twice[0].name);
                return Err(ApiMisuse::callback_exists(name, callback));
            }
            callbacks.sort_by(|a, b| a.place().cmp(&b.place()));
            next.push((name, callbacks));
        }
        // Relaxed, here and in `remove_if` and `finish_drain`: changed before, or under the lock.
        self.leaving.fetch_add(usize::from(leaving.is_some()), Ordering::Relaxed);
        let is_left = self.leaving.load(Ordering::Relaxed) > 0;
        let retired = next
            .into_iter()
            .filter_map(|(name, callbacks)| {
                points.get_mut(name).map(|point_entry| point_entry.set_callbacks(callbacks, is_left))
            })
            .collect();
        self.retire(&points, retired);
        drop(points);
        self.limbo.collect();
        Ok(removed)
    }

    /// Grants other terms to the callbacks for which `amend` returns some, all in one transaction, and says who overrides
    /// what they declare. They stay registered: nothing is called differently but in its place, or no longer. Cannot
    /// fail, and does not wait for readers.
    pub fn amend(&self, amend: impl Fn(&'static str, &Callback) -> Option<(Terms, Option<Origin>)>) {
        let mut points = self.points.lock();
        let is_left = self.leaving.load(Ordering::Relaxed) > 0;
        let mut retired = Vec::new();
        for (&point, point_entry) in points.iter_mut() {
            let mut amended = point_entry.callbacks.clone();
            let mut is_new = false;
            for callback in &mut amended {
                if let Some((terms, by)) = amend(point, callback) {
                    *callback = Arc::new(callback.under(terms, by));
                    is_new = true;
                }
            }
            if is_new {
                amended.sort_by(|a, b| a.place().cmp(&b.place()));
                retired.push(point_entry.set_callbacks(amended, is_left));
            }
        }
        self.retire(&points, retired);
        drop(points);
        self.limbo.collect();
    }

    /// Removes all callbacks of an owner and returns them. Cannot fail, and does not wait for readers.
    pub fn remove(&self, owner: Owner) -> Vec<Arc<Callback>> {
        self.take_out(owner).into_iter().map(TakenOut::into_callback).collect()
    }

    /// As [`remove`](Self::remove), for callbacks that [`put_back`](Self::put_back) may add again.
    pub fn take_out(&self, owner: Owner) -> Vec<TakenOut> {
        self.remove_if(true, |callback| callback.owner == owner)
    }

    /// As [`remove`](Self::remove), for a plugin that drains until [`finish_drain`](Self::finish_drain).
    pub fn leave(&self, owner: Owner) -> Vec<Arc<Callback>> {
        self.leaving.fetch_add(1, Ordering::Relaxed);
        self.remove(owner)
    }

    /// Ends the drain of a plugin that was removed by [`leave`](Self::leave): no thread has anything left of it. Drops
    /// nothing.
    pub fn finish_drain(&self) {
        let mut points = self.points.lock();
        if self.leaving.fetch_sub(1, Ordering::Relaxed) > 1 {
            return;
        }
        let draining = points.values_mut().filter(|point_entry| point_entry.state.chain.is_draining());
        let retired = draining.map(|point_entry| point_entry.publish(false)).collect();
        self.retire(&points, retired);
    }

    /// Removes every callback.
    pub fn clear(&self) {
        self.remove_if(false, |_| true);
    }

    /// With `stand_in`, the host stands in for required callbacks wherever a denial is possible: it denies in place of
    /// those whose fault denies now, and of the others as soon as the operator says so.
    fn remove_if(&self, stand_in: bool, is_meant: impl Fn(&Callback) -> bool) -> Vec<TakenOut> {
        let mut removed = Vec::new();
        let mut points = self.points.lock();
        let is_left = self.leaving.load(Ordering::Relaxed) > 0;
        let mut retired = Vec::new();
        for (&point, point_entry) in points.iter_mut() {
            let (gone, mut kept): (Vec<_>, Vec<_>) =
                point_entry.callbacks.drain(..).partition(|callback| is_meant(callback));
            if gone.is_empty() {
                point_entry.callbacks = kept;
            } else {
                let stand_in = stand_in && point_entry.state.chain.facts.deniable;
                let required = gone.iter().filter(|callback| stand_in && callback.required);
                kept.extend(required.map(|callback| Arc::new(callback.stand_in())));
                kept.sort_by(|a, b| a.place().cmp(&b.place()));
                removed.extend(gone.into_iter().map(|callback| TakenOut { point, callback }));
                retired.push(point_entry.set_callbacks(kept, is_left));
            }
        }
        self.retire(&points, retired);
        drop(points);
        self.limbo.collect();
        removed
    }

    /// Publishes the root of what was just published point by point, and retires what both replace.
    fn retire(&self, points: &BTreeMap<&'static str, PointEntry>, replaced: Vec<Replaced>) {
        let root = Box::new(Root::of(points.values().map(|point_entry| &point_entry.state.chain)));
        // Release: pairs with the Acquire in `pin`. Acquire: the root to retire was written by another writer.
        // INVARIANT: the previous root goes to the limbo.
        let before = self.root.swap(Box::into_raw(root), Ordering::AcqRel);
        let before = NonNull::new(before).expect("by the type invariant there is always a root");
        // SAFETY: by the type invariant it came from a box, and nobody else can take it now; the limbo drops it when its
        // readers have left.
        let before = Retired::Root { _root: unsafe { FormerRoot::new(before) } };
        let snapshots = replaced.into_iter().map(|(point, snapshot)| Retired::Snapshot(point, snapshot));
        self.limbo.retire(snapshots.chain([before]).collect());
    }

    /// Calls `read` with the chains of all points at one instant, which stay until it returns.
    pub(crate) fn pin<R>(&self, read: impl FnOnce(&Root) -> R) -> R {
        // Acquire: pairs with the Release in `retire`.
        // SAFETY: by the type invariant it is a root, which stays while we are inside.
        reclaim::pin(|| read(unsafe { &*self.root.load(Ordering::Acquire) }))
    }

    /// Overwrites the code of an owner's callbacks in all retired snapshots, and returns what frames hold while they
    /// call one.
    pub fn disarm(&self, owner: Owner) -> Vec<*mut ()> {
        let mut disarmed = Vec::new();
        self.limbo.each(|retired| {
            let Retired::Snapshot(_, snapshot) = retired else { return };
            for entry in snapshot.entries().filter(|entry| entry.callback.owner == owner) {
                entry.pair.disarm();
                disarmed.push(entry.pair.identity());
            }
        });
        disarmed
    }

    /// Drops retired snapshots that no thread reads any more.
    pub fn collect(&self) {
        self.limbo.collect();
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        // SAFETY: by the type invariant it came from a box; nobody pins, since a pin borrows the registry.
        drop(unsafe { Box::from_raw(*self.root.get_mut()) });
    }
}

#[cfg(test)]
mod concurrent;
#[cfg(test)]
mod tests;
