//! The units of one instance.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::units::{UnitControl, UnitInbox, Units};

/// How many units an instance may have at once.
const MOST: usize = 256;

/// The units of one instance.
#[derive(Debug)]
pub(crate) struct UnitsOf {
    behind: Mutex<Arc<dyn Units>>,
    /// By name. Those that are over go when another one begins.
    places: Mutex<BTreeMap<String, Taken>>,
}

/// What has a name: a unit with the id of its registration, or one that is about to begin.
type Taken = Option<(u64, Arc<Open>)>;

/// A unit that was begun.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) control: Arc<dyn UnitControl>,
    pub(super) inbox: Arc<UnitInbox>,
}

impl UnitsOf {
    pub(crate) fn new(behind: &Arc<dyn Units>) -> Self {
        UnitsOf { behind: Mutex::new(behind.clone()), places: Mutex::default() }
    }

    /// The instance is created once more.
    pub(crate) fn begin(&self, behind: &Arc<dyn Units>) {
        *self.behind.lock() = behind.clone();
    }

    pub(super) fn behind(&self) -> Arc<dyn Units> {
        self.behind.lock().clone()
    }

    /// One, by the id of its registration.
    pub(super) fn get(&self, id: u64) -> Option<Arc<Open>> {
        let places = self.places.lock();
        let (_, open) = places.values().flatten().find(|(known, _)| *known == id)?;
        Some(open.clone())
    }

    /// Forgets those that are over; returns their ids.
    pub(super) fn forget(&self) -> Vec<u64> {
        let is_over = |_: &String, place: &mut Taken| place.as_ref().is_some_and(|(_, open)| open.inbox.is_gone());
        self.places.lock().extract_if(.., is_over).filter_map(|(_, place)| Some(place?.0)).collect()
    }

    /// A place for a unit of that name.
    pub(super) fn take_name(&self, name: &str) -> Result<Place<'_>, String> {
        let mut places = self.places.lock();
        if places.contains_key(name) {
            return Err(format!("it has a unit named `{name}` already"));
        }
        if places.len() >= MOST {
            return Err(format!("it has {MOST} units already"));
        }
        places.insert(name.into(), None);
        Ok(Place { units: self, name: name.into() })
    }
}

/// The place of a unit that is about to begin. If it is dropped, it is free again.
pub(super) struct Place<'a> {
    units: &'a UnitsOf,
    name: String,
}

impl Place<'_> {
    pub(super) fn fill(mut self, id: u64, open: Arc<Open>) {
        let name = std::mem::take(&mut self.name);
        self.units.places.lock().insert(name, Some((id, open)));
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        // One that is filled has no name any more, which none has.
        self.units.places.lock().remove(&self.name);
    }
}
