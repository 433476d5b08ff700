//! What the instances of a plugin in a worker ask of their host, and who answers.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::bus::Buses;
use super::configs::Configs;
use super::dispatch::{self, Dispatches};
use super::live::{Asked, Live};
use super::plan::Plan;
use super::units::Units;
use crate::wire::{BusAsk, ConfigAsk, PointAnswer, PointAsk, UnitAsk};

/// What answers the instances of one plugin.
pub(super) struct OfPlugin {
    plan: Arc<Mutex<Plan>>,
    configs: Arc<Configs>,
    units: Units,
    pub(super) buses: Buses,
    dispatches: Dispatches,
    /// How long it may take to read or to write a frame.
    patience: Duration,
}

impl OfPlugin {
    pub(super) fn new(plan: Arc<Mutex<Plan>>, patience: Duration) -> Arc<Self> {
        let (configs, units) = (Configs::new(plan.clone()), Units::new(plan.clone()));
        let (buses, dispatches) = Default::default();
        Arc::new(OfPlugin { plan, configs, units, buses, dispatches, patience })
    }
}

impl Asked for OfPlugin {
    fn bus(&self, live: &Arc<Live>, number: u64, instance: &str, ask: BusAsk) {
        self.buses.answer(live, number, instance, ask, self.patience);
    }

    fn config(&self, live: &Arc<Live>, number: u64, instance: String, ask: ConfigAsk) {
        self.configs.clone().answer(live, number, instance, ask);
    }

    fn dispatch(&self, live: &Arc<Live>, number: u64) {
        self.dispatches.answer(live, number, &self.plan, self.patience);
    }

    fn dispatch_here(&self, ask: PointAsk) -> Option<PointAnswer> {
        // Not held while callbacks run.
        let points = self.plan.lock().points.clone()?;
        Some(dispatch::answer(&*points, ask))
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
