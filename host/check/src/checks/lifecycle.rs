//! Creating, starting, stopping and destroying, in every order that a host may choose.

use hookrail_abi::monotonic;

use super::{caught, end, may, must, started};
use crate::answer::{Found, Not};
use crate::leftovers::Leftovers;
use crate::payload;
use crate::raw::{self, Instance, Library, Services};
use crate::subject::Subject;

pub(in super::super) fn create_destroy(subject: &Subject) -> Found {
    /// How many bytes an instance may leave on the heap, on average: less than the smallest allocation.
    const BUDGET: usize = 16;
    /// How many bytes may be left once, however many instances there are: the allocator counts its cache of freed
    /// memory as in use.
    const ONCE: usize = 32 << 10;
    /// With fewer instances, a leak could not be told from that.
    const TIMES: usize = 4000;
    let library = subject.driven()?;
    let config = subject.config();
    let again = || -> Result<(), Not> {
        let instance = must("creating it", library.create(subject.name(), &config))?;
        must("destroying it", instance.destroy())
    };
    for _ in 0..10 {
        again()?;
    }
    let (before, heap) = (Leftovers::now(), raw::heap());
    for number in 0..TIMES {
        subject.doing(&format!("creating and destroying instance {number}, never started"));
        again()?;
    }
    let (grown, left) = (raw::heap().saturating_sub(heap), Leftovers::now().beyond(&before));
    if !left.is_empty() {
        return Err(format!("{TIMES} instances were created and destroyed, and left {}", left.join("; ")).into());
    }
    if grown > ONCE + BUDGET * TIMES {
        return Err(format!("each instance that is created and destroyed leaves {} bytes", grown / TIMES).into());
    }
    if subject.inspection.note.instances == "many" {
        many_at_once(subject, library)?;
    }
    caught(format!("{TIMES} times; the heap grew by {grown} bytes"))
}

/// Many instances live at once, and end in a different order than they were created.
fn many_at_once(subject: &Subject, library: Library) -> Result<(), Not> {
    let mut instances = Vec::new();
    for number in 0..subject.times(64) {
        subject.doing(&format!("creating instance {number} beside the others"));
        let name = format!("{}:{number}", subject.name());
        instances.push(must("creating it beside others", library.create(&name, &subject.config()))?);
    }
    let mut random = subject.random("create-destroy");
    while !instances.is_empty() {
        let instance = instances.swap_remove(random.below(instances.len()));
        must("destroying it beside others", instance.destroy())?;
    }
    Ok(())
}

