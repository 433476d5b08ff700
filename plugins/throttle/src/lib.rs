//! Denies messages above a rate: a token bucket per source, topic or header value.

mod buckets;
mod config;
mod limiter;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use hookrail_abi::host::Level;
use hookrail_abi::prelude::*;

use config::Config;
use limiter::{Judgement, Limiter};

struct Throttle {
    host: Instance,
    began: Instant,
    limiter: Mutex<Limiter>,
}

impl Throttle {
    fn limit(&self, message: &mut Message) -> Verdict {
        let now = self.began.elapsed();
        // What follows calls the host, which must not happen with the lock held.
        let Judgement { denial, warning } = self.limiter().judge(message, now);
        if let Some(warning) = warning {
            self.host.log(Level::Warn, warning);
        }
        denial.map_or(Verdict::Continue, |(code, reason)| Verdict::deny(code, reason))
    }

    fn limiter(&self) -> MutexGuard<'_, Limiter> {
        self.limiter.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Plugin for Throttle {
    type Config = Config;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "limit" => Self::limit, priority = 200, effects = local];

    fn start(host: &Startup, config: Config) -> Result<Self> {
        Ok(Throttle { host: host.instance(), began: Instant::now(), limiter: Mutex::new(Limiter::new(config)?) })
    }

    fn reload(&self, config: Config) -> Result<()> {
        let limiter = Limiter::new(config)?;
        *self.limiter() = limiter;
        Ok(())
    }
}

export!(Throttle);

#[cfg(test)]
mod tests {
    use super::*;
    use hookrail_abi::testing::{self, Returned, Running};

    /// So slow that no bucket gains a token during a test.
    const SLOW: &str = r#"{"rate": 0.00001, "burst": 2}"#;

    fn publish(plugin: &Running<Throttle>, source: &str) -> Returned<Verdict> {
        let mut message = Message::new("log.app", "body");
        message.source.set(source);
        plugin.call(MessagePublish, "limit", &mut message)
    }

    #[test]
    fn messages_beyond_the_burst_are_denied_with_code_and_reason() {
        let plugin = testing::start::<Throttle>(SLOW).unwrap();
        assert_eq!(publish(&plugin, "a").verdict, Verdict::Continue);
        assert_eq!(publish(&plugin, "a").verdict, Verdict::Continue);
        let denied = publish(&plugin, "a");
        assert_eq!(denied.verdict, Verdict::Deny(429));
        assert_eq!(denied.reports, ["more than 0.00001 messages per second from its source"]);
    }

    #[test]
    fn one_source_does_not_use_up_the_tokens_of_another() {
        let plugin = testing::start::<Throttle>(SLOW).unwrap();
        (0..10).for_each(|_| drop(publish(&plugin, "loud")));
        assert_eq!(publish(&plugin, "quiet").verdict, Verdict::Continue);
    }

    #[test]
    fn a_reload_takes_the_new_limit_and_begins_with_full_buckets() {
        let plugin = testing::start::<Throttle>(SLOW).unwrap();
        (0..3).for_each(|_| drop(publish(&plugin, "a")));
        assert!(plugin.reload(r#"{"rate": 0}"#).is_err());
        assert_eq!(publish(&plugin, "a").verdict, Verdict::Deny(429), "a bad configuration changes nothing");
        plugin.reload(r#"{"rate": 0.00001, "burst": 1}"#).unwrap();
        assert_eq!(publish(&plugin, "a").verdict, Verdict::Continue);
        assert_eq!(publish(&plugin, "a").verdict, Verdict::Deny(429));
    }

    #[test]
    fn a_key_that_no_message_has_is_told_once_for_each_configuration() {
        const CONFIG: &str = r#"{"rate": 0.00001, "burst": 2, "key": {"header": "client"}}"#;
        let plugin = testing::start::<Throttle>(CONFIG).unwrap();
        for _ in 0..2 {
            (0..10).for_each(|_| assert_eq!(publish(&plugin, "a").verdict, Verdict::Continue));
            plugin.reload(CONFIG).unwrap();
        }
        let told = "a message has no header `client`: such messages are not limited, as `without_key = \"allow\"` says; \
            this is told once";
        assert_eq!(plugin.log(), [told, told]);
    }

    #[test]
    fn threads_together_get_exactly_the_burst() {
        let plugin = testing::start::<Throttle>(r#"{"rate": 0.00001, "burst": 100}"#).unwrap();
        let admitted = || (0..100).filter(|_| publish(&plugin, "a").verdict == Verdict::Continue).count();
        let total: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(admitted)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(total, 100);
    }
}
