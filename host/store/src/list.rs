//! What is installed, for display and for programs.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::thread;

use hookrail_image::inspect;
use hookrail_model::installed::{Kind, Listed, SignatureStatus, TrustSource};
use hookrail_model::isolation::{Placed, PlacedBy};
use hookrail_package::{PackageError, Trust};
use semver::Version;

use crate::error::Error;
use crate::examine::{Depth, examine};
use crate::library::version;
use crate::state::{InstalledVersion, PluginSettings, State};
use crate::store::Store;

impl Store {
    /// The plugins that are installed or came with the program, by name.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn list(&self, depth: Depth) -> Result<Vec<Listed>, Error> {
        self.undisturbed(|state| {
            let trust = Trust::read(self.home())?;
            let names: Vec<_> = state.plugins().keys().collect();
            let installed = |name: &&String| self.installed(state, &trust, name, depth);
            let bundled = || self.prebuilt.keys().filter_map(|name| self.prebuilt(state, name)).collect();
            let mut listed = on_all_cores(&names, installed, bundled);
            listed.sort_by(|a, b| a.name.cmp(&b.name));
            Ok(listed)
        })
    }

    /// One of these plugins.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn listed(&self, name: &str, depth: Depth) -> Result<Option<Listed>, Error> {
        self.undisturbed(|state| {
            let installed = self.installed(state, &Trust::read(self.home())?, name, depth);
            Ok(installed.or_else(|| self.prebuilt(state, name)))
        })
    }

    fn installed(&self, state: &State, trust: &Trust, name: &str, depth: Depth) -> Option<Listed> {
        let (plugin, version, installed) = state.installed(name).ok()?;
        let InstalledVersion { trusted_by: by, installed_at: at, .. } = installed.clone();
        let examined = examine(self, trust, name, version, installed, depth);
        let signature = match (&examined, &by) {
            (Ok(_), TrustSource::Allowed) => SignatureStatus::Unsigned,
            (Ok(_), TrustSource::Key { .. }) => SignatureStatus::Signed,
            // Not in a state that was read.
            (Ok(_), _) => SignatureStatus::Invalid,
            (Err(error), _) => standing(error),
        };
        let settings = state.settings(name);
        let mut listed = Listed::new(name, version.clone(), Kind::External, settings.enabled, signature);
        let wish = examined.as_ref().ok().and_then(|metadata| metadata.isolation.as_deref());
        listed.isolation = placed(&settings, wish);
        listed.reason = examined.err().map(|error| error.to_string());
        (listed.trusted_by, listed.installed_at) = (Some(by), Some(at));
        listed.previous = plugin.previous.clone();
        Some(listed)
    }

    fn prebuilt(&self, state: &State, name: &str) -> Option<Listed> {
        let note = inspect(self.bundled(state, name)?).map(|inspection| inspection.note);
        let settings = state.settings(name);
        let listed = |version, signature| Listed::new(name, version, Kind::Prebuilt, settings.enabled, signature);
        Some(match note {
            Ok(note) => {
                let mut listed = listed(version(&note), SignatureStatus::BuiltIn);
                listed.isolation = placed(&settings, note.isolation.as_deref());
                listed
            }
            Err(error) => {
                let mut listed = listed(Version::new(0, 0, 0), SignatureStatus::Invalid);
                listed.isolation = placed(&settings, None);
                listed.reason = Some(error.to_string());
                listed
            }
        })
    }
}

/// In which process hosts run a plugin with these settings, whose note has that wish.
fn placed(settings: &PluginSettings, wish: Option<&str>) -> Placed {
    let stored = settings.isolation.clone().map(|process| Placed::new(process, PlacedBy::Store));
    stored.unwrap_or_else(|| Placed::by_wish(wish))
}

/// Applies `each` to all items and returns the results, preceded by those of `meanwhile`, which runs on the caller's
/// thread. If there are many items, their files are opened and read on all cores.
fn on_all_cores<T: Sync, R: Send>(
    all: &[T],
    each: impl Fn(&T) -> Option<R> + Sync,
    meanwhile: impl FnOnce() -> Vec<R>,
) -> Vec<R> {
    /// A smaller share is not worth a thread.
    const SHARE: usize = 100;
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let shares = all.chunks(all.len().div_ceil(cores).max(SHARE));
    let found = |share: &[T]| share.iter().filter_map(&each).collect::<Vec<_>>();
    if shares.len() < 2 {
        let mut results = meanwhile();
        results.extend(found(all));
        return results;
    }
    thread::scope(|scope| {
        let shares: Vec<_> = shares.map(|share| scope.spawn(|| found(share))).collect();
        let mut results = meanwhile();
        for share in shares {
            results.extend(share.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        results
    })
}

fn standing(error: &Error) -> SignatureStatus {
    match error {
        Error::PackageRejected { why: PackageError::Differs { .. } | PackageError::Files(_), .. } => {
            SignatureStatus::Modified
        }
        _ => SignatureStatus::Invalid,
    }
}
