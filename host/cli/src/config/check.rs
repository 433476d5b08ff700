//! `hookrail config check`: the configuration in effect, and whether everything in it fits, without starting a plugin.

mod endpoints;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use hookrail::store::{Configured, Depth, Origin, SignatureStatus, Store};
use hookrail::{Config, Host, PluginConfig, Schema, secrets};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::error::Error;
use crate::exit::ExitCode;
use crate::harmless::{indented, part};
use crate::plugins::Finder;
use crate::settings::{Settings, Sourced};
use crate::table::{Column, Target, table};
use crate::{plugins, points, print, settings};

use endpoints::CheckedEndpoint;

/// What was checked.
#[derive(Default, Serialize)]
struct Report {
    /// The configuration file; null if there is none.
    config: Option<Sourced>,
    /// Null if there are mistakes.
    home: Option<Sourced>,
    /// What is wrong with the file, and with variables of the environment; then nothing else was looked at.
    #[serde(serialize_with = "problems")]
    mistakes: Vec<Error>,
    instances: Vec<Checked>,
    endpoints: Vec<CheckedEndpoint>,
}

/// The configuration of an instance.
#[derive(Serialize)]
struct Checked {
    instance: String,
    origin: Origin,
    /// Whether it was held against a schema.
    checked: bool,
    /// Why it does not fit; null if it does.
    #[serde(serialize_with = "problem")]
    error: Option<Error>,
}

pub(super) fn run(is_offline: bool, as_json: bool) -> Result<ExitCode, Error> {
    let mistakes = settings::mistakes()?;
    let mistakes: Vec<Error> = mistakes.into_iter().map(|mistake| hookrail::Error::from(mistake).into()).collect();
    let report = if mistakes.is_empty() { checked(is_offline)? } else { Report { mistakes, ..Report::default() } };
    let of_instances = report.instances.iter().filter_map(|checked| checked.error.as_ref());
    let of_endpoints = report.endpoints.iter().filter_map(|checked| checked.error.as_ref());
    let code =
        report.mistakes.iter().chain(of_instances).chain(of_endpoints).next().map_or(ExitCode::Ok, Error::exit_code);
    if as_json {
        print::json(&report)?
    } else {
        print::lines(text(&report))?
    }
    Ok(code)
}

/// Of a configuration without a mistake that it shows by itself.
fn checked(is_offline: bool) -> Result<Report, Error> {
    let Settings { config, file, home } = settings::read()?;
    let store = plugins::store_if_any(&config)?;
    let host = Host::new(config)?;
    points::check(&host).map_err(hookrail::Error::from)?;
    let instances = instances(&host, store.as_ref(), is_offline)?;
    let listed = store.map(|store| store.list(Depth::Metadata)).transpose()?.unwrap_or_default();
    let is_package =
        |name: &str| listed.iter().any(|plugin| plugin.name == name && plugin.signature != SignatureStatus::BuiltIn);
    let endpoints = endpoints::all(&host, is_package, is_offline)?;
    Ok(Report { config: file, home: Some(home), mistakes: Vec::new(), instances, endpoints })
}

/// The instances of the plugins that the configuration names, and of those that are installed and either enabled or
/// configured.
fn instances(host: &Host, store: Option<&Store>, is_offline: bool) -> Result<Vec<Checked>, Error> {
    let config = host.config();
    let listed = store.map(|store| store.list(Depth::Metadata)).transpose()?.unwrap_or_default();
    let is_enabled = |name: &str| listed.iter().any(|plugin| plugin.name == name && plugin.enabled);
    let is_listed = |name: &str| listed.iter().any(|plugin| plugin.name == name);
    let is_prebuilt =
        |name: &str| listed.iter().any(|plugin| plugin.name == name && plugin.signature == SignatureStatus::BuiltIn);
    let names: BTreeSet<_> = config.plugins.keys().chain(listed.iter().map(|plugin| &plugin.name)).collect();
    let mut checked = Vec::new();
    for name in names {
        let named = config.plugins.get(name);
        let library = named.and_then(|plugin| plugin.library.as_deref());
        let store = store.filter(|_| library.is_none() && is_listed(name));
        let configured = match (store, named) {
            (Some(store), None) => one(name, store.configuration(name)?),
            (Some(store), Some(plugin)) if says_nothing(plugin) => one(name, store.configuration(name)?),
            (None, Some(plugin)) if says_nothing(plugin) => vec![(name.clone(), Origin::Nothing, Value::Null)],
            _ => config.instances(name).into_iter().map(|(name, value)| (name, Origin::Host, value)).collect(),
        };
        // What came with the program exports its schema, as what is named by its file does.
        let is_file = store.is_none() || is_prebuilt(name);
        let is_unused = named.is_none() && !is_enabled(name);
        let schema = match store {
            _ if is_unused && configured.iter().all(|(_, origin, _)| *origin == Origin::Nothing) => continue,
            _ if is_offline && is_file => {
                let unchecked = |(instance, origin, _)| Checked { instance, origin, checked: false, error: None };
                checked.extend(configured.into_iter().map(unchecked));
                continue;
            }
            Some(store) => store.schema(name).map_err(Error::from),
            None => of_library(name, library),
        };
        match schema {
            Ok(schema) => checked.extend(configured.into_iter().map(|(instance, origin, value)| {
                // Offline no file of a secret is opened.
                if is_offline && secrets::has_files(&value) {
                    return Checked { instance, origin, checked: false, error: None };
                }
                let error =
                    fits(&instance, value, schema.as_ref(), Some(config).filter(|_| origin == Origin::Host)).err();
                Checked { instance, origin, checked: true, error }
            })),
            Err(error) => checked.push(Checked {
                instance: name.clone(),
                origin: Origin::Nothing,
                checked: true,
                error: Some(error),
            }),
        }
    }
    Ok(checked)
}

