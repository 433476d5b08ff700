//! What the instances of a plugin in a worker ask about their own configurations: the host's rules decide, as they do
//! in its own process.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hookrail_engine::NotWritten;
use hookrail_model::log;
use parking_lot::Mutex;

use super::live::Live;
use super::plan::Plan;
use crate::wire::{ConfigAnswer, ConfigAsk, ToWorker};

/// How many questions of one plugin are answered at once: each has a thread, since it may have to wait for the disk.
const AT_ONCE: usize = 4;

/// The configurations of a plugin in a worker.
pub(super) struct Configs {
    plan: Arc<Mutex<Plan>>,
    /// How many questions are being answered.
    asked: AtomicUsize,
}

impl Configs {
    pub(super) fn new(plan: Arc<Mutex<Plan>>) -> Arc<Self> {
        Arc::new(Configs { plan, asked: AtomicUsize::new(0) })
    }

    /// Answers a question of the worker, on another thread: this one hears what the worker says.
    pub(super) fn answer(self: Arc<Self>, live: &Arc<Live>, number: u64, instance: String, ask: ConfigAsk) {
        // Relaxed: a count, and nothing follows from it but the refusal.
        if self.asked.fetch_add(1, Ordering::Relaxed) >= AT_ONCE {
            self.asked.fetch_sub(1, Ordering::Relaxed);
            return tell(live, number, Err(NotWritten::Busy("too many questions at once".into())));
        }
        let (asking, configs) = (live.clone(), self.clone());
        let answer = move || {
            configs.answer_here(&asking, number, &instance, ask);
            configs.asked.fetch_sub(1, Ordering::Relaxed);
        };
        if let Err(error) = std::thread::Builder::new().name("hookrail-config".into()).spawn(answer) {
            self.asked.fetch_sub(1, Ordering::Relaxed);
            log!(warn, "cannot answer a plugin in a worker: {error}");
            tell(live, number, Err(NotWritten::Busy("the host can start no thread".into())));
        }
    }

    fn answer_here(self: &Arc<Self>, live: &Arc<Live>, number: u64, instance: &str, ask: ConfigAsk) {
        let Some(writable) = self.plan.lock().writable.clone() else {
            return tell(live, number, Err(NotWritten::Refused("it has no instance".into())));
        };
        let answer = match ask {
            ConfigAsk::Stored => writable.stored(instance).map(|(json, revision)| ConfigAnswer { json, revision }),
            ConfigAsk::Write { json, if_revision } => {
                let taken = Box::new({
                    let (configs, live, instance, json) =
                        (self.clone(), live.clone(), instance.to_owned(), json.clone());
                    move |revision| {
                        let mut plan = configs.plan.lock();
                        if let Some(planned) = plan.instances.iter_mut().find(|planned| planned.name == instance) {
                            planned.config = json;
                        }
                        drop(plan);
                        // Before anybody else can change it: the worker is to hear of the changes in their order.
                        tell(&live, number, Ok(ConfigAnswer { json: String::new(), revision }));
                    }
                });
                match writable.write(instance, &json, if_revision, taken) {
                    // It was told when it was taken.
                    Ok(_) => return,
                    Err(why) => Err(why),
                }
            }
        };
        tell(live, number, answer);
    }
}

fn tell(live: &Live, number: u64, answer: Result<ConfigAnswer, NotWritten>) {
    // A worker that does not listen is ended.
    let _ = live.send(&ToWorker::Config(number, answer), &[]);
}
