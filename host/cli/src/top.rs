//! `hookrail top`: rates, times, queues and drops of a running host, live.

mod rates;
mod text;

use std::io::IsTerminal;
use std::time::Instant;

use hookrail::control::command::{Pipelines, Points};
use hookrail::control::{CallError, Client, Manage};

use crate::args::Top;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::interrupt::Interrupt;
use crate::{print, remote, stderr, stdout};

use rates::{Rates, Seen};

pub(crate) fn run(options: &Top) -> Result<ExitCode, Error> {
    let interrupt = Interrupt::install()?;
    let mut client = remote::connect(&options.selection)?;
    let is_live = stdout::ours().is_terminal() && !options.once && !options.json;
    let mut before = see(&mut client)?;
    loop {
        if interrupt.wait_for(options.interval) || stdout::has_no_reader() {
            return Ok(ExitCode::Ok);
        }
        let now = match see(&mut client) {
            Err(CallError::Stopped { .. } | CallError::Unreachable { .. }) => {
                stderr::line("the host has ended");
                return Ok(ExitCode::Ok);
            }
            now => now?,
        };
        let rates = Rates::of(&before, &now);
        if options.json {
            print::compact(&rates)?;
        } else if is_live {
            print::in_place(&text::text(&rates))?;
        } else {
            print::lines(text::text(&rates))?;
        }
        if options.once {
            return Ok(ExitCode::Ok);
        }
        before = now;
    }
}

fn see(client: &mut Client) -> Result<Seen, CallError> {
    /// The code of [`hookrail::control::ControlError::BadRequest`]: a host that runs no pipelines has no such command.
    const BAD_REQUEST: &str = "HR0701";
    let pipelines = match client.ask(Pipelines::new()) {
        Err(CallError::Refused(problem)) if problem.code == BAD_REQUEST => Vec::new(),
        pipelines => pipelines?,
    };
    Ok(Seen { at: Instant::now(), pipelines, points: client.ask(Points::new())? })
}