/// The only instance of an installed plugin.
fn one(name: &str, configured: Configured) -> Vec<(String, Origin, Value)> {
    vec![(name.into(), configured.origin, configured.value)]
}

fn says_nothing(plugin: &PluginConfig) -> bool {
    plugin.config.is_null() && plugin.instances.is_empty()
}

/// The schema of a plugin that is no installed one. Its library is loaded for that, and nothing of it is started.
fn of_library(name: &str, library: Option<&Path>) -> Result<Option<Value>, Error> {
    let file = library.map_or_else(|| Finder::new(&[]).find(name), |library| Ok(library.into()))?;
    // SAFETY: the operator names it in the configuration of hosts, and trusts it as this program.
    let schema = unsafe { hookrail::schema(file)? };
    Ok(schema.and_then(|text| serde_json::from_str(&text).ok()))
}

/// As a host validates it: what is configured by nobody is an empty configuration.
/// Only what the configuration file says may name files of secrets, and only that has a line.
fn fits(instance: &str, value: Value, schema: Option<&Value>, file: Option<&Config>) -> Result<(), Error> {
    let value = if value.is_null() { json!({}) } else { value };
    let resolved = file.map_or_else(|| Ok(value.clone().into()), |config| config.resolved(instance, &value))?;
    let Some(schema) = schema else { return Ok(()) };
    let fits = resolved.check(&Schema::new(instance, schema.to_string())?, instance);
    Ok(fits.map_err(|error| match file {
        Some(config) => config.located_error(error),
        None => error,
    })?)
}

fn text(Report { config, home, mistakes, instances, endpoints }: &Report) -> String {
    if !mistakes.is_empty() {
        return mistakes.iter().map(|error| wrong("", error)).collect::<Vec<_>>().join("\n\n");
    }
    let file = match config {
        Some(Sourced { path, source }) => part(format!("{}, {source}", path.display())),
        None => "none: there is no hookrail.toml here".into(),
    };
    let home = home.iter().map(|home| part(format!("{}, {}", home.path.display(), home.source)));
    let mut text = format!("  configuration  {file}\n  home           {}", home.collect::<String>());
    if !instances.is_empty() {
        let columns = [Column::Text("instance"), Column::Text("configured by"), Column::Text("fits")];
        let rows = instances.iter().map(|Checked { instance, origin, checked, error }| {
            let by = match origin {
                Origin::Host => "the configuration file",
                Origin::Nothing => "-",
                Origin::Operator => "config set",
                Origin::Package => "its package",
                Origin::Plugin => "the plugin itself",
                _ => "unknown to this version",
            };
            vec![instance.clone(), by.into(), answer(*checked, error.as_ref()).into()]
        });
        let _ = write!(text, "\n\n{}", table(Target::Stdout, &columns, rows));
    }
    if !endpoints.is_empty() {
        let columns = [Column::Text("source or sink"), Column::Text("uses"), Column::Text("fits")];
        let rows = endpoints.iter().map(|CheckedEndpoint { key, uses, checked, error, .. }| {
            let name = key.strip_prefix("pipelines.").and_then(|key| key.strip_suffix(".config")).unwrap_or(key);
            vec![name.into(), uses.clone(), answer(*checked, error.as_ref()).into()]
        });
        let _ = write!(text, "\n\n{}", table(Target::Stdout, &columns, rows));
    }
    for Checked { instance, error, .. } in instances {
        if let Some(error) = error {
            let _ = write!(text, "\n\n{}", wrong(&format!("{}: ", part(instance.clone())), error));
        }
    }
    for endpoint in endpoints {
        if let Some(error) = &endpoint.error {
            // Most say it themselves.
            let place = part(endpoint.place());
            let before = if error.to_string().contains(&endpoint.key) { String::new() } else { format!("{place}: ") };
            let _ = write!(text, "\n\n{}", wrong(&before, error));
        }
    }
    text
}

fn answer(is_checked: bool, error: Option<&Error>) -> &'static str {
    match error {
        Some(_) => "no",
        None if is_checked => "yes",
        None => "not checked",
    }
}

/// A mistake, with what to do about it.
fn wrong(before: &str, error: &Error) -> String {
    let [why, fix] = [&*error.to_string(), &error.fix()].map(indented);
    format!("{before}error[{}]: {why}\n  fix: {fix}", error.code())
}

fn problems<S: Serializer>(errors: &[Error], to: S) -> Result<S::Ok, S::Error> {
    errors.iter().map(Error::problem).collect::<Vec<_>>().serialize(to)
}

fn problem<S: Serializer>(error: &Option<Error>, to: S) -> Result<S::Ok, S::Error> {
    error.as_ref().map(Error::problem).serialize(to)
}
