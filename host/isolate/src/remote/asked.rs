//! What the instances of a plugin in a worker ask of their host, and who answers.

use std::sync::Arc;

use parking_lot::Mutex;

use super::configs::Configs;
use super::live::{Asked, Live};
use super::plan::Plan;
use super::units::Units;
use crate::wire::{ConfigAsk, UnitAsk};

/// What answers the instances of one plugin.
pub(super) struct OfPlugin {
    configs: Arc<Configs>,
    units: Units,
}

impl OfPlugin {
    pub(super) fn new(plan: Arc<Mutex<Plan>>) -> Arc<Self> {
        Arc::new(OfPlugin { configs: Configs::new(plan.clone()), units: Units::new(plan) })
    }
}

impl Asked for OfPlugin {
    fn config(&self, live: &Arc<Live>, number: u64, instance: String, ask: ConfigAsk) {
        self.configs.clone().answer(live, number, instance, ask);
    }

    fn unit(&self, live: &Arc<Live>, number: u64, ask: UnitAsk) {
        self.units.answer(live, number, ask);
    }

    fn over(&self, live: &Live) {
        self.units.over(live);
    }
}
