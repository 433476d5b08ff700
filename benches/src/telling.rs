//! A plugin that logs each step, and loops over as many steps without logging.

use std::hint::black_box;

use hookrail_abi::prelude::*;

use crate::{Work, WorkDone};

/// Its callbacks take as many steps as the payload says.
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

    fn panic(&self, _: &mut Work) {
        panic!("as it was asked to");
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
        WorkDone, "silent" => Self::silent, priority = 10, effects = pure;
        WorkDone, "trace" => Self::trace, priority = 11;
        WorkDone, "info" => Self::info, priority = 12;
        WorkDone, "panic" => Self::panic, priority = 13;
    ];

    fn start(_: &Startup, _: NoConfig) -> Result<Self> {
        Ok(Telling)
    }
}
