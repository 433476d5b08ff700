//! The checks themselves. Each function is one check, and runs in its own process.

pub(super) mod config;
pub(super) mod endpoints;
pub(super) mod fuzz;
pub(super) mod leave;
pub(super) mod lifecycle;
pub(super) mod load;
pub(super) mod look;
pub(super) mod payloads;
pub(super) mod shared;
pub(super) mod state;
pub(super) mod traffic;

use super::answer::{Found, Not};
use super::raw::{self, Instance, Library, Refusal};
use super::subject::Subject;

/// Reports what the driver did, unless the plugin committed an offence meanwhile.
fn caught(did: impl Into<String>) -> Found {
    let offences = raw::offences();
    if offences.is_empty() { Ok(did.into()) } else { Err(Not::Failed(offences.join("; "))) }
}

/// A call that must succeed.
fn must<T>(when: &str, result: Result<T, Refusal>) -> Result<T, Not> {
    result.map_err(|refusal| Not::Failed(format!("{when}: {refusal}")))
}

/// A call that may be refused, but only in the way that `docs/abi.md` defines.
fn may<T>(when: &str, result: Result<T, Refusal>) -> Result<Option<T>, Not> {
    match result {
        Ok(done) => Ok(Some(done)),
        Err(refusal) if refusal.is_orderly() => Ok(None),
        Err(refusal) => Err(Not::Failed(format!("{when}: {refusal}"))),
    }
}

/// A started instance with the given configuration.
fn started(subject: &Subject, library: Library) -> Result<Instance, Not> {
    let mut instance = must("creating an instance", library.create(subject.name(), &subject.config()))?;
    must("starting it", instance.start())?;
    Ok(instance)
}

/// Ends a started instance.
fn end(mut instance: Instance) -> Result<(), Not> {
    must("stopping it", instance.stop())?;
    must("destroying it", instance.destroy())
}
