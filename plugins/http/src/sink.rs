//! The sink.

use hookrail_abi::prelude::*;

/// Configuration of the sink `http`.
#[config]
pub(crate) struct Config {}

/// One use of the sink in a pipeline.
pub(crate) struct Sending;

impl Sending {
    pub(crate) fn new(_: Config, _: Instance) -> Result<Self> {
        Ok(Sending)
    }
}

impl Sink for Sending {
    fn run(&mut self, _: &mut SinkIo<'_>) -> Result<()> {
        Ok(())
    }
}
