//! A configuration, and the files of secrets that it names.

use hookrail_model::error::Error;

use super::{Config, key_of_instance};
use crate::secrets::{self, Resolved};

impl Config {
    /// What this says of an instance, with the secrets in the files that it names.
    ///
    /// # Errors
    /// If such a file cannot be read.
    #[doc(hidden)]
    pub fn resolved(&self, instance: &str, value: &serde_json::Value) -> Result<Resolved, Error> {
        secrets::resolve(value, &key_of_instance(instance)).map_err(|error| self.located(error).into())
    }

    /// With the secrets in place of the files that it names: for whoever runs plugins without a host.
    ///
    /// # Errors
    /// If such a file cannot be read.
    #[doc(hidden)]
    pub fn with_secrets(mut self) -> Result<Self, Error> {
        let mut of = Vec::new();
        for (name, plugin) in &mut self.plugins {
            of.push((key_of_instance(name), &mut plugin.config));
            let instances = plugin.instances.iter_mut();
            of.extend(instances.map(|(key, one)| (key_of_instance(&format!("{name}:{key}")), &mut one.config)));
        }
        for (name, pipeline) in &mut self.pipelines {
            let sources = pipeline.sources.iter_mut();
            of.extend(sources.map(|(of, one)| (format!("pipelines.{name}.sources.{of}.config"), &mut one.config)));
            let sinks = pipeline.sinks.iter_mut();
            of.extend(sinks.map(|(of, one)| (format!("pipelines.{name}.sinks.{of}.config"), &mut one.config)));
        }
        let put = |(key, config): (String, &mut serde_json::Value)| {
            *config = secrets::resolve(config, &key)?.value().clone();
            Ok(())
        };
        match of.into_iter().try_for_each(put) {
            Ok(()) => Ok(self),
            Err(error) => Err(self.located(error).into()),
        }
    }
}
