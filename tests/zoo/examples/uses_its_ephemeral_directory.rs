//! Keeps what it was sent in its ephemeral directory, and answers with where; or ends the process, if it is sent that.

use hookrail_abi::host::{Dir, Instance};
use hookrail_abi::prelude::*;

struct Specimen(Instance);

impl Specimen {
    fn keep(&self, message: &mut Message) {
        if message.body.as_slice() == b"abort" {
            std::process::abort();
        }
        // A host need not have that service.
        let Ok(directory) = self.0.dir(Dir::Ephemeral) else { return };
        let path = directory.join("kept");
        std::fs::write(&path, message.body.as_slice()).expect("it can be written");
        message.body = path.to_string_lossy().as_bytes().into();
    }
}

impl Plugin for Specimen {
    type Config = NoConfig;
    const HOOKS: Hooks<Self> = hooks![MessagePublish, "keep" => Self::keep, priority = 10];

    fn start(host: &Startup, _: NoConfig) -> Result<Self> {
        Ok(Specimen(host.instance()))
    }
}

export!(Specimen, name = "uses-its-ephemeral-directory");
