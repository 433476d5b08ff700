//! Whether the configurations of endpoints fit, before anything is loaded or run.

use std::collections::BTreeMap;
use std::sync::Arc;

use hookrail_engine::DeclaredEndpoints;
use hookrail_engine::secrets::{self, Resolved};
use hookrail_model::error::Error;
use hookrail_model::instance::plugin_of;
use hookrail_model::note::EndpointKind;
use hookrail_model::pipeline::PipelineConfig;
use serde_json::{Map, Value};

use crate::own::Own;
use crate::slot::accepting::of_endpoint;
use crate::slot::target::{Target, name_of};
use crate::slot::{key_of, path_of};

/// The configuration of an endpoint in a pipeline.
#[derive(Debug)]
#[non_exhaustive]
pub struct ForeseenEndpoint {
    /// Its key.
    pub key: String,
    /// The endpoint, as the pipeline names it.
    pub uses: String,
    /// Whether it fits; `None` if nobody can say that.
    pub fits: Option<Result<(), Error>>,
}

/// Checks all of them. `find` knows what a plugin declares, if anybody does.
pub(crate) fn all(
    own: &Own,
    pipelines: &BTreeMap<String, PipelineConfig>,
    mut find: impl FnMut(&str) -> Option<Arc<DeclaredEndpoints>>,
) -> Vec<ForeseenEndpoint> {
    let mut foreseen = Vec::new();
    for (pipeline, config) in pipelines {
        let sources = config.sources.iter().map(|(name, of)| (EndpointKind::Source, name, &of.uses, &of.config));
        let sinks = config.sinks.iter().map(|(name, of)| (EndpointKind::Sink, name, &of.uses, &of.config));
        for (kind, name, uses, config) in sources.chain(sinks) {
            let (key, path) = (key_of(pipeline, kind, name), path_of(pipeline, name));
            let config = if config.is_null() { &Value::Object(Map::new()) } else { config };
            let fits = match Target::of(uses, kind, own) {
                Target::Own(name) => Some(resolve(config, &key).and_then(|config| {
                    own.accept(kind, &name, &path, config.value()).map(drop).map_err(|error| config.hidden(error))
                })),
                Target::Plugin { instance, name } => find(plugin_of(&instance)).map(|endpoints| {
                    let name = name_of(name.as_deref(), &instance, kind, endpoints.declared())?;
                    endpoints
                        .check(&instance, kind, name, &resolve(config, &key)?)
                        .map_err(|error| of_endpoint(error, &key))
                }),
            };
            foreseen.push(ForeseenEndpoint { key, uses: uses.clone(), fits });
        }
    }
    foreseen
}

fn resolve(config: &Value, key: &str) -> Result<Resolved, Error> {
    Ok(secrets::resolve(config, key)?)
}
