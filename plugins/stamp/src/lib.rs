//! Adds headers to messages: fixed ones, the host's name, the time of receipt, a counter.

mod config;
mod stamps;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::SystemTime;

use hookrail_abi::prelude::*;

use config::Config;
use stamps::Stamps;

struct Stamp {
    /// Read for every message: two uncontended atomic operations, little compared with allocating headers.
    stamps: RwLock<Stamps>,
    /// How many messages were stamped since the start; a reload does not reset it.
    count: AtomicU64,
}

impl Stamp {
    fn stamp(&self, message: &mut Message) {
        // Relaxed: only distinctness matters.
        let number = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        self.stamps.read().unwrap_or_else(PoisonError::into_inner).apply(message, SystemTime::now(), number);
    }
}

impl Plugin for Stamp {
    type Config = Config;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "stamp" => Self::stamp, priority = 1100, effects = local];

    fn start(_host: &Startup, config: Config) -> Result<Self> {
        Ok(Stamp { stamps: RwLock::new(Stamps::new(config)?), count: AtomicU64::new(0) })
    }

    fn reload(&self, config: Config) -> Result<()> {
        let stamps = Stamps::new(config)?;
        *self.stamps.write().unwrap_or_else(PoisonError::into_inner) = stamps;
        Ok(())
    }
}

export!(Stamp);

#[cfg(test)]
mod tests {
    use super::*;
    use hookrail_abi::testing::{self, Running};

    fn stamped(plugin: &Running<Stamp>) -> Message {
        let mut message = Message::new("log.app", "body");
        assert_eq!(plugin.call(MessagePublish, "stamp", &mut message).verdict, Verdict::Continue);
        message
    }

    #[test]
    fn without_a_configuration_a_message_gets_host_and_time() {
        let plugin = testing::start::<Stamp>("{}").unwrap();
        let before = SystemTime::now();
        let message = stamped(&plugin);
        let keys: Vec<_> = message.headers.iter().map(|header| header.key.as_str()).collect();
        assert_eq!(keys, ["host", "received"]);
        let kernel = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
        assert_eq!(message.header("host"), Some(kernel.trim_end()));
        let received = humantime::parse_rfc3339(message.header("received").unwrap()).unwrap();
        assert!(before <= received && received <= SystemTime::now());
    }

    #[test]
    fn the_counter_counts_across_threads_and_reloads() {
        let config = r#"{"host": false, "received": false, "counter": "n"}"#;
        let plugin = testing::start::<Stamp>(config).unwrap();
        let number = || stamped(&plugin).header("n").unwrap().parse::<u64>().unwrap();
        let mut numbers: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..4).map(|_| scope.spawn(|| (0..100).map(|_| number()).collect::<Vec<_>>())).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        numbers.sort_unstable();
        assert!(numbers.into_iter().eq(1..=400));
        plugin.reload(config).unwrap();
        assert_eq!(number(), 401);
    }

    #[test]
    fn a_reload_takes_effect_and_a_bad_one_changes_nothing() {
        let plugin = testing::start::<Stamp>(r#"{"headers": {"env": "test"}}"#).unwrap();
        plugin.reload(r#"{"headers": {"env": "live"}}"#).unwrap();
        assert!(plugin.reload(r#"{"headers": {"": "x"}}"#).is_err());
        assert_eq!(stamped(&plugin).header("env"), Some("live"));
    }
}
