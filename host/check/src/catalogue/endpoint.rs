//! The checks of sources and sinks.

use crate::answer::Found;
use crate::check::{Check, Isolated, Kind};
use crate::checks::endpoints;
use crate::subject::Subject;

pub(super) const ENDPOINTS: Check = Check {
    kind: Kind::Load,
    needs: &["starts"],
    ..check(
        "endpoints",
        1,
        "it has the sources and sinks that its note declares, and no others",
        "a pipeline is written by the note; what is not there fails when messages flow",
        endpoints::declared,
    )
};

pub(super) const HOSTILE_ENDPOINTS: Check = check(
    "hostile-endpoints",
    5,
    "sources and sinks refuse, with a reason, what does not fit the schema of their configuration",
    "people mistype, and what is not refused is found out when messages are missing",
    endpoints::hostile,
);

pub(super) const ACCEPT_FREE: Check = check(
    "accept-free",
    5,
    "accepting a source or a sink starts nothing, and a thousand that are freed leave nothing",
    "one is accepted to see whether it would be, beside the one that runs, and may never run",
    endpoints::accept_free,
);

pub(super) const ENDPOINTS_END: Check = check(
    "endpoints-end",
    3,
    "sources and sinks end in time when they are told to, and sinks when there is nothing more",
    "a pipeline that is stopped, and a plugin that is replaced, wait for them",
    endpoints::runs,
);

pub(super) const UNLOAD_ENDPOINTS: Check = Check {
    kind: Kind::Unload,
    needs: &["unmaps", "endpoints-end"],
    isolated: Isolated::Across,
    ..check(
        "unload-endpoints",
        5,
        "it is unloaded while its sources and sinks run",
        "what runs on a host's thread keeps its library, which then stays after every upgrade",
        endpoints::unload,
    )
};

const fn check(
    name: &'static str,
    level: u8,
    about: &'static str,
    why: &'static str,
    run: fn(&Subject) -> Found,
) -> Check {
    Check { name, kind: Kind::Run, level, about, why, needs: &["endpoints"], isolated: Isolated::Inside, run }
}