/// An order in which a host may make its calls.
type Order = (&'static str, fn(&Subject, Library) -> Result<(), Not>);

const ORDERS: &[Order] = &[
    ("create, destroy: never started", |subject, library| must("destroying it", create(subject, library)?.destroy())),
    ("create, start, stop, destroy, three times over", |subject, library| {
        (0..3).try_for_each(|_| end(started(subject, library)?))
    }),
    ("a host that refuses to register: start, destroy", |subject, library| {
        let mut instance = create(subject, library)?;
        // It may start without its callbacks or refuse to.
        match may("starting it, with every callback refused", instance.start_refused())? {
            Some(()) => end(instance),
            None => must("destroying what did not start", instance.destroy()),
        }
    }),
    ("each call on a thread of its own", |subject, library| {
        let on_its_own = |name, call: &mut (dyn FnMut() -> Result<(), Not> + Send)| {
            subject.doing(name);
            std::thread::scope(|scope| scope.spawn(call).join().expect("checks do not panic"))
        };
        let mut instance = None;
        on_its_own("create", &mut || {
            instance = Some(create(subject, library)?);
            Ok(())
        })?;
        let mut instance = instance.ok_or("it was not created")?;
        on_its_own("start", &mut || must("starting it", instance.start()))?;
        on_its_own("stop", &mut || must("stopping it", instance.stop()))?;
        let mut instance = Some(instance);
        on_its_own("destroy", &mut || instance.take().map_or(Ok(()), |it| must("destroying it", it.destroy())))
    }),
    ("two instances, the first one ends first", |subject, library| two(subject, library, true)),
    ("two instances, the last one ends first", |subject, library| two(subject, library, false)),
    ("one runs while another is created, and destroyed unstarted", |subject, library| {
        if subject.inspection.note.instances == "one" {
            return Ok(());
        }
        let running = started(subject, library)?;
        let idle = must("creating another", library.create(&other(subject), &subject.config()))?;
        call_all(&running)?;
        must("destroying the other", idle.destroy())?;
        call_all(&running)?;
        end(running)
    }),
    ("save twice, then save_changes, stop", |subject, library| {
        let instance = started(subject, library)?;
        for _ in 0..2 {
            instance.save().map_or(Ok(None), |saved| may("saving", saved))?;
        }
        call_all(&instance)?;
        instance.save_changes().map_or(Ok(None), |saved| may("saving the rest", saved))?;
        end(instance)
    }),
    ("restore with no state, in place of start", |subject, library| {
        let mut instance = create(subject, library)?;
        match may("restoring nothing", instance.restore(&hookrail_abi::boundary::SavedState::none()))? {
            Some(()) => end(instance),
            None => must("destroying what did not start", instance.destroy()),
        }
    }),
    ("apply no changes to what runs", |subject, library| {
        let instance = started(subject, library)?;
        let merged = instance.apply_changes(&hookrail_abi::boundary::SavedState::none());
        merged.map_or(Ok(None), |merged| may("merging nothing", merged))?;
        call_all(&instance)?;
        end(instance)
    }),
    ("a failed create, then a good one", |subject, library| {
        if let Some(instance) = may("creating it with no JSON", library.create(subject.name(), "{"))? {
            must("destroying it", instance.destroy())?;
        }
        end(started(subject, library)?)
    }),
];

pub(in super::super) fn orders(subject: &Subject) -> Found {
    let library = subject.driven()?;
    for (order, play) in ORDERS {
        subject.doing(order);
        play(subject, library).map_err(|not| match not {
            Not::Failed(why) => Not::Failed(format!("{order}: {why}")),
            other => other,
        })?;
    }
    caught(format!("{} orders of calls", ORDERS.len()))
}

fn create(subject: &Subject, library: Library) -> Result<Instance, Not> {
    must("creating it", library.create(subject.name(), &subject.config()))
}

fn other(subject: &Subject) -> String {
    format!("{}:other", subject.name())
}

fn two(subject: &Subject, library: Library, first_goes_first: bool) -> Result<(), Not> {
    if subject.inspection.note.instances == "one" {
        return Ok(());
    }
    let mut second = must("creating another", library.create(&other(subject), &subject.config()))?;
    let first = started(subject, library)?;
    must("starting another", second.start())?;
    let (goes, stays) = if first_goes_first { (first, second) } else { (second, first) };
    call_all(&stays)?;
    end(goes)?;
    call_all(&stays)?;
    end(stays)
}

/// Passes a plain message to every callback whose payload is known.
fn call_all(instance: &Instance) -> Result<(), Not> {
    let message = hookrail::Message::new("log.app", "a line of text");
    for callback in &instance.callbacks {
        if let Some(known) = callback.known {
            payload::call(callback, known, &message, false).map_err(|why| format!("`{}`: {why}", callback.name))?;
        }
    }
    Ok(())
}

pub(in super::super) fn services_withheld(subject: &Subject) -> Found {
    let library = subject.driven()?;
    let mut refused = 0;
    for bits in 0..1 << Services::COUNT {
        let withheld = Services::withhold(bits).join(", ");
        subject.doing(&format!("running without {withheld}"));
        let mut instance = create(subject, library)?;
        match may(&format!("starting it without {withheld}"), instance.start())? {
            Some(()) => {
                call_all(&instance)?;
                end(instance)?;
            }
            None => {
                refused += 1;
                must("destroying what did not start", instance.destroy())?;
            }
        }
    }
    caught(format!("{} sets of services; it does not start with {refused} of them", 1 << Services::COUNT))
}

/// What a host may do to a started instance, and what it did so far.
struct Asked<'a> {
    subject: &'a Subject,
    instance: Instance,
    is_halted: bool,
}

