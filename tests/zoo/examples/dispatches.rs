//! Dispatches points of its host: from within the dispatch of a message that asks for it, and on threads of its own.

use std::thread::JoinHandle;

use hookrail_abi::dispatch::{About, HookPoint, NotDispatched, Outcome};
use hookrail_abi::prelude::*;
use hookrail_tests::parcels::*;
use hookrail_tests::tasks::*;

/// What it does.
#[config]
#[derive(Default)]
#[serde(default)]
struct Config {
    /// So many threads dispatch messages, until the host dispatches no more.
    threads: u8,
}

struct Specimen {
    instance: Instance,
    publish: HookPoint<MessagePublish>,
    threads: std::sync::Mutex<Vec<JoinHandle<()>>>,
}

impl Specimen {
    /// Does what the topic says, and notes in headers what came of it.
    fn act(&self, message: &mut Message) -> Result<()> {
        match message.topic.as_str() {
            "ask" => {
                let mut asked = Message::new("asked", message.body.as_slice());
                asked.add_header("answer", "none");
                let outcome = self.publish.dispatch(&mut asked)?;
                note(message, &outcome);
                message.add_header("answer", asked.header("answer").unwrap_or_default());
            }
            "deep" => {
                let outcome = self.publish.dispatch(message);
                let depth: u64 = message.header("depth").and_then(|depth| depth.parse().ok()).unwrap_or_default();
                message.set_header("depth", &(depth + 1).to_string());
                if let Err(why) = outcome {
                    message.set_header("why", &why.to_string());
                }
            }
            "find" => {
                let found = match &*message.body.to_display() {
                    "local" => self.instance.point(TaskSeen).map(drop),
                    "parcel" => self.instance.point(ParcelPacked).map(drop),
                    "unlisted" => self.instance.point(MessageDelivered).map(drop),
                    "many" => {
                        let all: Result<Vec<_>> = (0..1000).map(|_| self.instance.point(MessagePublish)).collect();
                        all.map(drop)
                    }
                    _ => Ok(()),
                };
                message.add_header("found", &found.map_or_else(|why| why.to_string(), |()| "yes".into()));
            }
            "parcel" => {
                let mut parcel = Parcel::new(&message.body.to_display());
                let mut about = About::default();
                about.trace = Some([9; 16]);
                let outcome = self.instance.point(ParcelPacked)?.dispatch_about(&about, &mut parcel)?;
                note(message, &outcome);
                message.add_header("line", parcel.lines.first().map(Text::as_str).unwrap_or_default());
                message.add_header("key", if parcel.key == Secret::from("key") { "kept" } else { "lost" });
            }
            _ => {}
        }
        Ok(())
    }
}

fn note(message: &mut Message, outcome: &Outcome) {
    message.add_header("decision", &format!("{:?}", outcome.decision()));
    message.add_header("by", outcome.decided_by().unwrap_or_default());
    message.add_header("reason", outcome.reason().unwrap_or_default());
}

impl Plugin for Specimen {
    type Config = Config;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "act" => Self::act, priority = 500];
    const FIRES: Fires = fires![MessagePublish, ParcelPacked, TaskSeen];

    fn start(host: &Startup, config: Config) -> Result<Self> {
        let instance = host.instance();
        let dispatch = |number: u8| {
            let publish = instance.point(MessagePublish)?;
            Ok(std::thread::spawn(move || {
                let mut message = Message::new("of.a.thread", number.to_string());
                loop {
                    match publish.dispatch(&mut message) {
                        Err(NotDispatched::Closed) => return,
                        Err(why) => panic!("{why}"),
                        Ok(_) => {}
                    }
                }
            }))
        };
        let threads: Vec<_> = (0..config.threads).map(dispatch).collect::<Result<_>>()?;
        Ok(Specimen { instance, publish: instance.point(MessagePublish)?, threads: threads.into() })
    }

    fn drain(&self, _: std::time::Instant) -> Result<()> {
        let _ = self.publish.dispatch(&mut Message::new("drained", ""))?;
        Ok(())
    }

    fn stop(&self) {
        assert_eq!(self.publish.dispatch(&mut Message::new("stopped", "")), Err(NotDispatched::Closed));
        // The host dispatches nothing more for them.
        let threads = std::mem::take(&mut *self.threads.lock().expect("nobody panics with it"));
        threads.into_iter().for_each(|thread| thread.join().expect("it does not panic"));
    }
}

export!(Specimen, name = "dispatches");
