//! Which endpoint an operator means.

use hookrail_model::error::{Error, Misbehaved};
use hookrail_model::note::{EndpointKind, NoteEndpoint};

use crate::own::Own;

/// What a slot runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// An endpoint of the program.
    Own(String),
    /// One of an instance; without a name, the only one of its kind.
    Plugin { instance: String, name: Option<String> },
}

impl Target {
    pub(crate) fn of(uses: &str, kind: EndpointKind, own: &Own) -> Self {
        if own.has(kind, uses) {
            return Target::Own(uses.into());
        }
        let (instance, name) = uses.split_once('/').map_or((uses, None), |(instance, name)| (instance, Some(name)));
        Target::Plugin { instance: instance.into(), name: name.map(Into::into) }
    }

    /// The instance, if it is a plugin's.
    pub(super) fn instance(&self) -> Option<&str> {
        match self {
            Target::Own(_) => None,
            Target::Plugin { instance, .. } => Some(instance),
        }
    }
}

/// The name of an endpoint of that kind: the one that is given, else the only one that there is.
pub(crate) fn name_of<'a>(
    given: Option<&'a str>,
    instance: &str,
    kind: EndpointKind,
    declared: &'a [NoteEndpoint],
) -> Result<&'a str, Error> {
    if let Some(name) = given {
        return Ok(name);
    }
    let of_kind = declared.iter().filter(|endpoint| endpoint.kind == kind);
    let names: Vec<_> = of_kind.map(|endpoint| &*endpoint.name).collect();
    let why = match &*names {
        [only] => return Ok(only),
        [] => format!("it has no {}", kind.name()),
        many => format!("it has several {}s: write `{instance}/NAME`, one of {}", kind.name(), many.join(", ")),
    };
    Err(Error::misbehaved(instance, Misbehaved::failed("accept", why)))
}
