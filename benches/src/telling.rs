//! A plugin that tells of each step, and loops of as many steps that do not.

use std::hint::black_box;

use hookrail_abi::prelude::*;

use crate::{Work, WorkDone};

/// Its callbacks take so many steps as the payload says.
#[derive(Debug)]
pub struct Telling;

impl Telling {
    fn silent(&self, work: &mut Work) {
        for step in 0..black_box(work.count) {
            black_box(step);
        }
    }

    fn trace(&self, work: &mut Work) {
        for step in 0..black_box(work.count) {
            black_box(step);
            tracing::trace!(step, "a step");
        }
    }

    fn info(&self, work: &mut Work) {
        for step in 0..black_box(work.count) {
            tracing::info!(step, "a step");
        }
    }
}

impl Plugin for Telling {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks![
        WorkDone, 10, "silent", Self::silent, pure;
        WorkDone, 11, "trace", Self::trace;
        WorkDone, 12, "info", Self::info;
    ];

    fn start(_: &Registrar, _: NoConfig) -> Result<Self> {
        Ok(Telling)
    }
}
