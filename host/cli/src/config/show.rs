//! `hookrail config show`: the configuration in effect, key by key.

use hookrail::{ConfigKey, KeyOrigin};

use crate::error::Error;
use crate::harmless::part;
use crate::settings::{Settings, Source, Sourced};
use crate::table::{Column, Target, table};
use crate::{print, settings};

pub(super) fn run(with_origin: bool, as_json: bool) -> Result<(), Error> {
    let Settings { config, home, .. } = settings::read()?;
    let mut keys = config.keys();
    keys.iter_mut().filter(|key| key.key == "home").for_each(|key| of_home(key, &home));
    if as_json { print::json(&keys) } else { print::lines(text(&keys, with_origin)) }
}

/// The home has a variable and a flag of its own.
fn of_home(key: &mut ConfigKey, home: &Sourced) {
    (key.origin, key.place) = match home.source {
        Source::Default => (KeyOrigin::Default, None),
        Source::Environment => (KeyOrigin::Environment, Some("HOOKRAIL_HOME".into())),
        Source::File => (KeyOrigin::File, key.place.take()),
        Source::Flag => (KeyOrigin::Flag, Some("--home".into())),
    };
}

fn text(keys: &[ConfigKey], with_origin: bool) -> String {
    let mut columns = vec![Column::Text("key"), Column::Text("value")];
    columns.extend(with_origin.then_some(Column::Text("from")));
    let rows = keys.iter().map(|ConfigKey { key, value, origin, place, .. }| {
        let mut row = vec![part(key.clone()), part(value.to_string())];
        if with_origin {
            row.push(part(place.clone().unwrap_or_else(|| origin.to_string())));
        }
        row
    });
    table(Target::Stdout, &columns, rows)
}
