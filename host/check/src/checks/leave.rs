//! Unloading: what is left behind.

use std::time::{Duration, Instant};

use super::traffic::{Points, is_gone};
use crate::answer::{Found, Not};
use crate::leftovers::{Leftovers, resident};
use crate::payload;
use crate::shared::{Part, changed};
use crate::subject::Subject;

pub(in super::super) fn unmaps(subject: &Subject) -> Found {
    let host = subject.host()?;
    let plugin = subject.load(&host)?;
    let points = Points::of(&host)?;
    (0..10).for_each(|_| points.dispatch(hookrail::Message::new("log.app", "a line of text")));
    subject.doing("unloading it");
    is_gone(&host.unload(&plugin)?).map_err(|not| match not {
        Not::Skipped(why) => Not::Warned(why),
        other => other,
    })?;
    Ok("no mapping of its file is left in the process".into())
}

pub(in super::super) fn fresh_statics(subject: &Subject) -> Found {
    if !subject.driven()?.has_unload() {
        return Err(Not::Skipped("it has no table unload/1, by which a fresh image can be told".into()));
    }
    let host = subject.host()?;
    let times = subject.times(20);
    for _ in 0..times {
        // The host refuses an image that was bound before.
        let plugin = subject.load(&host)?;
        is_gone(&host.unload(&plugin)?)?;
    }
    Ok(format!("{times} loads of one file, each with statics as in the file"))
}

pub(in super::super) fn leaves_nothing(subject: &Subject) -> Found {
    /// How much may be lost with each generation, in bytes: Rust drops no statics.
    const LOST: usize = 64 << 10;
    /// How much may be lost once, in bytes.
    const ONCE: usize = 8 << 20;
    let host = subject.host()?;
    let points = Points::of(&host)?;
    // Before the first load: what each load sets to the same value is changed once.
    let process = Part::all();
    let mut random = subject.random("leaves-nothing");
    let mut cycle = || -> Result<(), Not> {
        let plugin = subject.load(&host)?;
        // On a thread that ends: one that goes on keeps its way into the last worker that it has called.
        let (points, payload) = (&points, payload::any(&mut random));
        let dispatched = std::thread::scope(|scope| scope.spawn(move || points.dispatch(payload)).join());
        dispatched.map_err(|_| "a dispatch panicked".to_owned())?;
        is_gone(&host.unload(&plugin)?)
    };
    // The host makes what it needs for any plugin.
    (0..3).try_for_each(|_| cycle())?;
    let (before, memory) = (Leftovers::now(), resident());
    let times = subject.times(100);
    for number in 0..times {
        subject.doing(&format!("loading and unloading it, time {number}"));
        cycle()?;
    }
    let left = settled(if subject.is_across() { SLOW } else { QUICK }, || {
        let mut left = Leftovers::now().beyond(&before);
        left.extend(changed(&Part::all(), &process));
        left
    });
    if !left.is_empty() {
        return Err(format!("{times} loads and unloads left this: {}", left.join("; ")).into());
    }
    let grown = resident().saturating_sub(memory);
    if grown > ONCE + LOST * times {
        return Err(Not::Warned(format!("{times} loads and unloads cost {} KiB of memory", grown >> 10)));
    }
    Ok(format!("{times} loads and unloads; memory grew by {} KiB", grown >> 10))
}

/// How long a thread may take to leave the system's list.
pub(super) const QUICK: Duration = Duration::from_secs(2);
/// How long a worker may take to end, with what looks after it.
const SLOW: Duration = Duration::from_secs(20);

/// What is left, once the system's lists of threads and processes are up to date.
pub(super) fn settled(within: Duration, left: impl Fn() -> Vec<String>) -> Vec<String> {
    let deadline = Instant::now() + within;
    loop {
        let left = left();
        if left.is_empty() || Instant::now() > deadline {
            return left;
        }
        // Nothing signals when an ended thread, or the process of a worker, leaves those lists.
        std::thread::sleep(Duration::from_millis(1));
    }
}
