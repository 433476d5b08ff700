//! `hookrail trust`: the keys whose packages are trusted.

use std::fmt::Write;
use std::path::Path;

use hookrail::ParseError;
use hookrail::package::{self, Home, KeyId, PublicKey, Trust, TrustedKey};
use hookrail::store::{self, Allowance, Store, TrustSource};
use serde_json::json;

use crate::args;
use crate::confirm::confirm;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::harmless::part;
use crate::table::{Column, Target, table};
use crate::{print, settings, stderr};

pub(crate) fn run(command: &args::Trust) -> Result<ExitCode, Error> {
    let home = home()?;
    match command {
        args::Trust::Add { key, name } => {
            let key = public_key(key)?;
            let id = key.id();
            change(&home, |trust| trust.add(key, name.clone()))?;
            stderr::line(format_args!("packages signed by the key {id} ({name}) are now trusted"));
            stderr::line(
                "a plugin in the host's process may do all that the host may: trust only those whom you would let run a program here",
            );
        }
        args::Trust::List { json } => {
            let trust = Trust::read(&home)?;
            // The keys are listed even if the allowances cannot be read.
            let allowances = allowances(&home);
            if *json {
                print::json(&json!({ "keys": trust.keys(), "allowances": allowances.as_ref().ok() }))?;
            } else {
                print::lines(text(trust.keys(), allowances.as_deref().unwrap_or_default()))?;
            }
            if let Err(error) = allowances {
                stderr::line(format_args!("cannot list what is allowed: {error}"));
            }
        }
        args::Trust::Revoke { key, reason, consent } => {
            let bad = |why: String| Error::BadKey { key: key.clone(), why };
            let id = key.parse().map_err(|why: ParseError| bad(why.to_string()))?;
            if !Trust::read(&home)?.keys().iter().any(|known| known.key.id() == id) {
                return Err(bad("no key with that id was ever trusted here".into()));
            }
            if !confirm(*consent, &format!("the key {id} will never be trusted here again"))? {
                return Ok(ExitCode::Failure);
            }
            change(&home, |trust| trust.revoke(id, reason.clone()))?;
            stderr::line(format_args!("the key {id} is no longer trusted"));
            // It is revoked, even if this cannot be listed.
            match signed_by(&home, id) {
                Ok(signed) => signed.iter().for_each(|(name, is_enabled)| {
                    let consequence = if *is_enabled { ", which no host starts with any more" } else { "" };
                    stderr::line(format_args!("it signed {name}{consequence}: `hookrail plugin disable {name}`"));
                }),
                Err(error) => stderr::line(format_args!("cannot list what it signed: {error}")),
            }
        }
    }
    Ok(ExitCode::Ok)
}

/// The installed plugins that this key signed, and whether they are enabled.
fn signed_by(home: &Home, key: KeyId) -> Result<Vec<(String, bool)>, store::Error> {
    let state = Store::open(home.clone())?.state()?;
    let is_by = |name: &&String| {
        let installed = state.installed(name);
        installed
            .is_ok_and(|(_, _, installed)| matches!(installed.trusted_by, TrustSource::Key { id, .. } if id == key))
    };
    Ok(state.plugins().keys().filter(is_by).map(|name| (name.clone(), state.settings(name).enabled)).collect())
}

/// The files that may be installed once, whoever signed them.
fn allowances(home: &Home) -> Result<Vec<Allowance>, store::Error> {
    Ok(Store::open(home.clone())?.state()?.allowances().cloned().collect())
}

/// The home of the hosts of this user.
pub(crate) fn home() -> Result<Home, Error> {
    Ok(Home::open(settings::home()?)?)
}

fn change(home: &Home, change: impl FnOnce(&mut Trust) -> Result<(), package::PackageError>) -> Result<(), Error> {
    let locked = home.lock()?;
    let mut trust = Trust::read(home)?;
    change(&mut trust).map_err(|why| package::Error::rejected(home.path().display().to_string(), why))?;
    Ok(trust.write(&locked)?)
}

/// A public key, or the one in a file.
pub(crate) fn public_key(text: &str) -> Result<PublicKey, Error> {
    let bad = |why: String| Error::BadKey { key: text.into(), why };
    let path = Path::new(text);
    if !path.exists() {
        let unknown = |why: ParseError| bad(format!("there is no such file, and {why}"));
        return text.parse().map_err(unknown);
    }
    let content = std::fs::read_to_string(path);
    content.map_err(|error| bad(error.to_string()))?.parse().map_err(|why: ParseError| bad(why.to_string()))
}

fn text(keys: &[TrustedKey], allowances: &[Allowance]) -> String {
    let mut text = if keys.is_empty() {
        "no key is trusted; `hookrail trust add KEY --name NAME` adds one".into()
    } else {
        table_of(keys)
    };
    for Allowance { plugin, version, sha256, until, .. } in allowances {
        let allowed = format!("allowed once, until {until}: {plugin}-{version}, SHA-256 {sha256}");
        let _ = write!(text, "\n{}", part(allowed));
    }
    text
}

fn table_of(keys: &[TrustedKey]) -> String {
    let columns = [Column::Text("key"), Column::Text("name"), Column::Text("trusted since"), Column::Text("state")];
    let rows = keys.iter().map(|known| {
        let state = match &known.revoked {
            None => "trusted".into(),
            Some(revoked) => format!("revoked at {}: {}", revoked.at, revoked.reason),
        };
        vec![known.key.id().to_string(), known.name.clone(), known.added.clone(), state]
    });
    table(Target::Stdout, &columns, rows)
}
