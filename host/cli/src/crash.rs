//! `hookrail crash`: how workers have ended otherwise than their hosts wanted.

mod replay;
mod text;

use hookrail::CrashReport;
use hookrail::control::command::{Crashes, ShowCrash};

use crate::args::{Crash, Selection};
use crate::error::Error;
use crate::exit::ExitCode;
use crate::{print, remote};

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

fn reports(selection: &Selection) -> Result<Vec<CrashReport>, Error> {
    Ok(remote::ask(selection, Crashes::new())?.0)
}

/// The report with that id, or else the newest.
fn report(id: Option<&str>, selection: &Selection) -> Result<CrashReport, Error> {
    let id = match id {
        Some(id) => id.to_owned(),
        None => reports(selection)?.into_iter().next().ok_or(Error::NoCrash)?.id,
    };
    Ok(remote::ask(selection, ShowCrash::new(id))?.0)
}
