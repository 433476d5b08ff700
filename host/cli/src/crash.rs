//! `hookrail crash`: how workers have ended otherwise than their hosts wanted.

mod find;
mod replay;
mod text;

use crate::args::Crash;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::print;

use find::{report, reports};

pub(crate) fn run(command: &Crash) -> Result<ExitCode, Error> {
    match command {
        Crash::List { common } => {
            let reports = reports(&common.selection)?;
            if common.json { print::json(&reports)? } else { print::lines(text::list(&reports))? }
        }
        Crash::Show { id, common } => {
            let report = report(id.as_deref(), &common.selection)?;
            if common.json { print::json(&report)? } else { print::lines(text::one(&report))? }
        }
        Crash::Replay(options) => return replay::run(options),
    }
    Ok(ExitCode::Ok)
}
