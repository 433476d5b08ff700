//! Whether the configurations of the sources and sinks of pipelines fit.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use hookrail::stream::{ForeseenEndpoint, Streams};
use hookrail::{DeclaredEndpoints, Host};
use serde::Serialize;

use crate::error::Error;
use crate::plugins::Finder;
use crate::serve::stdio;

/// The configuration of a source or a sink.
#[derive(Serialize)]
pub(super) struct CheckedEndpoint {
    /// Its key in the file.
    pub(super) key: String,
    /// The file and the line.
    place: Option<String>,
    #[serde(rename = "use")]
    pub(super) uses: String,
    /// Whether it was held against what its plugin declares.
    pub(super) checked: bool,
    /// Why it does not fit; null if it does.
    #[serde(serialize_with = "super::problem")]
    pub(super) error: Option<Error>,
}

impl CheckedEndpoint {
    fn of(host: &Host, ForeseenEndpoint { key, uses, fits, .. }: ForeseenEndpoint) -> Self {
        let config = host.config();
        let checked = fits.is_some();
        let error = fits.and_then(Result::err).map(|error| config.located_error(error).into());
        CheckedEndpoint { place: config.place_of(&key), key, uses, checked, error }
    }

    /// Where it is wrong, for people.
    pub(super) fn place(&self) -> String {
        self.place.as_ref().map_or_else(|| self.key.clone(), |place| format!("{place}: {}", self.key))
    }
}

/// All of them. Those of plugins from packages are not checked, since that would run their code; `is_offline`, nor are
/// others, but for those of the program itself.
pub(super) fn all(
    host: &Host,
    is_installed: impl Fn(&str) -> bool,
    is_offline: bool,
) -> Result<Vec<CheckedEndpoint>, Error> {
    let mut streams = Streams::of(host)?;
    stdio::offer(&mut streams, None);
    let mut known: BTreeMap<String, Result<Arc<DeclaredEndpoints>, Error>> = BTreeMap::new();
    let foreseen = streams.foresee(&host.config().pipelines, |plugin| {
        let library = host.config().plugins.get(plugin).and_then(|plugin| plugin.library.as_deref());
        if is_offline || library.is_none() && is_installed(plugin) {
            return None;
        }
        let declared = known.entry(plugin.into()).or_insert_with(|| declared(plugin, library));
        declared.as_ref().ok().cloned()
    });
    let mut checked: Vec<_> = foreseen.into_iter().map(|foreseen| CheckedEndpoint::of(host, foreseen)).collect();
    for (plugin, declared) in known {
        // One is enough of a plugin that is not there.
        let is_it = |endpoint: &&mut CheckedEndpoint| endpoint.uses.split([':', '/']).next() == Some(&*plugin);
        if let (Err(error), Some(first)) = (declared, checked.iter_mut().find(is_it)) {
            (first.checked, first.error) = (true, Some(error));
        }
    }
    Ok(checked)
}

/// What a library declares, which is loaded for that; nothing of it is started.
fn declared(plugin: &str, library: Option<&Path>) -> Result<Arc<DeclaredEndpoints>, Error> {
    let file = library.map_or_else(|| Finder::new(&[]).find(plugin), |library| Ok(library.into()))?;
    // SAFETY: the operator names it in the configuration of hosts, and trusts it as this program.
    Ok(Arc::new(unsafe { hookrail::declared_endpoints(file)? }))
}
