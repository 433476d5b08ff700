//! `hookrail plugin install` and so on: what is installed, whether a host runs or not.

use std::fmt::Display;
use std::path::Path;

use hookrail::package::{Metadata, Trust};
use hookrail::store::Version;
use hookrail::store::{Depth, Install, Installation, Listed, Store, Voucher};
use serde::Serialize;

use crate::args;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::table::{Column, Target, table};
use crate::{print, talk, trust};

pub(crate) fn run(command: &args::Store) -> Result<ExitCode, Error> {
    match command {
        args::Store::Validate { file, json } => validate(file, *json),
        args::Store::Install { file, dry_run, downgrade, json } => {
            install(file, Install { dry_run: *dry_run, downgrade: *downgrade }, *json)
        }
        args::Store::Uninstall { name, purge, json } => {
            let version = store()?.change()?.uninstall(name, *purge)?;
            let text = match &version {
                Some(version) => format!("{name} {version} uninstalled"),
                None => format!("{name} forgotten"),
            };
            let kept = "its configuration is kept, and its name stays its key's; --purge forgets both";
            (!purge).then(|| talk::line(kept));
            answer(&Uninstalled { name, version, purged: *purge }, text, *json)
        }
        args::Store::Enable { name, json } => {
            let changed = store()?.change()?.enable(name)?;
            switched(name, true, changed, *json)
        }
        args::Store::Disable { name, json } => {
            let changed = store()?.change()?.disable(name)?;
            switched(name, false, changed, *json)
        }
        args::Store::Rollback { name, json } => {
            let (version, previous) = store()?.change()?.rollback(name)?;
            let text = format!("{name} {version} is current; before it {previous}");
            answer(&RolledBack { name, version, previous }, text, *json)
        }
        args::Store::Allow { package: (name, version), sha256, lasts, json } => {
            let allowed = store()?.change()?.allow(name, version.clone(), *sha256, *lasts)?;
            talk::line("nobody but you vouches for it then: be sure of the file, and of the digest");
            let text = format!("{name} {version} with that digest may be installed once, until {}", allowed.until);
            answer(&allowed, text, *json)
        }
    }
}

/// What is installed; with `verify` every file is looked at.
pub(crate) fn list(verify: bool, json: bool) -> Result<ExitCode, Error> {
    let installed = store()?.list(if verify { Depth::Files } else { Depth::Metadata })?;
    answer(&installed, table_of(&installed), json)
}

fn store() -> Result<Store, Error> {
    Ok(Store::open(trust::home()?)?)
}

fn validate(file: &Path, json: bool) -> Result<ExitCode, Error> {
    let (mut package, signed) = Trust::read(&trust::home()?)?.open(file)?;
    package.verify()?;
    let metadata = package.metadata();
    metadata
        .fits_here()
        .map_err(|why| hookrail::Error::PackageRejected { package: file.display().to_string(), why })?;
    let by = Voucher::Key { id: signed.key.id(), name: signed.name };
    let text = format!("{} {} works with this host, {}", metadata.name, metadata.version, vouched(&by));
    answer(&Validated { metadata, by }, text, json)
}

fn install(file: &Path, how: Install, json: bool) -> Result<ExitCode, Error> {
    let installed = store()?.change()?.install(file, how)?;
    let Installation { metadata: Metadata { name, version, .. }, by, replaces, enabled, .. } = &installed;
    let done = if how.dry_run { "would be installed" } else { "installed" };
    let place = replaces.as_ref().map(|replaces| format!(" in the place of {replaces}")).unwrap_or_default();
    let text = format!("{name} {version} {done}{place}, {}", vouched(by));
    talk::line("native code is fully trusted: in the host's process it may do all that the host may");
    if !enabled && !how.dry_run {
        talk::line(format_args!("it is disabled; `hookrail plugin enable {name}` has hosts load it"));
    }
    answer(&installed, text, json)
}

fn vouched(by: &Voucher) -> String {
    match by {
        Voucher::Allowed => "allowed by you".into(),
        Voucher::Key { id, name } => format!("signed by {name} ({id})"),
    }
}

fn switched(name: &str, enabled: bool, changed: bool, json: bool) -> Result<ExitCode, Error> {
    let text =
        format!("{name} is {}{}", if enabled { "enabled" } else { "disabled" }, if changed { "" } else { " already" });
    answer(&Switched { name, enabled, changed }, text, json)
}

fn answer(answer: &impl Serialize, text: impl Display, json: bool) -> Result<ExitCode, Error> {
    if json {
        print::json(answer)?
    } else {
        print::line(text)?
    }
    Ok(ExitCode::Ok)
}

fn table_of(installed: &[Listed]) -> String {
    if installed.is_empty() {
        return "nothing is installed; `hookrail plugin install FILE` installs a package".into();
    }
    let columns = [
        Column::Text("plugin"),
        Column::Text("version"),
        Column::Text("before"),
        Column::Text("enabled"),
        Column::Text("signature"),
        Column::Text("vouched for by"),
    ];
    let rows = installed.iter().map(|plugin| {
        vec![
            plugin.name.clone(),
            plugin.version.to_string(),
            plugin.previous.as_ref().map_or_else(|| "-".into(), Version::to_string),
            if plugin.enabled { "yes" } else { "no" }.into(),
            plugin.signature.name().into(),
            match &plugin.by {
                Voucher::Allowed => "you".into(),
                Voucher::Key { id, name } => format!("{name} ({id})"),
            },
        ]
    });
    let wrong = installed.iter().filter_map(|plugin| Some(format!("\n  {}: {}", plugin.name, plugin.why.as_ref()?)));
    table(Target::Stdout, &columns, rows) + &wrong.collect::<String>()
}

#[derive(Serialize)]
struct Validated<'a> {
    metadata: &'a Metadata,
    by: Voucher,
}

#[derive(Serialize)]
struct Uninstalled<'a> {
    name: &'a str,
    /// None if only what an uninstall before had left was forgotten.
    version: Option<Version>,
    purged: bool,
}

#[derive(Serialize)]
struct Switched<'a> {
    name: &'a str,
    enabled: bool,
    changed: bool,
}

#[derive(Serialize)]
struct RolledBack<'a> {
    name: &'a str,
    version: Version,
    previous: Version,
}
