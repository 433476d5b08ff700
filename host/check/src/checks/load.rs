//! Opening the library, and starting it once.

use std::time::{Duration, Instant};

use hookrail_abi::boundary::{ABI_VERSION, Heap, flags};

use super::{caught, end, must, started};
use crate::answer::{Found, Not};
use crate::counted::counted;
use crate::leftovers::Leftovers;
use crate::raw::{LARGER, Library};
use crate::shared::{Part, changed};
use crate::silence::Silence;
use crate::subject::Subject;

pub(in super::super) fn entry(subject: &Subject) -> Found {
    let (entry, note) = (Library::open(&subject.file)?.entry(), &subject.inspection.note);
    let version = |abi: u32| format!("{}.{}", abi >> 16, abi & 0xffff);
    let (oldest, newest) = (version(entry.abi_min), version(entry.abi_max));
    if entry.abi_min > entry.abi_max {
        return Err(format!("it works with ABI {oldest} to {newest}, which is not a range").into());
    }
    if entry.abi_min > ABI_VERSION || entry.abi_max >> 16 < ABI_VERSION >> 16 {
        return Err(format!("it works with ABI {oldest} to {newest}, this host offers {}", version(ABI_VERSION)).into());
    }
    if note.abi != newest {
        return Err(format!("the ABI version: the note says {}, the entry {newest}", note.abi).into());
    }
    if entry.flags & !flags::PANIC_ABORTS != 0 {
        return Err(format!("its flags are {:#x}: ABI 1.0 has the bit 1 alone", entry.flags).into());
    }
    if (entry.flags & flags::PANIC_ABORTS != 0) != (note.panic == "abort") {
        return Err(format!("the panic strategy: the note says {}, the entry another", note.panic).into());
    }
    let (theirs, ours) = (entry.heap, Heap::seen_here());
    let functions = [
        ("malloc", theirs.malloc == ours.malloc),
        ("calloc", theirs.calloc == ours.calloc),
        ("realloc", theirs.realloc == ours.realloc),
        ("free", theirs.free == ours.free),
        ("posix_memalign", theirs.posix_memalign == ours.posix_memalign),
    ];
    if let Some((name, _)) = functions.iter().find(|(_, is_ours)| !is_ours) {
        return Err(format!("its `{name}` is not the one of the process: build it without its own malloc").into());
    }
    Ok(format!("ABI {oldest} to {newest}, {} bytes", entry.size))
}

pub(in super::super) fn quiet_load(subject: &Subject) -> Found {
    let silence = Silence::begin(&subject.directory, &[libc::STDOUT_FILENO, libc::STDERR_FILENO])?;
    let (process, before) = (Part::all(), Leftovers::now());
    let opened = Library::open(&subject.file);
    let mut beyond = Leftovers::now().beyond(&before);
    beyond.extend(changed(&Part::all(), &process));
    let said = silence.end()?;
    opened?;
    if !said.is_empty() {
        return Err(format!("it printed {} bytes while it was opened: {said:.60}", said.len()).into());
    }
    // The loader itself keeps nothing open.
    if !beyond.is_empty() {
        return Err(format!("opening it changed the process: {}", beyond.join("; ")).into());
    }
    Ok("nothing printed, started, opened or changed".into())
}

