//! What a plugin shares with its host, and leaves as it is: compared with how it was before the library was opened.

use super::{caught, must};
use crate::answer::{Found, Not};
use crate::counted::counted;
use crate::payload;
use crate::shared::{Part, changed};
use crate::silence::Silence;
use crate::subject::Subject;

/// A part that the host's own code relies on at all times: no call may change it, not even until `stop`.
pub(in super::super) fn unchanged(subject: &Subject, part: Part) -> Found {
    let before = part.now();
    let calls = play(subject, &mut |call| match &changed(&part.now(), &before)[..] {
        [] => Ok(()),
        changed => Err(format!("{call} changed this: {}", changed.join("; ")).into()),
    })?;
    caught(format!("as before after each of {calls}"))
}

/// A part that the plugin may use while it runs: it is as before when the instance is gone.
pub(in super::super) fn restored(subject: &Subject, part: Part) -> Found {
    let before = part.now();
    let calls = play(subject, &mut |_| Ok(()))?;
    match &changed(&part.now(), &before)[..] {
        [] => caught(format!("as before after {calls}")),
        left => Err(format!("it left this behind: {}", left.join("; ")).into()),
    }
}

/// As [`restored`], also for the children of children.
pub(in super::super) fn children(subject: &Subject) -> Found {
    // Processes whose parent ends become children of this one, instead of the system's.
    // SAFETY: the call takes numbers and touches no memory.
    unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1) };
    restored(subject, Part::Children)
}

pub(in super::super) fn stdout(subject: &Subject) -> Found {
    let silence = Silence::begin(&subject.directory, &[libc::STDOUT_FILENO])?;
    let played = play(subject, &mut |_| Ok(()));
    let said = silence.end()?;
    let calls = played?;
    if said.is_empty() {
        return caught(format!("nothing printed by {calls}"));
    }
    Err(format!("it printed {} bytes: {said:.60}", said.len()).into())
}

/// The life of an instance, on this thread, which calls each callback whose payload is known once. `after` is called
/// after each call, with its name.
fn play(subject: &Subject, after: &mut dyn FnMut(&str) -> Result<(), Not>) -> Result<String, Not> {
    let mut calls = 0;
    let mut after = |call: &str| {
        calls += 1;
        after(call)
    };
    let library = subject.driven()?;
    after("opening it")?;
    let mut instance = must("creating an instance", library.create(subject.name(), &subject.config()))?;
    after("`create`")?;
    must("starting it", instance.start())?;
    after("`start`")?;
    let message = hookrail::Message::new("log.app", "a line of text");
    for callback in &instance.callbacks {
        let Some(known) = callback.known else { continue };
        let name = format!("`{}` on {}", callback.name, callback.point);
        payload::call(callback, known, &message, false).map_err(|why| format!("{name}: {why}"))?;
        after(&name)?;
    }
    must("stopping it", instance.stop())?;
    after("`stop`")?;
    must("destroying it", instance.destroy())?;
    after("`destroy`")?;
    Ok(counted(calls, "call"))
}
