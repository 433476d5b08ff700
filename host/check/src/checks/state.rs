//! What one generation hands to the next.

use hookrail_abi::boundary::SavedState;

use super::{caught, end, may, must, started};
use crate::answer::{Found, Not};
use crate::payload;
use crate::random::Random;
use crate::raw::{Instance, Library};
use crate::subject::Subject;

const NO_TABLE: &str = "it has no table state/1";

pub(in super::super) fn round_trip(subject: &Subject) -> Found {
    let library = subject.driven()?;
    let old = started(subject, library)?;
    some_traffic(subject, &old)?;
    let saved = save(&old)?;
    let mut new = must("creating the next instance", library.create(subject.name(), &subject.config()))?;
    must("restoring what was saved", new.restore(&saved))?;
    let again = save(&new)?;
    end(old)?;
    end(new)?;
    if (saved.schema.as_str(), saved.version) != (again.schema.as_str(), again.version) {
        return Err(format!(
            "what was restored saves `{}` version {}, and it was `{}` version {}",
            again.schema, again.version, saved.schema, saved.version
        )
        .into());
    }
    if saved.bytes != again.bytes {
        let why = "what was restored saves other bytes than those it was restored from";
        return Err(Not::Warned(format!("{why}: {} and {}", again.bytes.len(), saved.bytes.len())));
    }
    caught(format!("`{}` version {}, {} bytes, byte for byte", saved.schema, saved.version, saved.bytes.len()))
}

pub(in super::super) fn hostile_state(subject: &Subject) -> Found {
    let library = subject.driven()?;
    if !library.has_state() {
        return Err(Not::Skipped(NO_TABLE.into()));
    }
    let running = started(subject, library)?;
    some_traffic(subject, &running)?;
    let states = hostile(subject, &running, &mut subject.random("hostile-state"));
    let mut refused = 0;
    for (what, state) in &states {
        refused += usize::from(!restore(subject, library, what, state)?);
        subject.doing(&format!("merging {what}"));
        if let Some(merged) = running.apply_changes(state) {
            may(&format!("merging {what}"), merged)?;
        }
    }
    end(running)?;
    end(started(subject, library)?)?;
    caught(format!("{} states, {refused} of them refused with a reason", states.len()))
}

/// Whether the state was accepted.
fn restore(subject: &Subject, library: Library, what: &str, state: &SavedState) -> Result<bool, Not> {
    subject.doing(&format!("restoring {what}"));
    let mut instance = must("creating an instance", library.create(subject.name(), &subject.config()))?;
    let taken = may(&format!("restoring {what}"), instance.restore(state))?.is_some();
    if taken {
        end(instance)?
    } else {
        must("destroying what was not restored", instance.destroy())?
    }
    Ok(taken)
}

/// States that the plugin did not save, or that are almost what it saved.
pub(super) fn hostile(subject: &Subject, running: &Instance, random: &mut Random) -> Vec<(String, SavedState)> {
    let saved = save(running).unwrap_or_else(|_| state(subject.name(), 1, b"{}"));
    let (schema, version) = (saved.schema.as_str(), saved.version);
    let mut states = vec![("no state".to_owned(), SavedState::none())];
    let mut add = |what: String, state| states.push((what, state));
    add("a state with nothing in it".into(), state(schema, version, b""));
    for other in ["", "another", "\0", " "] {
        add(format!("the schema {other:?}"), state(other, version, &saved.bytes));
    }
    for other in [0, version.wrapping_sub(1), version.wrapping_add(1), u32::MAX] {
        add(format!("version {other}"), state(schema, other, &saved.bytes));
    }
    let large = if subject.is_quick() { 1 << 16 } else { 1 << 20 };
    for round in 1..=3 {
        add(format!("{large} random bytes, {round}"), state(schema, version, &random.bytes(large)));
    }
    add(format!("{large} brackets"), state(schema, version, &vec![b'['; large]));
    let most = subject.times(512);
    let step = saved.bytes.len().div_ceil(most).max(1);
    for at in (0..saved.bytes.len()).step_by(step) {
        add(format!("a state cut off after {at} bytes"), state(schema, version, &saved.bytes[..at]));
    }
    for _ in 0..most {
        let mut bytes = saved.bytes.to_vec();
        if !bytes.is_empty() {
            let at = random.below(bytes.len());
            bytes[at] ^= random.next() as u8 | 1;
            add(format!("a state with another byte at {at}"), state(schema, version, &bytes));
        }
    }
    states
}

fn state(schema: &str, version: u32, bytes: &[u8]) -> SavedState {
    SavedState { version, schema: schema.into(), bytes: bytes.into(), ..SavedState::none() }
}

fn save(instance: &Instance) -> Result<SavedState, Not> {
    let saved = instance.save().ok_or_else(|| Not::Skipped(NO_TABLE.into()))?;
    let saved = must("saving", saved)?;
    if saved.schema.is_empty() {
        return Err(Not::Skipped("it saves nothing".into()));
    }
    Ok(saved)
}

fn some_traffic(subject: &Subject, instance: &Instance) -> Result<(), Not> {
    let mut random = subject.random("state");
    for _ in 0..subject.times(100) {
        let message = payload::any(&mut random);
        for callback in &instance.callbacks {
            if let Some(known) = callback.known {
                payload::call(callback, known, &message, false).map_err(|why| format!("`{}`: {why}", callback.name))?;
            }
        }
    }
    Ok(())
}
