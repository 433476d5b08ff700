//! A random host: a seed determines every call it makes.

use super::{caught, config, end, may, must, started, state};
use crate::answer::{Found, Not};
use crate::payload;
use crate::random::Random;
use crate::raw::{Instance, Library};
use crate::subject::Subject;

pub(in super::super) fn fuzz(subject: &Subject) -> Found {
    let library = subject.driven()?;
    let mut random = subject.random("fuzz");
    let running = started(subject, library)?;
    let mut fuzz = Fuzz {
        configs: config::hostile(subject, library, &mut random),
        states: state::hostile(subject, &running, &mut random),
        subject,
        library,
        random,
        instances: Vec::new(),
        most: if subject.inspection.note.instances == "one" { 1 } else { 4 },
    };
    // Large ones are the subject of another check.
    fuzz.configs.retain(|(_, config)| config.len() < 1 << 14);
    fuzz.states.retain(|(_, state)| state.bytes.len() < 1 << 14);
    end(running)?;
    let steps = subject.times(10_000);
    for step in 0..steps {
        fuzz.step().map_err(|not| match not {
            Not::Failed(why) => Not::Failed(format!("step {step} of {steps}: {why}")),
            other => other,
        })?;
    }
    for (instance, is_started) in std::mem::take(&mut fuzz.instances) {
        if is_started { end(instance)? } else { must("destroying it", instance.destroy())? }
    }
    caught(format!("{steps} calls that the seed determines"))
}

struct Fuzz<'a> {
    subject: &'a Subject,
    library: Library,
    random: Random,
    configs: Vec<(String, String)>,
    states: Vec<(String, hookrail_abi::boundary::SavedState)>,
    /// The living instances, and whether each was started.
    instances: Vec<(Instance, bool)>,
    most: usize,
}

impl Fuzz<'_> {
    fn step(&mut self) -> Result<(), Not> {
        if self.instances.is_empty() || self.instances.len() < self.most && self.random.below(10) == 0 {
            return self.create();
        }
        let which = self.random.below(self.instances.len());
        match (self.instances[which].1, self.random.below(20)) {
            (false, 0..=2) => self.destroy(which),
            (false, 3..=6) => self.restore(which),
            (false, _) => self.start(which),
            (true, 0..=1) => self.stop(which),
            (true, 2..=4) => self.reload(which),
            (true, 5..=6) => self.hand_over(which),
            (true, 7) => self.ask(),
            (true, _) => self.call(which),
        }
    }

    /// A configuration: usually the given one.
    fn config(&mut self) -> (String, String) {
        if self.random.below(3) > 0 {
            return ("the good configuration".into(), self.subject.config());
        }
        self.random.of(&self.configs).clone()
    }

    fn create(&mut self) -> Result<(), Not> {
        let (what, config) = self.config();
        self.subject.doing(&format!("creating an instance with {what}"));
        if let Some(instance) = may(&what, self.library.create(self.subject.name(), &config))? {
            self.instances.push((instance, false));
        }
        Ok(())
    }

    fn start(&mut self, which: usize) -> Result<(), Not> {
        self.subject.doing("starting an instance");
        let started = self.instances[which].0.start();
        self.is_started(which, may("starting it", started)?.is_some())
    }

    fn restore(&mut self, which: usize) -> Result<(), Not> {
        let (what, state) = self.random.of(&self.states);
        self.subject.doing(&format!("restoring {what}"));
        let restored = self.instances[which].0.restore(state);
        let restored = may(what, restored)?.is_some();
        self.is_started(which, restored)
    }

    /// An instance that did not start is destroyed.
    fn is_started(&mut self, which: usize, is_started: bool) -> Result<(), Not> {
        self.instances[which].1 = is_started;
        if is_started { Ok(()) } else { self.destroy(which) }
    }

    fn destroy(&mut self, which: usize) -> Result<(), Not> {
        self.subject.doing("destroying an instance");
        must("destroying it", self.instances.swap_remove(which).0.destroy())
    }

    fn stop(&mut self, which: usize) -> Result<(), Not> {
        self.subject.doing("stopping an instance");
        if let Some(rest) = self.instances[which].0.save_changes() {
            may("saving the rest", rest)?;
        }
        must("stopping it", self.instances[which].0.stop())?;
        self.destroy(which)
    }

    fn reload(&mut self, which: usize) -> Result<(), Not> {
        let (what, config) = self.config();
        self.subject.doing(&format!("reloading {what}"));
        self.instances[which].0.reload(&config).map_or(Ok(None), |reloaded| may(&what, reloaded))?;
        Ok(())
    }

    fn hand_over(&mut self, which: usize) -> Result<(), Not> {
        self.subject.doing("saving");
        if let Some(saved) = self.instances[which].0.save() {
            may("saving", saved)?;
        }
        let (what, state) = self.random.of(&self.states);
        self.subject.doing(&format!("merging {what}"));
        self.instances[which].0.apply_changes(state).map_or(Ok(None), |merged| may(what, merged))?;
        Ok(())
    }

    fn ask(&mut self) -> Result<(), Not> {
        let id = self.random.text(10);
        self.subject.doing("asking for a table");
        if self.library.query(id.as_bytes()).is_null() { Ok(()) } else { Err(format!("it has a table {id:?}").into()) }
    }

    fn call(&mut self, which: usize) -> Result<(), Not> {
        let message = payload::any(&mut self.random);
        let callbacks = &self.instances[which].0.callbacks;
        if callbacks.is_empty() {
            return Ok(());
        }
        let callback = self.random.of(callbacks);
        let Some(known) = callback.known else { return Ok(()) };
        self.subject.doing(&format!("calling `{}` on {}", callback.name, callback.point));
        payload::call(callback, known, &message, self.random.below(2) == 0)
            .map_err(|why| Not::Failed(format!("`{}` on {}: {why}", callback.name, callback.point)))
    }
}
