//! What plugins ask operators to grant.

use std::fmt;
use std::str::FromStr;

/// What a plugin asks the operator to grant, in the form `kind:argument`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Capability {
    /// `bus.publish:TOPIC`: to publish messages on the topics that the filter matches.
    BusPublish(String),
    /// `bus.subscribe:TOPIC`: to receive messages on the topics that the filter matches.
    BusSubscribe(String),
    /// `control:COMMAND`: to give the host that command.
    Control(String),
    /// `dispatch:POINT`: to dispatch that hook point.
    Dispatch(String),
    /// `env:NAME`: to read that environment variable.
    Env(String),
    /// `exec:PATH`: to run that program.
    Exec(String),
    /// `fs.read:PATH`: to read that file, or what is below that directory.
    FsRead(String),
    /// `fs.write:PATH`: to write that file, or what is below that directory.
    FsWrite(String),
    /// `net.connect:HOST:PORT`: to connect there by TCP.
    #[non_exhaustive]
    NetConnect {
        /// A name or an address; an IPv6 address is in brackets.
        host: String,
        /// The port.
        port: u16,
    },
    /// `net.listen:NAME`: to accept connections on the listening socket that the operator configured under that name.
    NetListen(String),
}

/// A text that is not a capability.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoCapability {
    /// There is no such kind.
    #[error("`{0}` is not a capability: there are {forms}", forms = FORMS.join(", "))]
    Unknown(String),
    /// What follows the kind is not what that kind needs.
    #[error("`{capability}` is not a capability: its form is `{form}`{why}")]
    #[non_exhaustive]
    Malformed {
        /// The text.
        capability: String,
        /// The form of that kind.
        form: &'static str,
        /// What the argument must be besides.
        why: &'static str,
    },
}

const FORMS: &[&str] = &[
    "bus.publish:TOPIC",
    "bus.subscribe:TOPIC",
    "control:COMMAND",
    "dispatch:POINT",
    "env:NAME",
    "exec:PATH",
    "fs.read:PATH",
    "fs.write:PATH",
    "net.connect:HOST:PORT",
    "net.listen:NAME",
];

impl FromStr for Capability {
    type Err = NoCapability;

    fn from_str(text: &str) -> Result<Self, NoCapability> {
        let unknown = || NoCapability::Unknown(text.into());
        let (kind, argument) = text.split_once(':').ok_or_else(unknown)?;
        let of_kind = |form: &&&str| form.split_once(':').is_some_and(|(known, _)| known == kind);
        let form = FORMS.iter().find(of_kind).ok_or_else(unknown)?;
        let malformed = |why| NoCapability::Malformed { capability: text.into(), form, why };
        if argument.is_empty() || argument.contains(char::is_control) {
            return Err(malformed(""));
        }
        let word = || {
            let is_word = !argument.contains(char::is_whitespace);
            if is_word { Ok(argument.to_owned()) } else { Err(malformed(", without spaces")) }
        };
        let path = || {
            let is_plain = argument.starts_with('/') && !argument.split('/').any(|part| part == "..");
            if is_plain { Ok(argument.to_owned()) } else { Err(malformed(", an absolute path without `..`")) }
        };
        Ok(match kind {
            "bus.publish" => Capability::BusPublish(word()?),
            "bus.subscribe" => Capability::BusSubscribe(word()?),
            "control" => Capability::Control(word()?),
            "dispatch" => Capability::Dispatch(word()?),
            "env" => Capability::Env(word()?),
            "exec" => Capability::Exec(path()?),
            "fs.read" => Capability::FsRead(path()?),
            "fs.write" => Capability::FsWrite(path()?),
            "net.connect" => {
                let address = word()?;
                let parts = address.rsplit_once(':').filter(|(host, _)| !host.is_empty());
                let (host, port) = parts.ok_or_else(|| malformed(""))?;
                let port = port.parse().ok().filter(|port| *port > 0);
                let port = port.ok_or_else(|| malformed(", with a port from 1 to 65535"))?;
                if host.contains(':') && !(host.starts_with('[') && host.ends_with(']')) {
                    return Err(malformed(", with an IPv6 address in brackets"));
                }
                Capability::NetConnect { host: host.into(), port }
            }
            "net.listen" => Capability::NetListen(word()?),
            _ => return Err(unknown()),
        })
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Capability::BusPublish(topic) => write!(f, "bus.publish:{topic}"),
            Capability::BusSubscribe(topic) => write!(f, "bus.subscribe:{topic}"),
            Capability::Control(command) => write!(f, "control:{command}"),
            Capability::Dispatch(point) => write!(f, "dispatch:{point}"),
            Capability::Env(name) => write!(f, "env:{name}"),
            Capability::Exec(path) => write!(f, "exec:{path}"),
            Capability::FsRead(path) => write!(f, "fs.read:{path}"),
            Capability::FsWrite(path) => write!(f, "fs.write:{path}"),
            Capability::NetConnect { host, port } => write!(f, "net.connect:{host}:{port}"),
            Capability::NetListen(name) => write!(f, "net.listen:{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_reads_and_shows_itself() {
        let all = [
            "bus.publish:log.>",
            "bus.subscribe:log.*",
            "control:plugin.list",
            "dispatch:message.publish",
            "env:HOME",
            "exec:/usr/bin/sensors",
            "fs.read:/var/log/my app",
            "fs.write:/var/lib/app",
            "net.connect:[::1]:6379",
            "net.listen:syslog",
        ];
        for (text, form) in all.iter().zip(FORMS) {
            assert_eq!(text.parse::<Capability>().unwrap().to_string(), *text);
            assert_eq!(text.split_once(':').unwrap().0, form.split_once(':').unwrap().0);
        }
    }

    #[test]
    fn invalid_capabilities_are_named_with_their_form() {
        for (text, part) in [
            ("network", "there are bus.publish:TOPIC, "),
            ("net.connects:a:1", "`net.connects:a:1` is not a capability: there are "),
            ("net.connect:host", "its form is `net.connect:HOST:PORT`"),
            ("net.connect::80", "its form is `net.connect:HOST:PORT`"),
            ("net.connect:host:0", "with a port from 1 to 65535"),
            ("net.connect:host:65536", "with a port from 1 to 65535"),
            ("net.connect:::1:80", "with an IPv6 address in brackets"),
            ("fs.read:var", "its form is `fs.read:PATH`, an absolute path"),
            ("fs.write:/var/../etc", "without `..`"),
            ("exec:", "its form is `exec:PATH`"),
            ("env:A B", "its form is `env:NAME`, without spaces"),
            ("env:A\u{1b}", "its form is `env:NAME`"),
        ] {
            let error = text.parse::<Capability>().unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
