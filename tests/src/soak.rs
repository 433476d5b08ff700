//! Replaces a plugin repeatedly under full load, and counts what must not happen: messages stamped by no generation or
//! by two, calls into an unmapped generation, and anything left behind.

mod histogram;
mod ledger;

use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{available_parallelism, scope};
use std::time::{Duration, Instant};

use hookrail::{Config, End, HookPoint, Host, Message, MessagePublish, PluginHandle};
use serde_json::json;

use crate::leftovers::{Leftovers, resident};
use crate::probe::{LONG, eventually};
pub use histogram::Histogram;
pub use ledger::{Ledger, STAMP};

/// The parameters of a soak.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The library of a test plugin named `replaced`.
    pub file: PathBuf,
    /// The number of replacements.
    pub replacements: u64,
    /// By how many bytes the process may grow between [`SETTLED`] replacements and the end.
    pub growth: usize,
}

/// The number of replacements after which the process has all the memory that it needs.
pub const SETTLED: u64 = 100;

/// The results.
#[derive(Clone, Debug)]
pub struct Report {
    plan: Plan,
    took: Duration,
    messages: u64,
    lost: u64,
    twice: u64,
    dead_calls: u64,
    /// The ends of unloads other than [`End::Unmapped`].
    kept: Vec<End>,
    ledger: [(&'static str, u64, &'static str, u64); 3],
    before: Leftovers,
    after: Leftovers,
    settled: usize,
    resident: usize,
    dispatches: Histogram,
}

/// What the dispatching threads and the replacing thread share.
#[derive(Debug, Default)]
struct Traffic {
    done: AtomicBool,
    /// The last generation that is unmapped.
    dead: AtomicU64,
}

/// The traffic ends when this is dropped, even by a panic.
struct EndsWith<'a>(&'a Traffic);

impl Drop for EndsWith<'_> {
    fn drop(&mut self) {
        self.0.done.store(true, Ordering::SeqCst);
    }
}

/// The counts of one thread.
#[derive(Debug, Default)]
struct Tally {
    stamped: u64,
    lost: u64,
    twice: u64,
    dead_calls: u64,
    dispatches: Histogram,
}

/// Runs a soak. The process should do nothing else, since what that leaves behind is counted too.
pub fn run(plan: Plan) -> Report {
    // Threads that the plugin leaves behind, if it does, must still find it.
    let ledger: &'static Ledger = Box::leak(Box::default());
    let address = std::ptr::from_ref(ledger).expose_provenance();
    let config = json!({ "plugins": { "replaced": { "config": { "ledger": address } } } });
    let mut config: Config = serde_json::from_value(config).expect("a configuration");
    config.unload.deadline = LONG;
    let host = Host::new(config).expect("a host");
    // One replacement before counting, since the reaper and the like start with the first unload.
    let first = load(&host, &plan);
    host.unload(&first).expect("it is loaded");

    let before = Leftovers::now();
    let traffic = &Traffic::default();
    let (mut kept, mut settled) = (Vec::new(), resident());
    let plugin = load(&host, &plan);
    let threads = available_parallelism().map_or(2, |cores| cores.get().max(2));
    let (took, tallies) = scope(|scope| {
        let publish = host.point(MessagePublish).expect("a point of the catalogue");
        let dispatchers: Vec<_> = (0..threads)
            .map(|thread| {
                let publish = publish.clone();
                scope.spawn(move || dispatch(&publish, thread, traffic))
            })
            .collect();
        let ends = EndsWith(traffic);
        let begun = Instant::now();
        for replacement in 1..=plan.replacements {
            let stamped = || ledger.stamped.load(Ordering::SeqCst);
            let seen = stamped();
            eventually("each generation stamps messages", || stamped() > seen);
            let old = ledger.started.load(Ordering::SeqCst);
            let end = replace(&host, &plugin, &plan);
            if end.is_unmapped() {
                traffic.dead.store(old, Ordering::SeqCst);
            } else {
                kept.push(end);
            }
            if replacement == SETTLED.min(plan.replacements) {
                settled = resident();
            }
        }
        let took = begun.elapsed();
        drop(ends);
        let tallies: Vec<_> = dispatchers.into_iter().map(|thread| thread.join().expect("it counts")).collect();
        (took, tallies)
    });
    let last = host.unload(&plugin).expect("it is loaded");
    kept.extend((!last.is_unmapped()).then_some(last));
    let resident = resident();
    // A thread disappears from the system's list a moment after it was joined, and one of the host's may be ending yet.
    let settle = Instant::now() + LONG;
    let mut after = Leftovers::now();
    while !after.beyond(&before).is_empty() && Instant::now() < settle {
        std::thread::sleep(Duration::from_millis(1));
        after = Leftovers::now();
    }

    let mut sum = Tally::default();
    for tally in &tallies {
        sum.stamped += tally.stamped;
        sum.lost += tally.lost;
        sum.twice += tally.twice;
        sum.dead_calls += tally.dead_calls;
        sum.dispatches.add(&tally.dispatches);
    }
    let read = |counter: &AtomicU64| counter.load(Ordering::SeqCst);
    let ledger = [
        ("stamps seen", sum.stamped + sum.twice, "stamps given", read(&ledger.stamped)),
        ("generations dropped", read(&ledger.dropped), "started", read(&ledger.started)),
        ("its locals or threads ended", read(&ledger.ended), "begun", read(&ledger.begun)),
    ];
    Report {
        plan,
        took,
        messages: sum.dispatches.count(),
        lost: sum.lost,
        twice: sum.twice,
        dead_calls: sum.dead_calls,
        kept,
        ledger,
        before,
        after,
        settled,
        resident,
        dispatches: sum.dispatches,
    }
}

