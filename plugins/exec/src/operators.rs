//! The operators of an instance: begun, changed and ended together.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use hookrail_abi::host::Level;
use hookrail_abi::prelude::*;

use crate::config::{Config, Operator};
use crate::leftover;
use crate::link::{Link, Phase};
use crate::operator::Keeper;
use crate::request::{Reply, Request};
use crate::said::What;

/// How much longer than the operator may take its thread may take to say so.
const SLACK: Duration = Duration::from_secs(1);

/// All of them, by their names.
pub(crate) struct Operators {
    instance: Instance,
    state: PathBuf,
    ephemeral: PathBuf,
    kept: Mutex<BTreeMap<String, Kept>>,
}

struct Kept {
    operator: Operator,
    link: Arc<Link>,
    thread: Option<JoinHandle<()>>,
}

impl Operators {
    /// # Errors
    /// If the instance has no directories, or the system no more threads.
    pub(crate) fn begin(instance: Instance, config: Config) -> Result<Self> {
        config.check()?;
        let (state, ephemeral) = (instance.dir(Dir::State)?, instance.dir(Dir::Ephemeral)?);
        let operators = Operators { instance, state, ephemeral, kept: Mutex::default() };
        let mut kept = operators.kept();
        for (name, operator) in config.operators {
            let begun = operators.keep(&name, operator)?;
            kept.insert(name, begun);
        }
        drop(kept);
        Ok(operators)
    }

