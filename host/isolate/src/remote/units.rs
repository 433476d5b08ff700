//! The units of the instances of a plugin in a worker: this host has their processes, as it has those of plugins in its own
//! process, and passes on what happens to them.

use std::collections::HashMap;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use hookrail_engine::{Next, UnitControl, UnitEvent, UnitInbox, UnitSpec};
use parking_lot::Mutex;

use super::live::Live;
use super::plan::Plan;
use crate::wire::{ToWorker, UnitAnswer, UnitAsk, UnitId};

/// How many units a plugin may have at once.
const MOST: usize = 256;

/// The units of one plugin.
pub(super) struct Units {
    plan: Arc<Mutex<Plan>>,
    /// By the process that the plugin runs in, and the number there. Without a control until it has begun.
    begun: Arc<Mutex<Begun>>,
}

type Begun = HashMap<(u64, UnitId), Option<(Arc<dyn UnitControl>, Arc<UnitInbox>)>>;

impl Units {
    pub(super) fn new(plan: Arc<Mutex<Plan>>) -> Self {
        Units { plan, begun: Arc::default() }
    }

    /// Does what an instance asks for.
    pub(super) fn answer(&self, live: &Arc<Live>, number: u64, ask: UnitAsk) {
        let control = |unit| self.control(live, unit);
        let answer = match ask {
            UnitAsk::Begin { unit, instance, spec } => match self.begin(live, number, unit, instance, spec) {
                Ok(()) => return,
                Err(refused) => UnitAnswer::Began(Err(refused)),
            },
            UnitAsk::End(unit) => return self.end(live, unit),
            UnitAsk::Say { unit, run, said } => {
                if let Some(control) = control(unit) {
                    control.say(run, said);
                }
                return;
            }
            UnitAsk::Signal { unit, signal } => {
                UnitAnswer::Signalled(control(unit).is_some_and(|control| control.signal(signal)))
            }
            UnitAsk::Now(unit) => UnitAnswer::Now(control(unit).and_then(|control| control.now())),
        };
        tell(live, number, answer);
    }

    /// Begins a unit, and tells the worker what happens to it, on a thread of its own: this one hears what the worker says.
    fn begin(
        &self,
        live: &Arc<Live>,
        number: u64,
        unit: UnitId,
        instance: String,
        spec: UnitSpec,
    ) -> Result<(), String> {
        let units = self.plan.lock().units.clone().ok_or("it has no instance")?;
        let inbox = Arc::new(UnitInbox::new().map_err(|error| format!("the host can have no more: {error}"))?);
        // Its worker has bounded it for the plugin, by less; it may be the worker that is not to be believed.
        if spec.size() > 4 * UnitSpec::MOST {
            return Err(format!("its texts have more than {} bytes", UnitSpec::MOST));
        }
        let key = (live.epoch, unit);
        {
            let mut begun = self.begun.lock();
            if begun.len() >= MOST {
                return Err(format!("its plugin has {MOST} units already"));
            }
            if begun.contains_key(&key) {
                return Err("it is there already".into());
            }
            begun.insert(key, None);
        }
        let (began, live) = (self.begun.clone(), live.clone());
        let pass_on = move || {
            let control = match units.begin(&instance, spec, inbox.clone()) {
                Ok(control) => control,
                Err(refused) => {
                    began.lock().remove(&key);
                    return tell(&live, number, UnitAnswer::Began(Err(refused)));
                }
            };
            // Without the place that was kept for it, the process that wanted it has ended.
            match began.lock().get_mut(&key) {
                Some(place) => *place = Some((control, inbox.clone())),
                None => leave(&*control, &inbox),
            }
            tell(&live, number, UnitAnswer::Began(Ok(())));
            pass_on(&live, unit, &inbox);
            began.lock().remove(&key);
        };
        let thread = std::thread::Builder::new().name("hookrail-unit-tell".into()).spawn(pass_on);
        thread.map(drop).map_err(|error| {
            self.begun.lock().remove(&key);
            format!("the host can start no thread: {error}")
        })
    }

    fn end(&self, live: &Live, unit: UnitId) {
        let mut begun = self.begun.lock();
        match begun.get(&(live.epoch, unit)) {
            Some(Some((control, _))) => {
                let control = control.clone();
                drop(begun);
                control.end();
            }
            // It is about to begin: without its place it ends at once.
            Some(None) => _ = begun.remove(&(live.epoch, unit)),
            None => {}
        }
    }

    fn control(&self, live: &Live, unit: UnitId) -> Option<Arc<dyn UnitControl>> {
        Some(self.begun.lock().get(&(live.epoch, unit))?.as_ref()?.0.clone())
    }

    /// Ends what that process has not ended.
    pub(super) fn over(&self, live: &Live) {
        let left: Vec<_> = self.begun.lock().extract_if(|(epoch, _), _| *epoch == live.epoch).collect();
        for (_, control) in left {
            if let Some((control, inbox)) = control {
                leave(&*control, &inbox);
            }
        }
    }
}

/// Ends a unit that nobody speaks with any more.
fn leave(control: &dyn UnitControl, inbox: &UnitInbox) {
    inbox.close();
    control.end();
}

/// Passes on what happens to a unit, until it is gone.
fn pass_on(live: &Live, unit: UnitId, inbox: &UnitInbox) {
    loop {
        let (event, descriptors) = match inbox.next(Duration::MAX) {
            Next::Gone => (UnitEvent::Gone, Vec::new()),
            Next::Happened(event, descriptors) => (event, descriptors),
            Next::Nothing => continue,
        };
        let is_gone = event == UnitEvent::Gone;
        let descriptors: Vec<_> = descriptors.iter().map(AsFd::as_fd).collect();
        // A worker that does not listen is ended, and the unit with it.
        let _ = live.send(&ToWorker::UnitEvent(unit, event), &descriptors);
        if is_gone {
            return;
        }
    }
}

fn tell(live: &Live, number: u64, answer: UnitAnswer) {
    // A worker that does not listen is ended.
    let _ = live.send(&ToWorker::Unit(number, answer), &[]);
}
