//! `hookrail pipeline queues`: what queues on disk have.

use std::path::Path;
use std::time::{Duration, SystemTime};

use hookrail::stream::spill::{self, QueueReport};
use hookrail::time::rfc3339;
use indicatif::HumanBytes;

use crate::args::Queues;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::harmless::part;
use crate::table::{Column, Target, table};
use crate::{print, settings};

pub(super) fn run(options: &Queues) -> Result<ExitCode, Error> {
    let home = settings::home()?;
    let reports = spill::check(&home).map_err(|cause| Error::reading(&home.join("streams/queues").display(), cause))?;
    if options.json {
        print::json(&reports)?
    } else {
        print::lines(text(&reports, &home))?
    }
    let is_damaged = reports.iter().any(|report| !report.damaged.is_empty());
    Ok(if is_damaged { ExitCode::Failure } else { ExitCode::Ok })
}

fn text(reports: &[QueueReport], home: &Path) -> String {
    if reports.is_empty() {
        return format!("  no queues on disk in {}", part(home.join("streams/queues").display().to_string()));
    }
    let columns = [
        Column::Text("pipeline"),
        Column::Text("sink"),
        Column::Number("messages"),
        Column::Number("size"),
        Column::Text("oldest"),
        Column::Text("state"),
    ];
    let rows = reports.iter().map(|report| {
        let oldest = report.oldest.map(|oldest| rfc3339(SystemTime::UNIX_EPOCH + Duration::from_nanos(oldest)));
        vec![
            part(report.pipeline.clone()),
            part(report.sink.clone()),
            report.messages.to_string(),
            HumanBytes(report.bytes).to_string(),
            oldest.unwrap_or_default(),
            state(report),
        ]
    });
    let mut text = table(Target::Stdout, &columns, rows);
    for report in reports {
        for damaged in &report.damaged {
            let of = part(format!("{}/{}/{}", report.pipeline, report.sink, damaged.file));
            text.push_str(&format!("\n  {of}: {} bytes at {} are damaged", damaged.bytes, damaged.at));
        }
    }
    text
}

fn state(report: &QueueReport) -> String {
    let state = if report.is_open { "open in a host" } else { "closed" };
    match report.damaged.len() {
        0 => state.into(),
        count => format!("{state}, {count} damaged"),
    }
}
