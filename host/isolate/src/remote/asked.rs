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
    plan: Arc<Mutex<Plan>>,
    configs: Arc<Configs>,
    units: Units,
}

impl OfPlugin {
    pub(super) fn new(plan: Arc<Mutex<Plan>>) -> Arc<Self> {
        Arc::new(OfPlugin { configs: Configs::new(plan.clone()), units: Units::new(plan.clone()), plan })
    }
}

impl Asked for OfPlugin {
    fn config(&self, live: &Arc<Live>, number: u64, instance: String, ask: ConfigAsk) {
        self.configs.clone().answer(live, number, instance, ask);
    }

    fn faulted(&self, live: &Live, callback: u32, kind: u32, text: String) {
        let plan = self.plan.lock();
        let mut proxies = plan.instances.iter().flat_map(|instance| &instance.proxies);
        if let Some(proxy) = proxies.find(|proxy| proxy.number(live.epoch) == Some(callback)) {
            proxy.owe(kind, text);
        }
    }

    fn unit(&self, live: &Arc<Live>, number: u64, ask: UnitAsk) {
        self.units.answer(live, number, ask);
    }

    fn over(&self, live: &Live) {
        self.units.over(live);
    }
}
