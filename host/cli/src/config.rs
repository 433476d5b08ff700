//! `hookrail config`: the configuration of plugins.

mod assign;
mod changes;
mod check;
mod show;

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use assign::assign;
use changes::Change;
use hookrail::control::Manage;
use hookrail::control::command::{
    self, ConfigHistory, ConfigSchema, Configure, Reconfigured, ReloadConfig, ReloadedConfig,
};
use hookrail::store::{Configured, FormerConfig, Origin};
use serde::Serialize;
use serde_json::Value;

use crate::args::{Common, Config, Reconfigure};
use crate::error::Error;
use crate::exit::ExitCode;
use crate::table::{Column, Target, table};
use crate::{harmless, print, remote, stderr};

/// The code of [`hookrail::store::StoreError::ConfigChanged`], also when it crosses a socket.
const CONFIG_CHANGED: &str = "HR0837";

/// A configuration that was set, and what changed by that.
#[derive(Serialize)]
struct Set {
    #[serde(flatten)]
    done: Reconfigured,
    changes: Vec<Change>,
}

fn reload(common: &Common) -> Result<(), Error> {
    let done = remote::connect(&common.selection)?.ask(ReloadConfig::new())?;
    if common.json { print::json(&done) } else { print::lines(reloaded(&done)) }
}

/// What came of reading the configuration again, one line for each thing.
pub(crate) fn reloaded(done: &ReloadedConfig) -> String {
    let restart = |key: &String| format!("  {key} differs, and is read only when the host is started");
    let changed = done.changed.iter().map(|change| format!("  {change}"));
    let lines: Vec<_> = changed.chain(done.needs_restart.iter().map(restart)).collect();
    if lines.is_empty() { "  nothing differs".into() } else { lines.join("\n") }
}

pub(crate) fn run(command: &Config) -> Result<ExitCode, Error> {
    match command {
        Config::Check { offline, json } => return check::run(*offline, *json),
        Config::Show { origin, json } => show::run(*origin, *json)?,
        Config::Get { name, common } => get(name, common)?,
        Config::Set { name, file: Some(file), how, common, .. } => {
            set(name, &current(name, common)?.value, json(file)?, *how, None, common)?;
        }
        Config::Set { name, assignments, how, common, .. } => {
            let schema = schema(name, common)?;
            let assigned = |mut config: Value| {
                assignments.iter().for_each(|(key, text)| assign(&mut config, key, text, schema.as_ref()));
                config
            };
            set_keys(name, assigned, *how, common)?;
        }
        Config::Schema { name, common } => {
            let schema = schema(name, common)?.ok_or_else(|| Error::NoSchema(name.into()))?;
            print::json(&schema)?;
        }
        Config::History { name, revision, common } => history(name, *revision, common)?,
        Config::Reload(common) => reload(common)?,
        Config::Import { file, plugin, dry_run, how, common } => {
            let name = plugin.clone().unwrap_or_else(|| named_by(file));
            let config = import(file, &name, common)?;
            if *dry_run {
                print::json(&config)?;
            } else {
                set(&name, &current(&name, common)?.value, config, *how, None, common)?;
            }
        }
    }
    Ok(ExitCode::Ok)
}

fn get(name: &str, common: &Common) -> Result<(), Error> {
    let (configured, _) = remote::ask(&common.selection, command::Config::new(name))?;
    if common.json {
        return print::json(&configured);
    }
    stderr::line(origin(&configured));
    print::json(&configured.value)
}

fn current(name: &str, common: &Common) -> Result<Configured, Error> {
    Ok(remote::ask(&common.selection, command::Config::new(name))?.0)
}

/// Changes parts of a configuration: on whatever others have set meanwhile.
fn set_keys(name: &str, change: impl Fn(Value) -> Value, how: Reconfigure, common: &Common) -> Result<(), Error> {
    /// More than will happen by chance.
    const ATTEMPTS: usize = 10;
    let mut attempts = 1;
    loop {
        let Configured { value, revision, .. } = current(name, common)?;
        match set(name, &value, change(value.clone()), how, Some(revision), common) {
            Err(error) if error.code() == CONFIG_CHANGED && attempts < ATTEMPTS => attempts += 1,
            set => return set,
        }
    }
}