    fn kept(&self) -> MutexGuard<'_, BTreeMap<String, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, name: &str, operator: Operator) -> Result<Kept> {
        let link = Arc::new(Link::new(name)?);
        self.publish_kept(&link);
        let keeper = Keeper {
            link: link.clone(),
            instance: self.instance,
            operator: operator.clone(),
            state: self.state.join("operators").join(name),
            ephemeral: self.ephemeral.join(name),
            processes: 0,
        };
        let thread = std::thread::Builder::new().name(format!("exec-{name}")).spawn(move || keeper.keep())?;
        link.wait_until_begun();
        Ok(Kept { operator, link, thread: Some(thread) })
    }

    fn publish_kept(&self, link: &Link) {
        if let Err(why) = leftover::publish(link, &self.state) {
            let line = format!("operator {}: what it has published before cannot be read: {why}", link.name);
            self.instance.log(Level::Error, line);
        }
    }

    /// Publishes what the generation before has left.
    pub(crate) fn take_over(&self) {
        self.kept().values().for_each(|kept| self.publish_kept(&kept.link));
    }

    /// The link of an operator.
    ///
    /// # Errors
    /// If there is no such operator.
    pub(crate) fn link(&self, name: &str) -> Result<Arc<Link>> {
        let kept = self.kept();
        if let Some(found) = kept.get(name) {
            return Ok(found.link.clone());
        }
        let name = crate::shown::shown(name);
        let known: Vec<_> = kept.keys().map(|name| format!("`{name}`")).collect();
        let known = if known.is_empty() { "there are none".into() } else { format!("there are {}", known.join(", ")) };
        Err(format!("`operator` is `{name}`, which `operators` of the plugin does not have: {known}").into())
    }

    /// Has all of them pause, or none.
    ///
    /// # Errors
    /// If one refuses, or does not answer.
    pub(crate) fn halt(&self) -> Result<()> {
        self.order(What::Halt, What::Resume)
    }

    /// Has all of them go on.
    ///
    /// # Errors
    /// If one refuses, or does not answer; then all of them stay halted.
    pub(crate) fn resume(&self) -> Result<()> {
        self.order(What::Resume, What::Halt)
    }

    fn order(&self, what: What, back: What) -> Result<()> {
        let kept = self.kept();
        let ask = |what| {
            let asked = kept.values().map(|kept| {
                let reply = Reply::default();
                kept.link.request(Request::Order(what, reply.clone()));
                (kept, reply)
            });
            // All are told before one is waited for.
            asked.collect::<Vec<_>>()
        };
        let mut refused = Ok(());
        for (kept, reply) in ask(what) {
            if let Err(why) = reply.wait(kept.operator.order.duration() + SLACK) {
                refused = Err(format!("the operator `{}`: {why}", kept.link.name).into());
            }
        }
        if refused.is_err() {
            for (kept, reply) in ask(back) {
                let _ = reply.wait(kept.operator.order.duration() + SLACK);
            }
        }
        refused
    }

    /// Applies another configuration: to what differs, and to nothing else.
    ///
    /// # Errors
    /// If it is refused, also by an operator that reloads; then everything is as it was.
    pub(crate) fn reload(&self, config: Config) -> Result<()> {
        config.check()?;
        let mut kept = self.kept();
        for kept in kept.values_mut() {
            if let Some(config) = kept.link.state().stored.take() {
                kept.operator.config = config;
            }
        }
        let mut told: Vec<String> = Vec::new();
        for (name, operator) in &config.operators {
            let Some(kept_now) = kept.get(name).filter(|kept| kept.operator.config != operator.config) else {
                continue;
            };
            if kept_now.operator.needs_restart(operator) {
                continue;
            }
            if let Err(why) = kept_now.tell(operator) {
                for name in told {
                    let _ = kept[&name].tell(&kept[&name].operator);
                }
                return Err(format!("the operator `{name}`: {why}").into());
            }
            told.push(name.clone());
        }
        let gone: Vec<_> = kept.extract_if(.., |name, _| !config.operators.contains_key(name)).collect();
        gone.iter().for_each(|(_, gone)| gone.link.request(Request::End));
        for (name, operator) in config.operators {
            match kept.get_mut(&name) {
                None => {
                    let begun = self.keep(&name, operator)?;
                    kept.insert(name, begun);
                }
                Some(kept) => {
                    if kept.operator.needs_restart(&operator) {
                        let reply = Reply::default();
                        kept.link.request(Request::Replace(Box::new(operator.clone()), reply.clone()));
                        if let Err(why) = reply.wait(kept.operator.stop.duration() + SLACK * 5) {
                            self.instance.log(Level::Error, format!("operator {name}: {why}"));
                        }
                    }
                    kept.operator = operator;
                }
            }
        }
        drop(kept);
        gone.into_iter().for_each(|(_, gone)| self.finish(gone));
        Ok(())
    }

    /// Ends all of them, before that time.
    ///
    /// # Errors
    /// If one has not ended by then.
    pub(crate) fn end(&self, deadline: Instant) -> Result<()> {
        let kept = self.kept();
        kept.values().for_each(|kept| kept.link.request(Request::End));
        let mut late = Vec::new();
        for kept in kept.values() {
            if kept.link.wait_until_over(deadline) {
                self.keep_left(&kept.link);
            } else {
                late.push(format!("`{}`", kept.link.name));
            }
        }
        match &*late {
            [] => Ok(()),
            _ => Err(format!("operators that have not ended yet: {}", late.join(", ")).into()),
        }
    }

    /// Their units have ended: waits for their threads.
    pub(crate) fn stop(&self) {
        let kept = std::mem::take(&mut *self.kept());
        kept.values().for_each(|kept| kept.link.request(Request::End));
        kept.into_values().for_each(|kept| self.finish(kept));
    }

    fn finish(&self, mut kept: Kept) {
        if kept.thread.take().is_some_and(|thread| thread.join().is_err()) {
            self.instance.log(Level::Error, format!("operator {}: its thread has panicked", kept.link.name));
        }
        self.keep_left(&kept.link);
    }

    fn keep_left(&self, link: &Link) {
        if let Err(why) = leftover::keep(link, &self.state) {
            let line = format!("operator {}: what it has published last cannot be kept: {why}", link.name);
            self.instance.log(Level::Error, line);
        }
    }

    /// What is wrong with them.
    pub(crate) fn health(&self) -> Health {
        let wrong: Vec<_> = self.kept().values().filter_map(Kept::wrong).collect();
        if wrong.is_empty() { Health::Good } else { Health::Degraded(wrong.join("; ")) }
    }
}

impl Kept {
    /// Tells it its own configuration.
    fn tell(&self, operator: &Operator) -> Result<()> {
        let reply = Reply::default();
        self.link.request(Request::Reload(operator.config.clone(), reply.clone()));
        reply.wait(self.operator.order.duration() + self.operator.stop.duration() + SLACK)
    }

    fn wrong(&self) -> Option<String> {
        let name = &self.link.name;
        let state = self.link.state();
        match &state.phase {
            Phase::Failed(why) => Some(format!("operator {name} has failed: {why}")),
            Phase::Over => Some(format!("operator {name} has ended")),
            Phase::Starting => Some(format!("operator {name} is not ready")),
            Phase::Ready(..) => state.illness.as_ref().map(|why| format!("operator {name} is not well: {why}")),
        }
    }
}
