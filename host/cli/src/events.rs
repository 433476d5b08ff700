//! `hookrail events`: what happens to the plugins of a running host, as it happens.

use std::time::{Duration, UNIX_EPOCH};

use hookrail::control::wire::StreamItem;
use hookrail::{Event, EventKind};
use indicatif::HumanBytes;

use crate::args::Common;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::place::place;
use crate::plugin::{lost, times};
use crate::{duration, print, remote, stderr};

pub(crate) fn run(options: &Common) -> Result<ExitCode, Error> {
    for told in remote::connect(&options.selection)?.events()? {
        match told? {
            told if options.json => print::compact(&told)?,
            StreamItem::Event(event) => print::line(text(&event))?,
            StreamItem::Dropped(count) => stderr::line(format_args!("{count} events were dropped: they came too fast")),
            _ => {}
        }
    }
    stderr::line("the host has ended");
    Ok(ExitCode::Ok)
}

fn text(event: &Event) -> String {
    let Event { plugin, generation, time, what, .. } = event;
    let since_epoch = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let of_day = since_epoch.as_millis() % 86_400_000;
    let (hours, minutes, seconds) = (of_day / 3_600_000, of_day / 60_000 % 60, of_day / 1000 % 60);
    let what = match what {
        EventKind::ConfigWritten { instance, revision, .. } => {
            format!("{instance} has written its configuration, revision {revision}")
        }
        EventKind::Ended { end, unfreed_memory: Some(left), .. } if left.allocations > 0 => {
            format!("ended: {end}; {}", lost(*left))
        }
        EventKind::Ended { end, .. } => format!("ended: {end}"),
        EventKind::Halted => "halted".into(),
        EventKind::HealthChanged { health, reason: Some(reason), .. } => format!("health {health}: {reason}"),
        EventKind::HealthChanged { health, .. } => format!("health {health}"),
        EventKind::Loaded { version, .. } => format!("loaded, version {version}"),
        EventKind::Moved { from, to, times: took, .. } => {
            format!("moved from generation {from}, runs {}: {}", place(to), times(took))
        }
        EventKind::OverMemory { bytes: held, max_bytes, .. } => {
            format!("holds {} of memory, {} are allowed", HumanBytes(*held), HumanBytes(*max_bytes))
        }
        EventKind::Quarantined { point, callback, reason, .. } => {
            format!("{callback} on {point} quarantined: {reason}")
        }
        EventKind::Released { point, callback, tried: true, .. } => format!("{callback} on {point} works again"),
        EventKind::Released { point, callback, tried: false, .. } => format!("{callback} on {point} released"),
        EventKind::Resumed => "resumed".into(),
        EventKind::RolledBack { from, reason, .. } => format!("rolled back from generation {from}: {reason}"),
        EventKind::RollbackFailed { reason, error, .. } => format!("not rolled back ({reason}): {error}"),
        EventKind::Slow { point, callback, took_ns, budget_ns, count, .. } => {
            let [took, budget] = [took_ns, budget_ns].map(|time| duration::text(Duration::from_nanos(*time)));
            format!("{callback} on {point} took {took}, {budget} are allowed; {count} time(s) so far")
        }
        EventKind::Started => "started".into(),
        EventKind::Stopped => "stopped".into(),
        EventKind::Stuck { point, callback, thread, took_ms, .. } => {
            let took = duration::text(Duration::from_millis(*took_ms));
            format!("{callback} on {point} has been in one call for {took}, on thread {thread}")
        }
        EventKind::Unloading => "unloading".into(),
        EventKind::Upgraded { from, version, times: took, .. } => {
            format!("upgraded from generation {from} to version {version}: {}", times(took))
        }
        _ => "something happened that this version does not know: `--json` shows it".into(),
    };
    format!("{hours:02}:{minutes:02}:{seconds:02}.{:03}Z  {plugin} {generation}  {what}", of_day % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_a_line_with_its_time_of_day() {
        let time = UNIX_EPOCH + Duration::from_millis(86_400_000 * 20_000 + ((13 * 60 + 4) * 60 + 5) * 1000 + 6);
        let event = Event::new("mask", 2, time, EventKind::Stopped);
        assert_eq!(text(&event), "13:04:05.006Z  mask 2  stopped");
    }
}
