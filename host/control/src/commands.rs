//! Which commands there are, and how each is carried out.
//!
//! A command is registered by its type, by this crate ([`standard`](crate::standard)), by crates above, and one that is
//! known only while the program runs by its name. Whoever has a command in hand has it carried out as that, with its
//! own answer; whoever has a line of JSON, by its name.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;

use hookrail_model::command::{Command, LONGEST_WAIT, Requirements};
use hookrail_model::wire;
use parking_lot::RwLock;
use serde_json::{Map, Value};

use crate::call::Call;
use crate::error::{ControlError, Error};

/// Carries out a command that came as JSON.
pub trait Handler: Send + Sync {
    /// What carrying it out takes.
    fn takes(&self) -> Requirements;

    /// Carries it out, with these fields.
    fn carry_out(&self, call: &Call<'_>, fields: Map<String, Value>) -> Result<Value, Error>;
}

/// All commands of a host, by name.
#[derive(Default)]
pub(crate) struct Commands {
    by_name: RwLock<BTreeMap<String, Entry>>,
}

#[derive(Clone)]
struct Entry {
    handler: Arc<dyn Handler>,
    /// The handler as a [`Typed`] one, if it is.
    typed: Option<Arc<dyn Any + Send + Sync>>,
}

/// Carries out a command of one type.
struct Typed<C: Command> {
    run: Box<Run<C>>,
}

type Run<C> = dyn Fn(&Call<'_>, C) -> Result<<C as Command>::Answer, Error> + Send + Sync;

impl Commands {
    /// A command is carried out like that. The first one of a name stays; returns whether it is this one.
    pub(crate) fn register<C: Command>(
        &self,
        run: impl Fn(&Call<'_>, C) -> Result<C::Answer, Error> + Send + Sync + 'static,
    ) -> bool {
        let typed = Arc::new(Typed::<C> { run: Box::new(run) });
        self.add(C::NAME, Entry { handler: typed.clone(), typed: Some(typed) })
    }

    /// The same of one that is known by its name alone.
    pub(crate) fn register_handler(&self, name: &str, handler: Arc<dyn Handler>) -> bool {
        self.add(name, Entry { handler, typed: None })
    }

    fn add(&self, name: &str, entry: Entry) -> bool {
        let mut by_name = self.by_name.write();
        let is_new = !by_name.contains_key(name);
        if is_new {
            by_name.insert(name.into(), entry);
        }
        is_new
    }

    /// Carries out a command.
    pub(crate) fn carry_out<C: Command>(&self, call: &Call<'_>, command: C) -> Result<C::Answer, Error> {
        let entry = self.by_name.read().get(C::NAME).cloned();
        let typed = entry.as_ref().and_then(|entry| entry.typed.as_ref()?.downcast_ref::<Typed<C>>());
        typed.ok_or_else(|| self.unknown(C::NAME))?.run(call, command)
    }

    /// How a command of that name is carried out.
    pub(crate) fn find(&self, name: &str) -> Result<Arc<dyn Handler>, ControlError> {
        let found = self.by_name.read().get(name).map(|entry| entry.handler.clone());
        found.ok_or_else(|| self.unknown(name))
    }

    fn unknown(&self, name: &str) -> ControlError {
        let names: Vec<_> = self.by_name.read().keys().map(|name| format!("`{name}`")).collect();
        ControlError::BadRequest(format!(
            "there is no command `{}`: there are {}",
            name.escape_debug(),
            names.join(", ")
        ))
    }
}

impl<C: Command> Typed<C> {
    fn run(&self, call: &Call<'_>, command: C) -> Result<C::Answer, Error> {
        // Before anything is done: what cannot be waited for is better refused than cut.
        let limit = LONGEST_WAIT.as_millis() as u64;
        match command.wait_ms() {
            Some(wait) if wait > limit => {
                let why = format!("`wait_ms` is {wait}: at most {limit} can be waited for");
                Err(ControlError::BadRequest(why).into())
            }
            _ => (self.run)(call, command),
        }
    }
}

impl<C: Command> Handler for Typed<C> {
    fn takes(&self) -> Requirements {
        C::REQUIRES
    }

    fn carry_out(&self, call: &Call<'_>, fields: Map<String, Value>) -> Result<Value, Error> {
        let command = wire::command(fields).map_err(ControlError::BadRequest)?;
        let answer = self.run(call, command)?;
        Ok(serde_json::to_value(answer).expect("answers have text for keys, and are JSON"))
    }
}
