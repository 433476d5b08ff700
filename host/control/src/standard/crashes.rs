//! The reports of workers that have ended otherwise than their host wanted.

use hookrail_engine::{Core, Crashes};
use hookrail_model::crash::CrashReport;

use crate::error::{ControlError, Error};

pub(super) fn list(core: &Core) -> Result<Vec<CrashReport>, Error> {
    let reports = of(core).list().map_err(|cause| Error::system("list the reports of crashes".into(), cause))?;
    let without_inputs = |mut report: CrashReport| {
        report.lost.iter_mut().for_each(|call| call.input = None);
        report
    };
    Ok(reports.into_iter().map(without_inputs).collect())
}

pub(super) fn show(core: &Core, id: &str) -> Result<CrashReport, Error> {
    let report = of(core).read(id).map_err(|cause| Error::system(format!("read the report `{id}`"), cause))?;
    report.ok_or_else(|| ControlError::NoCrash(id.into()).into())
}

fn of(core: &Core) -> Crashes {
    Crashes::of(&core.config.home_dir())
}
