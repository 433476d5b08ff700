//! Publishes and subscribes on the bus of its host, as its configuration says.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use hookrail_abi::bus::{Publisher, Subscribe, Subscription};
use hookrail_abi::host::Instance;
use hookrail_abi::prelude::*;

/// What an instance does.
#[config]
#[derive(Clone, Default)]
#[serde(default)]
struct Talk {
    /// Subscribes, and appends each body to this file, with a line break.
    file: String,
    /// Of this topic; of all without one.
    topic: String,
    /// Only what has the header `level` with this value.
    level: String,
    /// What happens when the queue is full.
    policy: String,
    /// How many messages wait.
    capacity: u64,
    /// Receives nothing before there is a file of that name.
    waits_for: String,
    /// Wants what it was given again, once per so many batches.
    retries_every: u64,
    /// Publishes what it has received, on this topic, before it answers for it.
    passes_on: String,
    /// Publishes numbers below this one.
    sends: u64,
    /// On this topic.
    sends_on: String,
    /// With this value of the header `level`.
    sends_level: String,
    /// All of them at once.
    sends_at_once: bool,
    /// Once there is a file of that name.
    sends_when: String,
    /// Publishes what is published on this topic again, from within the callback.
    reacts_to: String,
    /// On this topic.
    reacts_on: String,
    /// Or has it go on by this topic.
    moves_to: String,
    /// Appends to this file why it could not.
    errors: String,
}

struct Specimen {
    instance: Instance,
    config: Talk,
    ends: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

fn append(file: &str, line: &str) {
    let file = OpenOptions::new().create(true).append(true).open(file);
    file.and_then(|mut file| file.write_all(format!("{line}\n").as_bytes())).expect("it can be written");
}

const SOON: Duration = Duration::from_millis(1);

/// Returns whether there is something of that name, or none is named.
fn is_there(file: &str) -> bool {
    file.is_empty() || Path::new(file).exists()
}

fn follow(config: &Talk, mut subscription: Subscription, mut publisher: Option<Publisher>) {
    while !is_there(&config.waits_for) {
        if subscription.wait(SOON) {
            return;
        }
    }
    for batch in 1.. {
        let bodies: Vec<_> = match subscription.recv(8, None) {
            Received::Closed => return,
            Received::Nothing => continue,
            Received::Messages(messages) => messages.iter().map(|it| it.body.to_display().to_string()).collect(),
        };
        if config.retries_every > 0 && u64::is_multiple_of(batch, config.retries_every) {
            subscription.retry("its configuration says so");
            continue;
        }
        for body in &bodies {
            append(&config.file, body);
            let passed = publisher.as_mut().map(|to| to.send(&mut Message::new(&*config.passes_on, &**body)));
            if let Some(Err(why)) = passed {
                append(&config.errors, &why.to_string());
            }
        }
        subscription.ack(bodies.len());
    }
}

fn speak(config: &Talk, mut publisher: Publisher, ends: &AtomicBool) {
    while !is_there(&config.sends_when) {
        if ends.load(Ordering::Relaxed) {
            return;
        }
        std::thread::sleep(SOON);
    }
    let numbered = |number: u64| {
        let mut message = Message::new(&*config.sends_on, number.to_string());
        message.add_header("level", &*config.sends_level);
        message
    };
    let at_once = if config.sends_at_once { config.sends } else { 1 };
    let mut sent = 0;
    while sent < config.sends {
        let mut batch: Vec<_> = (sent..sent + at_once).map(numbered).collect();
        if publisher.send_batch(&mut batch).is_err() {
            return;
        }
        sent += at_once;
    }
}

impl Plugin for Specimen {
    type Config = Talk;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "react" => Self::react, priority = 500, effects = external];

    fn start(host: &Startup, config: Talk) -> Result<Self> {
        let (instance, mut threads, ends) = (host.instance(), Vec::new(), Arc::new(AtomicBool::new(false)));
        if !config.file.is_empty() {
            let mut wanted = Subscribe::all("talk").capacity(config.capacity);
            if !config.topic.is_empty() {
                wanted = wanted.topic(&*config.topic);
            }
            if !config.level.is_empty() {
                wanted = wanted.header("level", &*config.level);
            }
            wanted = match &*config.policy {
                "block" => wanted.block(),
                "drop_newest" => wanted.drop_newest(),
                "latest_per_key" => wanted.latest_per_key(None),
                _ => wanted,
            };
            let (config, subscription) = (config.clone(), instance.subscribe(&wanted)?);
            let publisher = (!config.passes_on.is_empty()).then(|| instance.publisher()).transpose()?;
            threads.push(std::thread::spawn(move || follow(&config, subscription, publisher)));
        }
        if config.sends > 0 {
            let (config, publisher, ends) = (config.clone(), instance.publisher()?, ends.clone());
            threads.push(std::thread::spawn(move || speak(&config, publisher, &ends)));
        }
        Ok(Specimen { instance, config, ends, threads })
    }
}

impl Specimen {
    fn react(&self, message: &mut Message) -> Verdict {
        if self.config.reacts_to.is_empty() || message.topic != *self.config.reacts_to {
            return Verdict::Continue;
        }
        if !self.config.reacts_on.is_empty() {
            let published = self.instance.publisher().and_then(|mut publisher| {
                publisher.send(&mut Message::new(&*self.config.reacts_on, message.body.to_display().to_string()))?;
                Ok(())
            });
            if let Err(why) = published {
                append(&self.config.errors, &why.to_string());
            }
        }
        if !self.config.moves_to.is_empty() {
            message.topic.set(&self.config.moves_to);
        }
        Verdict::Continue
    }
}

impl Drop for Specimen {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        self.threads.drain(..).for_each(|thread| thread.join().expect("it does not panic"));
    }
}

export!(Specimen, name = "talks-on-the-bus");
