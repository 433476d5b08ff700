//! What an operator says: the lines of its stdout.

use std::borrow::Cow;
use std::collections::BTreeMap;

use hookrail_abi::Message;
use hookrail_abi::host::Level;
use hookrail_abi::serde::Deserialize;
use serde_json::{Map, Value};

use crate::wanted::Filter;

/// The longest reference that an operator may have a message's receipt carry, in bytes of JSON.
const LONGEST_REFERENCE: usize = 256;

/// A line that an operator has written.
#[derive(Debug)]
pub(crate) enum Said {
    Ack(u64),
    Config(Map<String, Value>),
    Done(What),
    Log(Level, String),
    Pong(Pong),
    Publish {
        message: Box<Message>,
        reference: Option<Value>,
    },
    Ready(Ready),
    Refused(What, String),
    Reject(u64, String),
    Retry(u64, String),
    Subscribe(Filter),
    /// A type that this version does not know: passed over.
    Unknown(String),
}

/// What was ordered, and is answered.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(crate = "hookrail_abi::serde", rename_all = "lowercase")]
pub(crate) enum What {
    Halt,
    Reload,
    Resume,
}

/// How an operator says that it is.
#[derive(Debug, PartialEq)]
pub(crate) enum Pong {
    Error(String),
    Init,
    Running,
}

/// What an operator says when it is ready.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(crate = "hookrail_abi::serde", default)]
pub(crate) struct Ready {
    /// The version of the protocol that it speaks.
    pub(crate) protocol: Option<u64>,
    /// Whether it answers for each message.
    pub(crate) acks: bool,
    /// Which orders it answers: `ping`, `halt`, `resume`, `reload`, `shutdown`.
    pub(crate) answers: Vec<String>,
}

#[derive(Deserialize)]
#[serde(crate = "hookrail_abi::serde")]
struct Type<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(crate = "hookrail_abi::serde")]
struct Published {
    message: Message,
    #[serde(default)]
    id: Option<Value>,
}

#[derive(Deserialize)]
#[serde(crate = "hookrail_abi::serde")]
struct Numbered {
    id: u64,
    #[serde(default)]
    reason: String,
}

#[derive(Deserialize)]
#[serde(crate = "hookrail_abi::serde")]
struct Subscribed {
    topics: Vec<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(crate = "hookrail_abi::serde")]
struct Ponged {
    #[serde(default)]
    state: State,
    #[serde(default)]
    reason: String,
}

#[derive(Default, Deserialize)]
#[serde(crate = "hookrail_abi::serde", rename_all = "lowercase")]
enum State {
    Error,
    Init,
    #[default]
    Running,
}

#[derive(Deserialize)]
#[serde(crate = "hookrail_abi::serde")]
struct Logged {
    #[serde(default)]
    level: LogLevel,
    text: String,
}

#[derive(Default, Deserialize)]
#[serde(crate = "hookrail_abi::serde", rename_all = "lowercase")]
enum LogLevel {
    Debug,
    Error,
    #[default]
    Info,
    Trace,
    Warn,
}

#[derive(Deserialize)]
#[serde(crate = "hookrail_abi::serde")]
struct Refusal {
    what: What,
    #[serde(default)]
    reason: String,
}

#[derive(Deserialize)]
#[serde(crate = "hookrail_abi::serde")]
struct Stored {
    config: Map<String, Value>,
}

impl Said {
    /// Reads a line, without its newline.
    ///
    /// # Errors
    /// Why it is none.
    pub(crate) fn read(line: &[u8]) -> Result<Self, String> {
        let line = std::str::from_utf8(line).map_err(|_| "it is not UTF-8")?;
        if !line.trim_start().starts_with('{') {
            return Err("it is no JSON object".into());
        }
        let Type { r#type } = of(line)?;
        match &*r#type {
            "ack" => of::<Numbered>(line).map(|ack| Said::Ack(ack.id)),
            "config" => of::<Stored>(line).map(|stored| Said::Config(stored.config)),
            "halted" => Ok(Said::Done(What::Halt)),
            "log" => of::<Logged>(line).map(|logged| Said::Log(logged.level.level(), logged.text)),
            "pong" => of::<Ponged>(line).map(|pong| Said::Pong(pong.pong())),
            "publish" => of::<Published>(line)?.publish(),
            "ready" => of::<Ready>(line).map(Said::Ready),
            "refused" => of::<Refusal>(line).map(|refused| Said::Refused(refused.what, refused.reason)),
            "reject" => of::<Numbered>(line).map(|rejected| Said::Reject(rejected.id, rejected.reason)),
            "reloaded" => Ok(Said::Done(What::Reload)),
            "resumed" => Ok(Said::Done(What::Resume)),
            "retry" => of::<Numbered>(line).map(|retried| Said::Retry(retried.id, retried.reason)),
            "subscribe" => {
                let Subscribed { topics, headers } = of(line)?;
                Filter::new(&topics, headers).map(Said::Subscribe)
            }
            _ => Ok(Said::Unknown(r#type.into_owned())),
        }
    }
}

impl Published {
    fn publish(mut self) -> Result<Said, String> {
        // They are the host's.
        self.message.flags = 0;
        if self.id.as_ref().is_some_and(|id| id.to_string().len() > LONGEST_REFERENCE) {
            return Err(format!("its `id` is longer than {LONGEST_REFERENCE} bytes"));
        }
        Ok(Said::Publish { message: Box::new(self.message), reference: self.id })
    }
}

impl Ponged {
    fn pong(self) -> Pong {
        match self.state {
            State::Error => Pong::Error(self.reason),
            State::Init => Pong::Init,
            State::Running => Pong::Running,
        }
    }
}

impl LogLevel {
    fn level(self) -> Level {
        match self {
            LogLevel::Debug => Level::Debug,
            LogLevel::Error => Level::Error,
            LogLevel::Info => Level::Info,
            LogLevel::Trace => Level::Trace,
            LogLevel::Warn => Level::Warn,
        }
    }
}

impl Ready {
    pub(crate) fn answers(&self, what: &str) -> bool {
        self.answers.iter().any(|known| known == what)
    }
}

/// A line as one of its types. The type itself borrows of the line.
fn of<'a, T: Deserialize<'a>>(line: &'a str) -> Result<T, String> {
    serde_json::from_str(line).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests;