impl Asked<'_> {
    /// Asks for one thing; what is refused changes nothing.
    fn ask(&mut self, what: usize) -> Result<(), Not> {
        let (doing, answer, halts) = match what {
            0 => ("asking whether it is ready", self.instance.ready(), self.is_halted),
            1 => ("asking how it is", self.instance.health(), self.is_halted),
            _ if self.is_halted => ("resuming it", self.instance.resume(), false),
            _ => ("halting it", self.instance.halt(), true),
        };
        self.subject.doing(doing);
        let answer = answer.ok_or_else(|| Not::Skipped("it has no table lifecycle/1".into()))?;
        if may(doing, answer)?.is_some() {
            self.is_halted = halts;
        }
        // A halted plugin is called by nobody.
        if self.is_halted { Ok(()) } else { call_all(&self.instance) }
    }
}

pub(in super::super) fn pauses(subject: &Subject) -> Found {
    /// How much time it has to finish, in nanoseconds: none, little, much.
    const TIMES: [u64; 3] = [0, 1_000_000, 60_000_000_000];
    let library = subject.driven()?;
    let mut random = subject.random("pauses");
    let rounds = subject.times(60);
    for round in 0..rounds {
        let mut asked = Asked { subject, instance: started(subject, library)?, is_halted: false };
        // Each of them at least once, and in any order.
        let first = [0, 1, 2, 2].into_iter().cycle().skip(random.below(4)).take(4);
        let more = (0..random.below(8)).map(|_| random.below(3)).collect::<Vec<_>>();
        first.chain(more).try_for_each(|what| asked.ask(what))?;
        // Halted or not; it is not asked in every round.
        if round % 4 != 3 {
            subject.doing("draining it");
            let deadline = monotonic() + TIMES[round % TIMES.len()];
            asked.instance.drain(deadline).map_or(Ok(None), |drained| may("draining it", drained))?;
        }
        end(asked.instance)?;
    }
    caught(format!("{rounds} instances, each in another order"))
}

pub(in super::super) fn reentry(subject: &Subject) -> Found {
    let library = subject.driven()?;
    Services::ask_back(library.entry());
    let instance = started(subject, library)?;
    call_all(&instance)?;
    if let Some(saved) = instance.save() {
        may("saving", saved)?;
    }
    if let Some(well) = instance.health() {
        may("asking how it is", well)?;
    }
    if let Some(reloaded) = instance.reload(&subject.config()) {
        may("reloading", reloaded)?;
    }
    end(instance)?;
    caught("whatever it called asked it for tables before it returned")
}

pub(in super::super) fn restarts(subject: &Subject) -> Found {
    let host = subject.host()?;
    let plugin = subject.load(&host)?;
    let times = subject.times(50);
    for number in 0..times {
        subject.doing(&format!("stopping and starting it, time {number}"));
        let status = host.stop(&plugin)?;
        if status != hookrail::Status::Stopped {
            return Err(format!("after it was stopped it is {}", status.name()).into());
        }
        host.start(&plugin)?;
        let registered = || host.point_views().iter().map(|point| point.chain.len()).sum::<usize>();
        let before = registered();
        subject.doing(&format!("halting and resuming it, time {number}"));
        // It may refuse to be halted.
        if host.halt(&plugin).is_ok() {
            host.resume(&plugin)?;
        }
        if registered() != before {
            let after = registered();
            return Err(format!("it had {before} callbacks before it was halted, and has {after} afterwards").into());
        }
    }
    Ok(format!("{times} times, in one library"))
}
