//! Which plugins require which: none is enabled without those it requires, and none is removed while others require it.

use hookrail_model::package::{Metadata, Requirement};
use semver::Version;

use crate::change::Change;
use crate::error::{Error, StoreError, refused};
use crate::library::prebuilt;
use crate::state::InstalledPlugin;

/// Which dependants count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Among {
    /// Those that are enabled.
    Enabled,
    /// All that are installed.
    Installed,
}

impl Change<'_> {
    /// Refuses a version that requires a plugin which is missing, not enabled, or of an unsuitable version.
    pub(super) fn has_what_it_needs(&self, metadata: &Metadata) -> Result<(), Error> {
        let lacks = |Requirement { name, versions, .. }: &Requirement| {
            let found = match self.version(name) {
                None => "is not installed".into(),
                Some(version) if !versions.holds(&version) => format!("is {version}"),
                Some(_) if !self.state.settings(name).enabled => "is disabled".into(),
                Some(_) => return None,
            };
            Some(format!("{name} {versions}, which {found}"))
        };
        let lacking: Vec<_> = metadata.requires.iter().filter_map(lacks).collect();
        if lacking.is_empty() { Ok(()) } else { Err(refused(&metadata.name, StoreError::MissingRequirements(lacking))) }
    }

    /// Refuses to remove a plugin, or to change its version to an unsuitable one, while others require it.
    pub(super) fn is_not_needed(&self, name: &str, among: Among, next: Option<&Version>) -> Result<(), Error> {
        let needs = |(other, plugin): (&String, &InstalledPlugin)| {
            let version = plugin.current.as_ref()?;
            let counts = among == Among::Installed || self.state.settings(other).enabled;
            // What cannot be read requires nothing: it will not be loaded either.
            let metadata = counts.then(|| self.store.metadata(&self.state, other, version).ok())??;
            let requirement = metadata.requires.into_iter().find(|requirement| requirement.name == name)?;
            let fits = next.is_some_and(|next| requirement.versions.holds(next));
            (!fits).then(|| format!("{other} {version}, which needs {name} {}", requirement.versions))
        };
        let dependants: Vec<_> = self.state.plugins.iter().filter_map(needs).collect();
        if dependants.is_empty() { Ok(()) } else { Err(refused(name, StoreError::RequiredByOthers(dependants))) }
    }

    /// The version of a plugin that hosts would load.
    fn version(&self, name: &str) -> Option<Version> {
        match self.store.bundled(&self.state, name) {
            Some(path) => prebuilt(name, path).ok().map(|library| library.version),
            None => self.state.plugins.get(name)?.current.clone(),
        }
    }
}
