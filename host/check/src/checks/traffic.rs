//! In a real host, while messages flow.

use std::cell::Cell;
use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use hookrail::{
    Callbacks, Dropped, End, HookPoint, Host, Message, MessageDelivered, MessageDropped, MessagePublish, PluginHandle,
    Priority, Ticket,
};

use crate::answer::{Found, Not};
use crate::copies;
use crate::known::{BuiltIn, Known};
use crate::own::{Dispatch, Own};
use crate::payload;
use crate::subject::Subject;

/// The points that this program dispatches.
#[derive(Clone)]
pub(super) struct Points {
    publish: HookPoint<MessagePublish>,
    delivered: HookPoint<MessageDelivered>,
    dropped: HookPoint<MessageDropped>,
    own: Vec<Dispatch>,
}

impl Points {
    pub(super) fn of(host: &Host) -> Result<Self, Not> {
        Ok(Points {
            publish: host.point(MessagePublish)?,
            delivered: host.point(MessageDelivered)?,
            dropped: host.point(MessageDropped)?,
            own: Own::all().iter().map(|own| own.declare(host)).collect::<Result<_, _>>()?,
        })
    }

    /// Sends a message through every point of the catalogue, and payloads of their own through the others.
    pub(super) fn dispatch(&self, mut message: Message) {
        let _ = self.publish.dispatch(&mut message);
        let _ = self.delivered.dispatch(&mut message);
        let _ = self.dropped.dispatch(&mut Dropped::denied(message, "some/callback", 7, "why"));
        self.own.iter().for_each(|dispatch| dispatch());
        copies::end();
    }
}

/// Fails if any callback of the plugin has failed.
pub(super) fn faults(host: &Host) -> Result<(), Not> {
    let failed = host.point_views().into_iter().flat_map(|point| {
        let name = point.point;
        let failed = point.chain.into_iter().filter(|callback| callback.faults > 0);
        failed.map(move |callback| format!("`{}` on {name} failed {} times", callback.callback, callback.faults))
    });
    let failed: Vec<_> = failed.collect();
    if failed.is_empty() { Ok(()) } else { Err(Not::Failed(failed.join("; "))) }
}

/// Checks how the plugin's unload ended. A plugin that asks to be kept is not checked.
pub(super) fn is_gone(end: &End) -> Result<(), Not> {
    match end {
        End::Unmapped => Ok(()),
        End::Unhooked(_) | End::Vetoed(_) => Err(Not::Skipped(end.to_string())),
        _ => Err(Not::Failed(format!("its unloading ended so: {end}"))),
    }
}

const LONG: Duration = Duration::from_secs(20);

fn hooks_one_of(subject: &Subject, is_one: impl Fn(&str) -> bool, points: &str) -> Result<(), Not> {
    let hooks = &subject.inspection.note.hooks;
    if hooks.iter().any(|hook| is_one(&hook.point)) {
        Ok(())
    } else {
        Err(Not::Skipped(format!("it hooks no point {points}")))
    }
}

pub(in super::super) fn threads(subject: &Subject) -> Found {
    const THREADS: usize = 16;
    hooks_one_of(subject, |point| Known::named(point).is_some(), "that this program dispatches")?;
    let host = subject.host()?;
    let plugin = subject.load(&host)?;
    let points = Points::of(&host)?;
    let config = serde_json::from_str(&subject.config()).map_err(|error| format!("the configuration: {error}"))?;
    let instances = host.plugin_views().into_iter().flat_map(|view| view.instances).collect::<Vec<_>>();
    let each = subject.times(2000);
    let reloads = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for number in 0..THREADS {
            let (points, mut random) = (points.clone(), subject.random(&format!("threads-{number}")));
            scope.spawn(move || (0..each).for_each(|_| points.dispatch(payload::any(&mut random))));
        }
        for _ in 0..subject.times(200) {
            for instance in &instances {
                // A plugin that cannot reload while it runs refuses; that is not a fault.
                reloads.fetch_add(usize::from(host.reload(instance, &config).is_ok()), Ordering::Relaxed);
            }
        }
    });
    faults(&host)?;
    host.unload(&plugin)?;
    Ok(format!("{THREADS} threads, {each} messages each, {} reloads", reloads.into_inner()))
}

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// Dispatches once more, from within a callback beside those of the plugin, up to a depth.
fn deeper(points: &Points) {
    const DEEPEST: u32 = 3;
    let depth = DEPTH.get();
    if depth < DEEPEST {
        DEPTH.set(depth + 1);
        points.dispatch(Message::new("nested.log", "a message within a message"));
        DEPTH.set(depth);
    }
}