/// Replaces the old generation with a new one, and returns how the old one ended.
fn replace(host: &Host, plugin: &PluginHandle, plan: &Plan) -> End {
    // SAFETY: our own plugin.
    let upgraded = unsafe { host.upgrade(plugin, &plan.file) }.expect("our own plugin takes its own place");
    upgraded.old.wait_timeout(LONG)
}

fn load(host: &Host, plan: &Plan) -> PluginHandle {
    // SAFETY: our own plugin.
    unsafe { host.load(&plan.file) }.expect("our own plugin loads")
}

/// Dispatches without pause, each message once and with a unique number.
fn dispatch(publish: &HookPoint<MessagePublish>, thread: usize, traffic: &Traffic) -> Tally {
    let mut tally = Tally::default();
    let mut number = 0_u64;
    while !traffic.done.load(Ordering::SeqCst) {
        number += 1;
        let body = (number << 8) | thread as u64;
        let mut message = Message::new("soak.message", body.to_be_bytes().as_slice());
        let dead = traffic.dead.load(Ordering::SeqCst);
        let begun = Instant::now();
        let _ = publish.dispatch(&mut message);
        tally.dispatches.record(begun.elapsed());
        let stamps = message.headers.iter().filter(|header| header.key.as_str() == STAMP);
        let generations: Vec<u64> =
            stamps.map(|header| header.value.as_str().parse().expect("a generation is a number")).collect();
        match generations[..] {
            [] => tally.lost += 1,
            [_] => tally.stamped += 1,
            [_, ..] => tally.twice += 1,
        }
        tally.dead_calls += generations.iter().filter(|generation| **generation <= dead).count() as u64;
        assert_eq!(message.body.as_slice(), body.to_be_bytes(), "it is the message that was sent");
    }
    tally
}

impl Report {
    /// The bounds that were violated; none if all is well.
    pub fn missed(&self) -> Vec<String> {
        let mut missed = Vec::new();
        let nothing = [
            ("messages lost", self.lost),
            ("messages run twice", self.twice),
            ("calls into a dead generation", self.dead_calls),
            ("generations not unmapped", self.kept.len() as u64),
        ];
        missed.extend(nothing.iter().filter(|(_, count)| *count > 0).map(|(what, count)| format!("{count} {what}")));
        let differ = self.ledger.iter().filter(|(_, first, _, second)| first != second);
        missed.extend(differ.map(|(what, first, other, second)| format!("{what} {first}, {other} {second}")));
        if !self.after.beyond(&self.before).is_empty() {
            missed.push(format!("left behind: {:?}, before it {:?}", self.after, self.before));
        }
        let grown = self.resident.saturating_sub(self.settled);
        if grown > self.plan.growth {
            missed.push(format!("it grew by {grown} bytes, {} are allowed", self.plan.growth));
        }
        missed
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.plan.file.file_stem().unwrap_or_default().display();
        let rate = self.plan.replacements as f64 / self.took.as_secs_f64();
        writeln!(f, "{name}: {} replacements in {:.1?}, {rate:.0} per second", self.plan.replacements, self.took)?;
        let Report { messages, lost, twice, dead_calls, .. } = self;
        writeln!(
            f,
            "  messages {messages}, lost {lost}, run twice {twice}, calls into a dead generation {dead_calls}"
        )?;
        match self.kept.first() {
            None => writeln!(f, "  every old generation was unmapped")?,
            Some(end) => writeln!(f, "  generations not unmapped {}, the first: {end}", self.kept.len())?,
        }
        for (what, first, other, second) in &self.ledger {
            writeln!(f, "  {what} {first}, {other} {second}")?;
        }
        let counts = |counted: &Leftovers| [counted.copies, counted.descriptors, counted.threads, counted.keys];
        let (before, after) = (counts(&self.before), counts(&self.after));
        for (index, what) in ["mappings of copies", "descriptors", "threads", "keys"].iter().enumerate() {
            writeln!(f, "  {what}: {} before, {} after", before[index], after[index])?;
        }
        let mib = |bytes: usize| bytes as f64 / f64::from(1 << 20);
        let settled = SETTLED.min(self.plan.replacements);
        writeln!(
            f,
            "  resident: {:.2} MiB after {settled}, {:.2} MiB at the end",
            mib(self.settled),
            mib(self.resident)
        )?;
        let [middle, most] = [0.5, 0.9999].map(|share| self.dispatches.quantile(share));
        write!(f, "  dispatch: median {middle:.1?}, 99.99 % {most:.1?}, longest {:.1?}", self.dispatches.longest())
    }
}
