//! The point that a new plugin hooks.

use hookrail::catalogue::{BUILT_IN, RENAMED};
use hookrail_abi::RawKind;

/// A dispatched point, with its names in the templates.
pub(super) struct Hooked {
    pub(super) name: &'static str,
    pub(super) kind: RawKind,
}

impl Hooked {
    pub(super) fn of(name: &str) -> Result<Self, String> {
        let known = BUILT_IN.iter().find(|point| point.name == name);
        match known {
            Some(point) if point.revision > 0 => Ok(Hooked { name: point.name, kind: point.kind }),
            Some(_) => Err(format!("{name} is planned, and no host dispatches it yet; {}", dispatched())),
            None => Err(match RENAMED.iter().find(|(old, _)| *old == name) {
                Some((_, now)) => format!("{name} is called {now} here"),
                None => format!(
                    "there is no hook point {name}; {}; a point of another program needs the crate that declares it: \
                     --points-crate PATH",
                    dispatched()
                ),
            }),
        }
    }

    /// Its type in Rust: `message.publish` is `MessagePublish`.
    pub(super) fn of_type(&self) -> String {
        self.name.split(['.', '_']).map(|word| word[..1].to_ascii_uppercase() + &word[1..]).collect()
    }

    /// The prefix of its constants in C.
    pub(super) fn in_c(&self) -> String {
        format!("HOOKRAIL_{}", self.name.replace('.', "_").to_ascii_uppercase())
    }

    pub(super) fn callback(&self) -> &'static str {
        if self.kind == RawKind::Notify { "count" } else { "mark" }
    }

    /// Its payload's type, and an expression for a value.
    pub(super) fn payload(&self) -> (&'static str, &'static str) {
        match self.name {
            "message.dropped" => {
                ("Dropped", "Dropped::denied(Message::new(\"a.topic\", \"a body\"), \"x/y\", 1, \"why\")")
            }
            _ => ("Message", "Message::new(\"a.topic\", \"a body\")"),
        }
    }
}

fn dispatched() -> String {
    let names = BUILT_IN.iter().filter(|point| point.revision > 0).map(|point| point.name);
    format!("hosts dispatch {}", names.collect::<Vec<_>>().join(", "))
}