pub(in super::super) fn load_time(subject: &Subject) -> Found {
    const BUDGET: Duration = Duration::from_millis(100);
    let host = subject.host()?;
    let mut times = Vec::new();
    for _ in 0..5 {
        let began = Instant::now();
        let plugin = subject.load(&host)?;
        times.push(began.elapsed());
        host.unload(&plugin)?;
    }
    let cold = times[0];
    let warm = times[1..].iter().min().copied().unwrap_or(cold);
    let took = format!("{:.1} ms the first time, {:.1} at best", ms(cold), ms(warm));
    // The best of several: the plugin is not to blame for a busy machine.
    if warm > BUDGET { Err(Not::Warned(format!("{took}; {} is plenty", humane(BUDGET)))) } else { Ok(took) }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn humane(time: Duration) -> String {
    format!("{} ms", time.as_millis())
}

pub(in super::super) fn starts(subject: &Subject) -> Found {
    let instance = started(subject, subject.driven()?)?;
    let callbacks = instance.callbacks.len();
    end(instance)?;
    caught(format!("{} registered", counted(callbacks, "callback")))
}

/// What a start that registers nothing lacks.
const START_REGISTERS: &str = "in C, its start must call `hookrail_register_hooks`; in Rust, it leaves them all out";

pub(in super::super) fn loads(subject: &Subject) -> Found {
    let note = &subject.inspection.note;
    let host = subject.host()?;
    let plugin = subject.load(&host)?;
    let view = host.plugin_views().into_iter().find(|view| view.name == plugin.name()).ok_or("it is not listed")?;
    if (&view.name, &view.version) != (&note.name, &note.version) {
        return Err(format!("it is listed as {} {}", view.name, view.version).into());
    }
    let chains = host.point_views().into_iter().flat_map(|point| point.chain);
    let registered = chains.filter(|callback| view.instances.contains(&callback.instance)).count();
    host.unload(&plugin)?;
    let (instances, declared) = (view.instances.join(", "), note.hooks.len() * view.instances.len());
    // One that is used for its sources and sinks may leave all of them out.
    if registered == 0 && declared > 0 && note.endpoints.is_empty() {
        let declared = counted(declared, "declared callback");
        return Err(format!("{instances} registers none of its {declared}: {START_REGISTERS}").into());
    }
    Ok(format!("{instances}, which registers {registered} of {declared} declared callbacks"))
}

pub(in super::super) fn queries(subject: &Subject) -> Found {
    const KNOWN: [&str; 7] = ["keys/1", "lifecycle/1", "reload/1", "schema/1", "state/1", "stream/1", "unload/1"];
    let library = subject.driven()?;
    let mut random = subject.random("queries");
    let mut unknown: Vec<Vec<u8>> =
        ["", "/", "schema", "schema/", "schema/0", "schema/10", "schema/2", "no-such-table/1"]
            .iter()
            .map(|id| id.as_bytes().to_vec())
            .collect();
    for id in KNOWN {
        unknown.extend([" ", "\0", "x", "\0\0\0"].map(|tail| [id.as_bytes(), tail.as_bytes()].concat()));
        unknown.extend([&id.as_bytes()[1..], id.to_uppercase().as_bytes()].map(<[u8]>::to_vec));
    }
    unknown.push(vec![b'a'; 1 << 20]);
    unknown.extend((0..10).map(|_| random.text(12).into_bytes()));
    for id in &unknown {
        let shown = String::from_utf8_lossy(id);
        subject.doing(&format!("asking for the table {shown:?}"));
        if !library.query(id).is_null() {
            return Err(format!("it answers a table to {shown:.40?}, which it cannot know").into());
        }
    }
    let mut has = Vec::new();
    for id in KNOWN {
        let (first, second) = (library.query(id.as_bytes()), library.query(id.as_bytes()));
        if first != second {
            return Err(format!("it returns another table for {id} the second time").into());
        }
        if !first.is_null() {
            has.push(id);
            // SAFETY: every table begins with its size.
            let size = unsafe { first.cast::<u32>().read() };
            if size < 16 {
                return Err(format!("its table {id} has {size} bytes: too few for one function").into());
            }
        }
    }
    let has = if has.is_empty() { "no table".into() } else { has.join(", ") };
    caught(format!("null for {} unknown ids; it has {has}", unknown.len()))
}

pub(in super::super) fn newer_host(subject: &Subject) -> Found {
    let library = Library::open(&subject.file)?;
    must("attaching it to a newer host", library.attach(LARGER))?;
    end(started(subject, library)?)?;
    caught(format!("a table of {} bytes instead of 40", LARGER.size))
}
