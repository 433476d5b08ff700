//! Accepting: what is refused, and that nothing begins or stays.

use hookrail::Schema;
use serde_json::{Map, Value};

use super::{Scene, failed, shown};
use crate::answer::{Found, Not};
use crate::checks::leave::{QUICK, settled};
use crate::checks::{caught, config, may, must};
use crate::counted::counted;
use crate::leftovers::Leftovers;
use crate::raw;
use crate::subject::Subject;

pub(in super::super::super) fn hostile(subject: &Subject) -> Found {
    let scene = Scene::new(subject)?;
    let mut random = subject.random("hostile-endpoints");
    let (mut tried, mut refused) = (0, 0);
    for endpoint in scene.declared() {
        let schema = must(&shown(endpoint), scene.streams.schema(endpoint.kind, &endpoint.name))?;
        let value = schema.as_deref().and_then(|schema| serde_json::from_str::<Value>(schema).ok());
        let schema = schema.map(|schema| Schema::new(subject.name(), schema)).transpose()?;
        let base = match serde_json::from_str(&subject.endpoint_config(endpoint)) {
            Ok(Value::Object(base)) => base,
            _ => Map::new(),
        };
        for (what, config) in config::hostile_to(subject, base, value.as_ref(), &mut random) {
            subject.doing(&format!("having {} accepted with {what}", shown(endpoint)));
            tried += 1;
            let Some(accepted) = may(&format!("{}, with {what}", shown(endpoint)), scene.accept(endpoint, &config))?
            else {
                refused += 1;
                continue;
            };
            must(&format!("freeing {}", shown(endpoint)), accepted.free())?;
            if let Some(why) = schema.as_ref().and_then(|schema| misfit(schema, subject.name(), &config)) {
                return Err(format!("{} accepts {what}, which does not fit its schema: {why}", shown(endpoint)).into());
            }
        }
    }
    scene.end()?;
    caught(format!("{tried} configurations, {refused} of them refused with a reason"))
}

/// Why a configuration does not fit a schema. An array is left to the plugin: serde reads one as the fields in order.
fn misfit(schema: &Schema, name: &str, config: &str) -> Option<String> {
    match serde_json::from_str::<Value>(config) {
        Ok(Value::Array(_)) => None,
        Ok(value) => schema.check(name, &value).err().map(|why| why.to_string()),
        // No text at all is an empty configuration, and how deep JSON may be is for each reader to say.
        Err(_) if config.is_empty() => None,
        Err(error) if error.to_string().contains("recursion limit") => None,
        Err(error) => Some(format!("it is not JSON: {error}")),
    }
}

pub(in super::super::super) fn accept_free(subject: &Subject) -> Found {
    /// How many bytes an endpoint may leave on the heap, on average, and all of them once.
    const BUDGET: usize = 16;
    const ONCE: usize = 32 << 10;
    const TIMES: usize = 1000;
    let scene = Scene::new(subject)?;
    let (mut done, mut needs) = (Vec::new(), Vec::new());
    for endpoint in scene.declared() {
        let config = subject.endpoint_config(endpoint);
        let again = || -> Result<(), Not> {
            let accepted = scene.accept(endpoint, &config).map_err(|refusal| failed(endpoint, &refusal))?;
            must(&format!("freeing {}", shown(endpoint)), accepted.free())
        };
        subject.doing(&format!("having {} accepted, and not run", shown(endpoint)));
        let before = Leftovers::now();
        let accepted = match scene.accept_plainly(endpoint)? {
            Ok(accepted) => accepted,
            Err(why) => {
                needs.push(why);
                continue;
            }
        };
        let now = Leftovers::now();
        if now.threads > before.threads {
            let threads = counted(now.threads - before.threads, "thread");
            return Err(format!("{} starts {threads} when it is accepted: that is for `run`", shown(endpoint)).into());
        }
        must(&format!("freeing {}", shown(endpoint)), accepted.free())?;
        (0..10).try_for_each(|_| again())?;
        let (before, heap) = (Leftovers::now(), raw::heap());
        for number in 0..TIMES {
            subject.doing(&format!("accepting and freeing {}, time {number}", shown(endpoint)));
            again()?;
        }
        let grown = raw::heap().saturating_sub(heap);
        let left = settled(QUICK, || Leftovers::now().beyond(&before));
        if !left.is_empty() {
            let left = left.join("; ");
            return Err(format!("{} was accepted and freed {TIMES} times, and left {left}", shown(endpoint)).into());
        }
        if grown > ONCE + BUDGET * TIMES {
            return Err(format!("{} leaves {} bytes each time it is accepted", shown(endpoint), grown / TIMES).into());
        }
        at_once(&scene, |scene| scene.accept(endpoint, &config).map_err(|refusal| failed(endpoint, &refusal)))?;
        done.push(format!("{}: {TIMES} times, the heap grew by {grown} bytes", shown(endpoint)));
    }
    scene.found(&done, needs)
}

/// Several threads accept at once, and all of it is freed by others than have accepted it.
fn at_once<'a>(scene: &Scene<'a>, accept: impl Fn(&Scene<'a>) -> Result<raw::Accepted, Not> + Sync) -> Result<(), Not> {
    const THREADS: usize = 8;
    let each = scene.subject.times(100);
    scene.subject.doing(&format!("accepting it on {THREADS} threads at once"));
    let accepted = std::thread::scope(|scope| {
        let accept = || (0..each).map(|_| accept(scene)).collect::<Result<Vec<_>, _>>();
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(accept)).collect();
        threads.into_iter().map(|thread| thread.join().expect("checks do not panic")).collect::<Result<Vec<_>, _>>()
    })?;
    accepted.into_iter().flatten().try_for_each(|accepted| must("freeing one of many", accepted.free()))
}
