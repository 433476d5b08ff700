//! Waiting until started instances can do their work.

use std::thread::sleep;
use std::time::{Duration, Instant};

use hookrail_model::error::{Error, Misbehaved};
use hookrail_model::units::duration_text;

use super::Loaded;
use crate::body::{Body, Request, Response};

impl Loaded {
    /// Waits until all instances are ready.
    pub(super) fn wait_until_ready(&self, patience: Duration) -> Result<(), Error> {
        let deadline = Instant::now() + patience;
        self.instances.iter().try_for_each(|instance| wait_until_ready(&*self.body, instance, deadline, patience))
    }
}

/// Waits until a started instance is ready, at most until `deadline`, which was `patience` away when this began.
fn wait_until_ready(body: &dyn Body, instance: &str, deadline: Instant, patience: Duration) -> Result<(), Error> {
    const LONGEST: Duration = Duration::from_millis(50);
    let mut pause = Duration::from_millis(1);
    while let Response::Partly(why) = body.request(instance, Request::Ready)? {
        if Instant::now() >= deadline {
            return Err(Error::misbehaved(instance, Misbehaved::not_ready(duration_text(patience), why)));
        }
        sleep(pause.min(deadline.saturating_duration_since(Instant::now())));
        pause = (pause * 2).min(LONGEST);
    }
    Ok(())
}
