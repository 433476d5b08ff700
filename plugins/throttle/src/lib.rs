//! Denies messages above a rate: a token bucket per source, topic or header value.

mod buckets;
mod config;
mod limiter;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use hookrail_abi::prelude::*;

use config::Config;
use limiter::Limiter;

/// The code of every denial, as in HTTP's "too many requests".
const TOO_MANY: u16 = 429;

struct Throttle {
    began: Instant,
    limiter: Mutex<Limiter>,
}

impl Throttle {
    fn limit(&self, message: &mut Message) -> Verdict {
        let now = self.began.elapsed();
        let mut limiter = self.limiter();
        if limiter.admits(message, now) {
            return Verdict::Continue;
        }
        let reason = limiter.reason(message);
        // Reporting the reason calls the host, which must not happen with the lock held.
        drop(limiter);
        Verdict::deny(TOO_MANY, reason)
    }

    fn limiter(&self) -> MutexGuard<'_, Limiter> {
        self.limiter.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Plugin for Throttle {
    type Config = Config;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "limit" => Self::limit, priority = 200, effects = local];

    fn start(_host: &Startup, config: Config) -> Result<Self> {
        Ok(Throttle { began: Instant::now(), limiter: Mutex::new(Limiter::new(config)?) })
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
        assert_eq!(denied.reports, ["the source \"a\" sends more than 0.00001 messages per second"]);
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
