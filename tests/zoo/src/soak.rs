//! How a plugin that is being soaked writes into the soak's ledger.

use std::sync::atomic::Ordering;

use crate::ledger::Ledger;

/// Where the ledger is.
#[derive(Clone, Copy, Debug, serde::Deserialize, schemars::JsonSchema)]
pub struct Config {
    ledger: usize,
}

/// One generation, with its line to the ledger.
#[derive(Clone, Copy, Debug)]
pub struct Generation {
    ledger: &'static Ledger,
    number: u64,
}

impl Config {
    /// A generation begins, with the next number.
    pub fn begin(self) -> Generation {
        // SAFETY: the soak says where its ledger is, and never frees it.
        let ledger = unsafe { &*std::ptr::with_exposed_provenance::<Ledger>(self.ledger) };
        Generation { ledger, number: ledger.started.fetch_add(1, Ordering::SeqCst) + 1 }
    }
}

impl Generation {
    /// A message is stamped: with this.
    pub fn stamp(self) -> u64 {
        self.ledger.stamped.fetch_add(1, Ordering::SeqCst);
        self.number
    }

    /// A thread-local is filled, or a thread starts.
    pub fn begun(self) {
        self.ledger.begun.fetch_add(1, Ordering::SeqCst);
    }

    /// The thread-local is dropped, or the thread comes to its end.
    pub fn ended(self) {
        self.ledger.ended.fetch_add(1, Ordering::SeqCst);
    }

    /// The generation's value is dropped.
    pub fn dropped(self) {
        self.ledger.dropped.fetch_add(1, Ordering::SeqCst);
    }
}
