//! What becomes of messages in a pipeline that is not run: decided by its chain, routed to its sinks, and given to none.

use hookrail_abi::Message;
use hookrail_engine::{Denial, Host};
use hookrail_model::error::Error;
use hookrail_model::pipeline::PipelineConfig;

use crate::pipeline;
use crate::points::Points;
use crate::route::Routes;
use crate::topic::Cache;

/// Sends messages through the chain and the routing of a pipeline, which is not run for that: no source is opened, no sink,
/// no queue and no mark, and neither `message.delivered` nor `message.dropped` is dispatched.
///
/// ```
/// use hookrail::stream::{Fate, Trial};
/// use hookrail::{Config, Host, Message, PipelineConfig, SinkConfig, SourceConfig};
///
/// let host = Host::new(Config::default())?;
/// let errors = SinkConfig::new("file-log").with_topics(vec!["log.errors.>".into()]);
/// let pipeline =
///     PipelineConfig::default().with_source("files", SourceConfig::new("tail")).with_sink("errors", errors);
/// let mut trial = Trial::of_pipeline(&host, "logs", &pipeline)?;
/// let fate = trial.send(&mut Message::new("log.errors.web", "broken"));
/// assert!(matches!(fate, Fate::Passed { sinks, .. } if sinks == ["errors"]));
/// assert_eq!(trial.send(&mut Message::new("log.access", "GET /")), Fate::Unrouted);
/// # Ok::<(), hookrail::Error>(())
/// ```
#[derive(Debug)]
pub struct Trial {
    points: Points,
    /// Of a pipeline.
    routing: Option<Routing>,
}

#[derive(Debug)]
struct Routing {
    routes: Routes,
    /// By their numbers.
    sinks: Vec<String>,
    topics: Cache<usize>,
    found: Vec<usize>,
}

/// What becomes of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fate {
    /// The chain denies it.
    Denied(Denial),
    /// These sinks get it, in the order of their names; without a pipeline there are none, and the chain lets it pass.
    #[non_exhaustive]
    Passed {
        /// Their names.
        sinks: Vec<String>,
    },
    /// No sink wants its topic and its headers.
    Unrouted,
}

impl Trial {
    /// Of the chain of `message.publish` alone.
    ///
    /// # Errors
    /// If other points have the names of those that messages pass.
    pub fn of_chain(host: &Host) -> Result<Self, Error> {
        Ok(Trial { points: Points::of(host)?, routing: None })
    }

    /// Of a pipeline.
    ///
    /// # Errors
    /// As for [`of_chain`](Self::of_chain), and if the configuration contradicts itself.
    pub fn of_pipeline(host: &Host, name: &str, config: &PipelineConfig) -> Result<Self, Error> {
        if let Some(first) = pipeline::mistakes(name, config).into_iter().next() {
            return Err(first.into());
        }
        let sinks = config.sinks.keys().cloned().collect();
        let routing = Routing { routes: Routes::of(&config.sinks), sinks, topics: Cache::new(), found: Vec::new() };
        Ok(Trial { routing: Some(routing), ..Self::of_chain(host)? })
    }

    /// Sends a message, which is then as the chain has left it.
    pub fn send(&mut self, message: &mut Message) -> Fate {
        let outcome = self.points.publish.dispatch(message);
        if let Some(denial) = Denial::of(&outcome) {
            return Fate::Denied(denial);
        }
        let Some(Routing { routes, sinks, topics, found }) = &mut self.routing else {
            return Fate::Passed { sinks: Vec::new() };
        };
        routes.find(message, topics, found);
        if found.is_empty() {
            return Fate::Unrouted;
        }
        Fate::Passed { sinks: found.iter().map(|number| sinks[*number].clone()).collect() }
    }
}
