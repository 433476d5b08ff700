//! What an instance says of itself while it runs.

/// Whether a started instance can do its work: [`Plugin::ready`](crate::Plugin::ready).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Readiness {
    /// Not yet; what it waits for.
    NotYet(String),
    /// It can.
    Ready,
}

/// How a started instance is: [`Plugin::health`](crate::Plugin::health).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Health {
    /// It works, but not as it should; why.
    Degraded(String),
    /// It works.
    Good,
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::prelude::*;
    use crate::testing::{self, Running};

    /// One that says nothing of itself.
    struct Plain;

    impl Plugin for Plain {
        type Config = NoConfig;
        const HOOKS: Hooks<Self> = &[];

        fn start(_: &Startup, _: NoConfig) -> Result<Self> {
            Ok(Plain)
        }
    }

    /// One that answers everything with its configuration.
    struct Says(String);

    #[config]
    struct Config {
        /// What it answers.
        says: String,
    }

    impl Says {
        fn said(&self) -> Result<()> {
            if self.0.is_empty() { Ok(()) } else { Err(self.0.clone().into()) }
        }
    }

    impl Plugin for Says {
        type Config = Config;
        const HOOKS: Hooks<Self> = &[];

        fn start(_: &Startup, config: Config) -> Result<Self> {
            Ok(Says(config.says))
        }

        fn ready(&self) -> Result<Readiness> {
            Ok(Readiness::NotYet(self.0.clone()))
        }

        fn health(&self) -> Result<Health> {
            Ok(Health::Degraded(self.0.clone()))
        }

        fn halt(&self) -> Result<()> {
            self.said()
        }

        fn resume(&self) -> Result<()> {
            self.said()
        }

        fn drain(&self, deadline: Instant) -> Result<()> {
            assert!(deadline <= Instant::now() + Duration::from_secs(60), "it is what is left");
            self.said()
        }
    }

    fn requests<P: Plugin>(plugin: &Running<P>) -> [std::result::Result<(), String>; 3] {
        [plugin.halt(), plugin.resume(), plugin.drain(Duration::from_secs(60))]
            .map(|it| it.map_err(|why| why.to_string()))
    }

    #[test]
    fn who_says_nothing_is_ready_and_well_and_refuses_nothing() {
        let plain = testing::start::<Plain>("{}").unwrap();
        assert_eq!((plain.ready().unwrap(), plain.health().unwrap()), (Readiness::Ready, Health::Good));
        assert_eq!(requests(&plain), [Ok(()), Ok(()), Ok(())]);
    }

    #[test]
    fn answers_cross_with_their_reasons() {
        let says = testing::start::<Says>(r#"{ "says": "no server" }"#).unwrap();
        assert_eq!(says.ready().unwrap(), Readiness::NotYet("no server".into()));
        assert_eq!(says.health().unwrap(), Health::Degraded("no server".into()));
        let refused = || Err("no server".to_owned());
        assert_eq!(requests(&says), [refused(), refused(), refused()]);
    }
}
