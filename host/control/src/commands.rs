//! Which commands exist, and how each is executed.
//!
//! This crate ([`standard`](crate::standard)) and crates above register a command by its type; a command known only at
//! run time is registered by its name. A caller that has a typed command has it executed as that type, and gets the
//! type's answer; a caller that has a line of JSON has it executed by name.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;

use hookrail_model::command::{Command, LONGEST_WAIT, Requirements};
use hookrail_model::wire;
use parking_lot::RwLock;
use serde_json::{Map, Value};

use crate::call::Call;
use crate::error::{ControlError, Error};

/// Executes a command that came as JSON.
pub trait Handler: Send + Sync {
    /// What executing it requires.
    fn requirements(&self) -> Requirements;

    /// Executes it, with these fields.
    ///
    /// # Errors
    /// If the fields are not those of the command, or the command fails.
    fn execute(&self, call: &Call<'_>, fields: Map<String, Value>) -> Result<Value, Error>;
}

/// All commands of a host, by name.
#[derive(Default)]
pub(crate) struct Commands {
    by_name: RwLock<BTreeMap<String, Entry>>,
}

#[derive(Clone)]
struct Entry {
    handler: Arc<dyn Handler>,
    /// The handler as a [`Typed`] one, if it is one.
    typed: Option<Arc<dyn Any + Send + Sync>>,
}

/// Executes commands of one type.
struct Typed<C: Command> {
    run: Box<Run<C>>,
}

type Run<C> = dyn Fn(&Call<'_>, C) -> Result<<C as Command>::Answer, Error> + Send + Sync;

impl Commands {
    /// Registers how a command is executed. The first handler of a name stays; returns whether it is this one.
    pub(crate) fn register<C: Command>(
        &self,
        run: impl Fn(&Call<'_>, C) -> Result<C::Answer, Error> + Send + Sync + 'static,
    ) -> bool {
        let typed = Arc::new(Typed::<C> { run: Box::new(run) });
        self.add(C::NAME, Entry { handler: typed.clone(), typed: Some(typed) })
    }

    /// As [`register`](Self::register), for a command that is known by its name alone.
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

    /// Executes a command.
    pub(crate) fn execute<C: Command>(&self, call: &Call<'_>, command: C) -> Result<C::Answer, Error> {
        let entry = self.by_name.read().get(C::NAME).cloned();
        let typed = entry.as_ref().and_then(|entry| entry.typed.as_ref()?.downcast_ref::<Typed<C>>());
        typed.ok_or_else(|| self.unknown(C::NAME))?.run(call, command)
    }

    /// The handler of the command with that name.
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
        // Before anything is done: a wait that would be cut short is better refused.
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
    fn requirements(&self) -> Requirements {
        C::REQUIRES
    }

    fn execute(&self, call: &Call<'_>, fields: Map<String, Value>) -> Result<Value, Error> {
        let command = wire::command(fields).map_err(|error| ControlError::BadRequest(error.to_string()))?;
        let answer = self.run(call, command)?;
        Ok(serde_json::to_value(answer).expect("answers have text for keys, and are JSON"))
    }
}
