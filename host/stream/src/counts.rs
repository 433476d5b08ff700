//! What became of messages.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use hookrail_abi::DropKind;

/// Counts of dropped messages, by reason.
#[derive(Debug, Default)]
pub(crate) struct Drops([AtomicU64; Drops::KINDS.len()]);

impl Drops {
    const KINDS: [DropKind; 7] = [
        DropKind::Denied,
        DropKind::Expired,
        DropKind::Fault,
        DropKind::Full,
        DropKind::Shutdown,
        DropKind::Replaced,
        DropKind::Unrouted,
    ];

    pub(crate) fn add(&self, kind: DropKind) {
        let place = Self::KINDS.iter().position(|known| *known == kind);
        // Relaxed: a count, as all in this file.
        self.0[place.expect("the host drops for a reason that it knows")].fetch_add(1, Ordering::Relaxed);
    }

    /// Those that are not 0, by the reason's name.
    pub(crate) fn view(&self) -> BTreeMap<String, u64> {
        let counts = Self::KINDS.iter().zip(&self.0).map(|(kind, count)| (kind, count.load(Ordering::Relaxed)));
        counts.filter(|(_, count)| *count > 0).map(|(kind, count)| (kind.name().to_owned(), count)).collect()
    }
}

/// A number that only grows.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self, more: usize) {
        self.0.fetch_add(more as u64, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