/// Sets a configuration; if a revision is given, only if that is still the current one.
fn set(
    name: &str,
    before: &Value,
    after: Value,
    how: Reconfigure,
    if_revision: Option<u64>,
    common: &Common,
) -> Result<(), Error> {
    let changes = changes::between(before, &after);
    let mut command = Configure::new(name, after);
    (command.restart, command.if_revision) = (how.restart, if_revision);
    let (done, by_host) = remote::ask(&common.selection, command)?;
    if common.json {
        return print::json(&Set { done, changes });
    }
    let revision = done.configured.revision;
    if !done.changed {
        return print::line(format_args!("{name} already has that configuration, by revision {revision}"));
    }
    if !by_host {
        stderr::line("no host is running: it applies when one starts");
    }
    let changes: String = changes.iter().map(|change| format!("\n  {}", harmless::part(change.to_string()))).collect();
    print::lines(format_args!("{name} has configuration {revision}{changes}"))
}

fn schema(name: &str, common: &Common) -> Result<Option<Value>, Error> {
    Ok(remote::ask(&common.selection, ConfigSchema::new(name))?.0)
}

fn history(name: &str, revision: Option<u64>, common: &Common) -> Result<(), Error> {
    let (former, _) = remote::ask(&common.selection, ConfigHistory::new(name))?;
    if let Some(revision) = revision {
        let found = former.iter().find(|former| former.revision == revision);
        return print::json(&found.ok_or_else(|| Error::NoRevision { name: name.into(), revision })?.value);
    }
    if common.json {
        return print::json(&former);
    }
    if former.is_empty() {
        return print::line(format_args!("{name} has no earlier configuration"));
    }
    let columns =
        [Column::Number("revision"), Column::Text("since"), Column::Text("by"), Column::Text("configuration")];
    let row = |FormerConfig { revision, since, origin, value, .. }: &FormerConfig| {
        vec![revision.to_string(), since.clone(), origin.to_string(), beginning(value)]
    };
    let rows = former.iter().map(row);
    print::lines(table(Target::Stdout, &columns, rows))
}

/// As much as fits in a table; `--revision` shows all of it.
fn beginning(value: &Value) -> String {
    const LETTERS: usize = 60;
    let text = value.to_string();
    match text.char_indices().nth(LETTERS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// The configuration that a file of EMQX becomes.
fn import(file: &Path, name: &str, common: &Common) -> Result<Value, Error> {
    let text = fs::read_to_string(file);
    let text = text.map_err(|cause| Error::reading(&file.display(), cause))?;
    let bad = |mistakes: hookrail_cuttlefish::Mistakes| Error::BadConfig {
        file: file.display().to_string(),
        why: mistakes.to_string(),
    };
    let entries = hookrail_cuttlefish::parse(&text).map_err(bad)?;
    let schema = schema(name, common)?;
    if schema.is_none() {
        stderr::line(format_args!("{name} has no configuration schema: every value stays text"));
    }
    hookrail_cuttlefish::convert(&entries, schema.as_ref(), name).map_err(bad)
}

/// `auth-http` for `etc/emqx_auth_http.conf`: Hookrail's names have dashes, EMQX's had none.
fn named_by(file: &Path) -> String {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    stem.strip_prefix("emqx_").unwrap_or(&stem).replace('_', "-")
}

/// Reads a file of JSON.
fn json(file: &Path) -> Result<Value, Error> {
    let name = file.display().to_string();
    let mut text = String::new();
    let read = if name == "-" {
        io::stdin().read_to_string(&mut text).map(|_| ())
    } else {
        fs::read_to_string(file).map(|read| text = read)
    };
    read.map_err(|cause| Error::reading(&name, cause))?;
    serde_json::from_str(&text).map_err(|error| Error::BadConfig { file: name, why: format!(" {error}") })
}

fn origin(configured: &Configured) -> String {
    let since = configured.since.as_ref().map(|since| format!(" since {since}")).unwrap_or_default();
    match configured.origin {
        Origin::Host => "the host's configuration file sets it".into(),
        Origin::Nothing => "it is not configured".into(),
        Origin::Operator => format!("configuration {}{since}", configured.revision),
        Origin::Plugin => format!("configuration {}{since}, written by the plugin itself", configured.revision),
        Origin::Package => format!("the default of its package{since}"),
        _ => format!("this version does not know where it comes from{since}"),
    }
}