pub(in super::super) fn nested_dispatch(subject: &Subject) -> Found {
    // Callbacks beside it dispatch, and they stand on these points alone.
    hooks_one_of(subject, |point| BuiltIn::named(point).is_some(), "of the catalogue that this program dispatches")?;
    let host = subject.host()?;
    let plugin = subject.load(&host)?;
    let points = Points::of(&host)?;
    let nested = |points: Points| move || deeper(&points);
    let beside = [("before", Priority::new(i32::MIN + 1)), ("after", Priority::new(i32::MAX - 1))].map(|(name, at)| {
        let (one, two, three) = (nested(points.clone()), nested(points.clone()), nested(points.clone()));
        Callbacks::new(name)
            .on(MessagePublish, "nest", at, move |_| one())
            .on(MessageDelivered, "nest", at, move |_| two())
            .on(MessageDropped, "nest", at, move |_| three())
    });
    let beside = beside.map(|callbacks| host.register(callbacks));
    subject.doing("dispatching within a dispatch");
    points.dispatch(Message::new("log.app", "text"));
    for registered in beside {
        host.unregister(registered?);
    }
    faults(&host)?;
    host.unload(&plugin)?;
    Ok("before and after its callbacks, three deep".into())
}

pub(in super::super) fn in_flight(subject: &Subject) -> Found {
    const THREADS: usize = 4;
    let host = subject.host()?;
    let points = Points::of(&host)?;
    let over = AtomicBool::new(false);
    let sent: [AtomicUsize; THREADS] = Default::default();
    let times = subject.times(40);
    std::thread::scope(|scope| {
        for (number, sent) in sent.iter().enumerate() {
            let (points, mut random, over) = (&points, subject.random(&format!("in-flight-{number}")), &over);
            scope.spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    points.dispatch(payload::any(&mut random));
                    sent.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let unloaded = (0..times).try_for_each(|number| {
            subject.doing(&format!("unloading it while {THREADS} threads dispatch, time {number}"));
            let plugin = subject.load(&host)?;
            // Each thread has dispatched: its first message may have been in progress before, but the second was not.
            for (sent, before) in sent.iter().zip(sent.each_ref().map(|sent| sent.load(Ordering::Relaxed))) {
                while sent.load(Ordering::Relaxed) < before + 2 {
                    std::thread::yield_now();
                }
            }
            let ticket = host.begin_unload(&plugin)?;
            is_gone(&ticket.wait_timeout(LONG))
        });
        over.store(true, Ordering::Relaxed);
        unloaded
    })?;
    Ok(format!("{times} times, while {THREADS} threads dispatched"))
}

pub(in super::super) fn replace(subject: &Subject) -> Found {
    let host = subject.host()?;
    let points = Points::of(&host)?;
    let copy = subject.directory.join("copy.so");
    let bytes = fs::read(&subject.file).map_err(|error| format!("the file cannot be read: {error}"))?;
    // Writes into the very file that is loaded: the same inode, truncated and filled again.
    let rewrite = || fs::write(&copy, &bytes).map_err(|error| format!("a copy cannot be written: {error}"));
    rewrite()?;
    let mut random = subject.random("replace");
    let plugin = subject.load_file(&host, &copy)?;
    let mut old = Vec::new();
    let times = subject.times(20);
    for number in 0..times {
        for file in [&subject.file, &copy] {
            subject.doing(&format!("replacing it, time {number}, while its file is written again"));
            rewrite()?;
            points.dispatch(payload::any(&mut random));
            old.push(upgrade(&host, &plugin, file)?);
            points.dispatch(payload::any(&mut random));
        }
    }
    faults(&host)?;
    old.push(host.begin_unload(&plugin)?);
    let generations = old.len();
    for ticket in old {
        is_gone(&ticket.wait_timeout(LONG))?;
    }
    Ok(format!("{generations} generations, each of them gone"))
}

fn upgrade(host: &Host, plugin: &PluginHandle, file: &std::path::Path) -> Result<Ticket, Not> {
    // SAFETY: whoever asks for the check trusts the library as this program.
    Ok(unsafe { host.upgrade(plugin, file)? }.old)
}
