//! The verbs for installed plugins, whether a host runs or not.

use std::path::PathBuf;
use std::time::Duration;

use clap::Subcommand;
use clap_complete::engine::ArgValueCandidates;
use hookrail::package::Digest;
use hookrail::store::MAX_ALLOWANCE;
use hookrail::store::Version;

use super::consent::Consent;
use super::selection::Common;
use hookrail::units;

use crate::candidates;

const AFTER_APPLY: &str = "\
In the file:

  [plugins.mask]
  package = \"mask-1.0.0.hrp\"    # installed, unless that file is already
  enabled = true                # the default
  config = { patterns = [\"a\"] } # left out, the configuration stays as it is
  overrides = [{ point = \"message.publish\", callback = \"mask/mask\", priority = 950 }]

It ends at the first step that fails; the steps before it have taken effect.
Plugins that the file does not name are left alone.";

/// How one generation replaces another in a running host.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Swap {
    /// Discard the plugin's state instead of handing it over
    #[arg(long)]
    pub(crate) fresh: bool,
    /// Do not wait until the old generation has left the process
    #[arg(long)]
    pub(crate) no_wait: bool,
}

impl Swap {
    /// How long the host waits; `None` for its default.
    pub(crate) fn wait_ms(self) -> Option<u64> {
        self.no_wait.then_some(0)
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Store {
    /// Check whether a package could be installed: what `install --dry-run` checks
    Validate {
        /// The package, with its signature beside it as FILE.minisig
        #[arg(add = candidates::files(&["hrp"]))]
        file: PathBuf,
        #[command(flatten)]
        common: Common,
    },
    /// Check a package as if to install it, show the places that its callbacks would have, and keep it for an hour
    Stage {
        /// The package, with its signature beside it as FILE.minisig
        #[arg(add = candidates::files(&["hrp"]))]
        file: PathBuf,
        #[command(flatten)]
        common: Common,
    },
    /// Install a package. A new plugin is disabled; a new version replaces the previous one, also in a running host,
    /// and the previous one is kept for a rollback
    Install {
        /// The package, with its signature beside it as FILE.minisig; or NAME-VERSION of a staged one
        #[arg(add = candidates::files(&["hrp"]))]
        file: PathBuf,
        /// Check everything, and change nothing
        #[arg(long)]
        dry_run: bool,
        /// Install it even if a newer version was installed before
        #[arg(long)]
        downgrade: bool,
        #[command(flatten)]
        swap: Swap,
        #[command(flatten)]
        common: Common,
    },
    /// Replace an installed plugin with the version in a package, for good; also in a running host, while messages flow
    Upgrade {
        /// The plugin, for example mask
        #[arg(add = ArgValueCandidates::new(candidates::installed))]
        name: String,
        /// The package, with its signature beside it as FILE.minisig; for a library, see `plugin replace`
        #[arg(add = candidates::files(&["hrp"]))]
        file: PathBuf,
        /// Install it even if a newer version was installed before
        #[arg(long)]
        downgrade: bool,
        #[command(flatten)]
        swap: Swap,
        #[command(flatten)]
        common: Common,
    },
    /// Unload a plugin, and remove its files; its configuration and the owner of its name are kept
    Uninstall {
        /// The plugin, for example mask
        #[arg(add = ArgValueCandidates::new(candidates::installed))]
        name: String,
        /// Also delete its configuration, and forget its versions and the owner of its name; asks first
        #[arg(long)]
        purge: bool,
        #[command(flatten)]
        consent: Consent,
        #[command(flatten)]
        common: Common,
    },
    /// Have hosts load a plugin; a running host does so at once
    Enable {
        /// The plugin, for example mask
        #[arg(add = ArgValueCandidates::new(candidates::known))]
        name: String,
        #[command(flatten)]
        common: Common,
    },
    /// Have hosts not load a plugin; a running host unloads it at once
    Disable {
        /// The plugin, for example mask
        #[arg(add = ArgValueCandidates::new(candidates::known))]
        name: String,
        #[command(flatten)]
        common: Common,
    },
    /// Have hosts run a plugin in a worker process; a running host moves it there, with its state while messages flow. A
    /// plugin that is not loaded from the store is moved until it is unloaded
    Isolate {
        /// The plugin, for example mask
        #[arg(add = ArgValueCandidates::new(candidates::known))]
        name: String,
        /// A worker that several plugins share; without it the plugin gets one of its own
        #[arg(long, value_name = "NAME")]
        worker: Option<String>,
        /// Do not wait for the end of the old generation
        #[arg(long)]
        no_wait: bool,
        #[command(flatten)]
        common: Common,
    },
    /// Have hosts run a plugin in their own process; a running host moves it there, with its state while messages flow. A
    /// plugin that is not loaded from the store is moved until it is unloaded
    Embed {
        /// The plugin, for example mask
        #[arg(add = ArgValueCandidates::new(candidates::known))]
        name: String,
        /// Do not wait for the end of the old generation
        #[arg(long)]
        no_wait: bool,
        #[command(flatten)]
        common: Common,
    },
    /// Return to the previously installed version, also in a running host; a second rollback undoes the first
    Rollback {
        /// The plugin, for example mask
        #[arg(add = ArgValueCandidates::new(candidates::installed))]
        name: String,
        #[command(flatten)]
        swap: Swap,
        #[command(flatten)]
        common: Common,
    },
    /// Install, configure, enable and disable plugins until they are as a file says
    #[command(after_help = AFTER_APPLY)]
    Apply {
        /// The file, for example plugins.toml; paths in it are relative to it
        #[arg(add = candidates::files(&["toml"]))]
        file: PathBuf,
        /// Show what would be done, and change nothing
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        common: Common,
    },
    /// Install the packages in the directory `incoming` of the home, as running hosts do by themselves
    ImportIncoming {
        #[command(flatten)]
        common: Common,
    },
    /// Allow one file to be installed once, whoever signed it
    Allow {
        /// The package, for example mask-1.0.0
        #[arg(value_name = "NAME-VERSION", value_parser = package)]
        package: (String, Version),
        /// The SHA-256 of the file, as `sha256sum` prints it
        #[arg(long, value_name = "HEX")]
        sha256: Digest,
        /// How long the permission lasts, 24h at most
        #[arg(long = "for", value_name = "TIME", default_value = "5m", value_parser = lasts)]
        lasts: Duration,
        #[command(flatten)]
        common: Common,
    },
}

/// Splits at the first `-` that is followed by a version: names and versions may contain more of them.
fn package(text: &str) -> Result<(String, Version), String> {
    let parted =
        text.match_indices('-').find_map(|(at, _)| Some((text[..at].to_owned(), text[at + 1..].parse().ok()?)));
    let parted = parted.filter(|(name, _): &(String, _)| !name.contains('/'));
    parted.ok_or_else(|| "write NAME-VERSION, for example mask-1.0.0".into())
}

fn lasts(text: &str) -> Result<Duration, String> {
    let lasts = units::duration(text).map_err(|error| error.to_string())?;
    match lasts {
        Duration::ZERO => Err("that would be over at once".into()),
        lasts if lasts > MAX_ALLOWANCE => Err("that is longer than a day".into()),
        lasts => Ok(lasts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_a_name_and_a_version() {
        for (text, name, version) in [
            ("mask-1.0.0", "mask", "1.0.0"),
            ("file-log-1.0.0-rc.1", "file-log", "1.0.0-rc.1"),
            ("a.b_c-10.20.30", "a.b_c", "10.20.30"),
        ] {
            assert_eq!(package(text), Ok((name.into(), version.parse().unwrap())));
        }
        for wrong in ["", "mask", "mask-1.0", "1.0.0", "mask-1.0.0.hrp", "a/mask-1.0.0"] {
            assert!(package(wrong).is_err(), "{wrong}");
        }
    }
}
