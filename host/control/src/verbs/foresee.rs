//! What the next host will refuse, as far as that shows without running any of the plugin's code.

use std::env::consts::ARCH;

use hookrail_image::inspect_copy;
use hookrail_model::error::{Error as HostError, Incompatible};
use hookrail_model::note::{Note, NoteHook};
use hookrail_model::schema::Schema;
use hookrail_store::LoadSpec;
use serde_json::json;

use super::Verbs;
use crate::error::Error;

impl Verbs<'_> {
    /// Refuses a plugin that a host could not load, or not with its configuration. Points that are not there may be
    /// those of another program.
    pub(super) fn foresee(self, spec: &LoadSpec) -> Result<(), Error> {
        let note = inspect_copy(&spec.library.verified()?, ARCH)?.note;
        self.can_be_loaded(&note).map_err(|why| HostError::incompatible(&note.name, why))?;
        Ok(())
    }

    /// Refuses a configuration that does not fit what a plugin takes, also one that is missing.
    pub(super) fn is_configured(self, spec: &LoadSpec) -> Result<(), Error> {
        let name = &spec.library.name;
        let Some(schema) = self.attached.store.schema(name)? else { return Ok(()) };
        let schema = Schema::new(name, schema.to_string())?;
        let config = &self.core.config;
        let is_of_host = self.host_says(name).is_some();
        for (instance, value) in config.instances(name) {
            let value = if is_of_host { value } else { spec.config.clone() };
            let value = if value.is_null() { json!({}) } else { value };
            let fits = if is_of_host {
                config.resolved(&instance, &value).and_then(|resolved| resolved.check(&schema, &instance))
            } else {
                schema.check(&instance, &value)
            };
            fits.map_err(|error| if is_of_host { config.located_error(error) } else { error })?;
        }
        Ok(())
    }

    fn can_be_loaded(self, note: &Note) -> Result<(), Incompatible> {
        if note.panic != "unwind" {
            return Err(Incompatible::PanicAborts);
        }
        for NoteHook { point, revision, .. } in &note.hooks {
            let here = self.core.registry.point(point).map(|point| point.revision);
            if let Some(here) = here.filter(|here| here != revision) {
                return Err(Incompatible::point_revision(point, *revision, here));
            }
        }
        Ok(())
    }
}
