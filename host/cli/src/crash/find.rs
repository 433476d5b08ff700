//! Finding reports.

use hookrail::CrashReport;
use hookrail::control::command::{Crashes, ShowCrash};

use crate::args::Selection;
use crate::error::Error;
use crate::remote;

pub(super) fn reports(selection: &Selection) -> Result<Vec<CrashReport>, Error> {
    Ok(remote::ask(selection, Crashes::new())?.0)
}

/// The report with that id, or else the newest.
pub(super) fn report(id: Option<&str>, selection: &Selection) -> Result<CrashReport, Error> {
    let id = match id {
        Some(id) => id.to_owned(),
        None => reports(selection)?.into_iter().next().ok_or(Error::NoCrash)?.id,
    };
    Ok(remote::ask(selection, ShowCrash::new(id))?.0)
}
