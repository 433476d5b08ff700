//! The one JSON form of the management commands: a line each way.
//!
//! A request is an object in one line; `id` is any number, and comes back with the answer:
//!
//! ```text
//! {"id":1,"command":"upgrade","plugin":"mask","file":"/opt/libhookrail_mask.so","fresh":false}
//! ```
//!
//! So is an answer, which has either `ok` or `error`:
//!
//! ```text
//! {"id":1,"ok":{"plugin":"mask","generation":2,"version":"1.0.0", ...}}
//! {"id":1,"error":{"code":"HR0103","message":"no plugin named `mask` is loaded","fix":"..."}}
//! ```
//!
//! Behind the answer to `events`, the connection carries [`Told`] lines and nothing else:
//!
//! ```text
//! {"id":1,"ok":null}
//! {"event":{"plugin":"mask","generation":2,"time":1760000000000000000,"event":"stopped"}}
//! {"dropped":7}
//! ```

mod answers;
mod desired;
mod installed;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::answers::{Ended, LeftOut, PlacedCallback, PluginDetail, Program, Replaced};
pub use self::desired::{Applied, Deed, Desire, Step, Taken};
pub use self::installed::{Changed, Installed, Planned, Reconfigured, Staged, Uninstalled, Validated};
use super::error::ControlError;
use crate::diagnostics::LogLevel;
use crate::error::Error;
use crate::event::Event;
use crate::package::Digest;
use crate::stats::{Condition, Level};
use crate::store::Version;

/// The longest line that a host reads, in bytes.
pub const MAX_LINE: usize = 1 << 20;

/// What can be asked of a host: a closed list.
///
/// Files are absolute paths, and opened by the host. Where something is waited for, `wait_ms` says
/// how long at most; without it that is twice the `unload.deadline_ms` of the host's configuration,
/// and never more than ten minutes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Command {
    /// Lets exactly one file be installed once, whoever signed it. Answers an
    /// [`Allowance`](crate::store::Allowance).
    Allow {
        /// The plugin.
        plugin: String,
        /// Its version.
        version: Version,
        /// The SHA-256 of the package.
        sha256: Digest,
        /// For how long, a day at most.
        lasts_ms: u64,
    },
    /// Installs, configures, enables and disables what is not so yet. Answers an [`Applied`].
    Apply {
        /// What is wanted, by plugin; of those that are not named nothing is.
        plugins: BTreeMap<String, Desire>,
        /// Does nothing, and answers what would be done.
        #[serde(default)]
        dry_run: bool,
    },
    /// What a plugin is configured with. Answers a [`Configured`](crate::store::Configured).
    Config {
        /// The plugin.
        plugin: String,
    },
    /// What a plugin was configured with before. Answers an array of
    /// [`FormerConfig`](crate::store::FormerConfig), the newest first.
    ConfigHistory {
        /// The plugin.
        plugin: String,
    },
    /// The JSON Schema of a plugin's configuration. Answers it, or null.
    ConfigSchema {
        /// The plugin.
        plugin: String,
    },
    /// Configures a plugin. Where it runs it takes that at once, or refuses it. Answers a [`Reconfigured`].
    Configure {
        /// The plugin.
        plugin: String,
        /// The whole configuration.
        config: Value,
        /// Has the same code run anew with it, for plugins that take it only when they are loaded.
        #[serde(default)]
        restart: bool,
        /// How long to wait for the end of the old generation.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        wait_ms: Option<u64>,
    },
    /// Says that hosts shall not load a plugin, and unloads it. Answers a [`Changed`].
    Disable {
        /// Its name.
        plugin: String,
        /// How long to wait for the end.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        wait_ms: Option<u64>,
    },
    /// Says that hosts shall load a plugin, and loads it. Answers a [`Changed`].
    Enable {
        /// Its name.
        plugin: String,
    },
    /// What happens to plugins from now on, until the connection is closed. Answers nothing first.
    Events,
    /// The points with their chains: all, or one. Answers an array of [`PointView`](crate::PointView).
    Hooks {
        /// The one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        point: Option<String>,
    },
    /// Installs a package; where another version of the plugin runs, the new one takes its place. Answers an
    /// [`Installed`].
    Install {
        /// The package.
        file: PathBuf,
        /// The plugin that has to be in it, and to be installed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        plugin: Option<String>,
        /// Checks all, and installs nothing.
        #[serde(default)]
        dry_run: bool,
        /// Installs it although a newer version was installed before.
        #[serde(default)]
        downgrade: bool,
        /// Leaves the state of what runs behind.
        #[serde(default)]
        fresh: bool,
        /// How long to wait for the end of the old generation.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        wait_ms: Option<u64>,
    },
    /// How closely the dispatches of a point are looked at from now on. Answers its
    /// [`PointView`](crate::PointView).
    Level {
        /// The point.
        point: String,
        /// The level.
        level: Level,
    },
    /// The plugins that are loaded or installed. Answers an array of [`PluginView`](crate::PluginView).
    List {
        /// Every file of what is installed is held against its digest.
        #[serde(default, skip_serializing_if = "is_false")]
        verify: bool,
    },
    /// How much a plugin tells by `tracing` and `log` from now on. Answers its
    /// [`PluginView`](crate::PluginView).
    Log {
        /// Its name.
        plugin: String,
        /// What is told: that, and what matters more.
        level: LogLevel,
    },
    /// Loads a plugin. Answers its [`PluginView`](crate::PluginView).
    Load {
        /// Its library.
        file: PathBuf,
    },
    /// Has a quarantined callback called again. Answers the [`PointView`](crate::PointView).
    Release {
        /// The point.
        point: String,
        /// `instance/callback`
        callback: String,
    },
    /// Stops a plugin and starts it again: the same code, without what it has in mind. Answers its
    /// [`PluginView`](crate::PluginView).
    Restart {
        /// Its name.
        plugin: String,
    },
    /// Returns to the version that was installed before; where the current one runs, it takes its place.
    /// Answers a [`Changed`].
    Rollback {
        /// The plugin.
        plugin: String,
        /// Leaves the state of what runs behind.
        #[serde(default)]
        fresh: bool,
        /// How long to wait for the end of the old generation.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        wait_ms: Option<u64>,
    },
    /// One plugin. Answers a [`PluginDetail`].
    Show {
        /// Its name.
        plugin: String,
    },
    /// Checks a package as if to install it, and keeps it at hand for an hour. Answers a [`Staged`].
    Stage {
        /// The package.
        file: PathBuf,
    },
    /// Starts a stopped plugin. Answers its [`PluginView`](crate::PluginView).
    Start {
        /// Its name.
        plugin: String,
    },
    /// The program that the host is in. Answers a [`Program`].
    Status,
    /// Stops a plugin, and keeps its library. Answers its [`PluginView`](crate::PluginView).
    Stop {
        /// Its name.
        plugin: String,
    },
    /// Installs what lies in the drop-in folder of the home. Answers an array of [`Taken`].
    TakeIn,
    /// Traces the next dispatches of a point. Answers an array of [`Trace`](crate::Trace): as many as
    /// were asked for, or those that came within the time.
    Trace {
        /// The point.
        point: String,
        /// How many at most, from 1 to 1,000.
        count: usize,
        /// Only dispatches that fulfil this, `FIELD=VALUE`.
        #[serde(rename = "if", default, skip_serializing_if = "Option::is_none")]
        condition: Option<Condition>,
        /// How long to wait for them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        wait_ms: Option<u64>,
    },
    /// Disables a plugin, and removes its files. Answers an [`Uninstalled`].
    Uninstall {
        /// The plugin.
        plugin: String,
        /// Removes its configuration too, and forgets whose name it is.
        #[serde(default)]
        purge: bool,
        /// How long to wait for the end.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        wait_ms: Option<u64>,
    },
    /// Unloads a plugin. Answers an [`Ended`].
    Unload {
        /// Its name.
        plugin: String,
        /// How long to wait for the end.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        wait_ms: Option<u64>,
    },
    /// Replaces a plugin by another build of it. Answers a [`Replaced`].
    Upgrade {
        /// Its name.
        plugin: String,
        /// The library of the new build.
        file: PathBuf,
        /// Leaves the state behind.
        #[serde(default)]
        fresh: bool,
        /// How long to wait for the end of the old generation.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        wait_ms: Option<u64>,
    },
    /// Whether a package would work here. Answers a [`Validated`].
    Validate {
        /// The package.
        file: PathBuf,
    },
}

fn is_false(value: &bool) -> bool {
    !value
}

/// A request: a command with its number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Request {
    /// Comes back with the answer.
    pub id: u64,
    /// What is asked for.
    #[serde(flatten)]
    pub command: Command,
}

/// An answer: the number of its request, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The number of the request; `None` where none could be read.
    pub id: Option<u64>,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It was done; [`Command`] says what each one answers.
    Ok(Value),
    /// It was not.
    Error(Problem),
}

/// An error, as it crosses the socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The stable code.
    pub code: String,
    /// What happened.
    pub message: String,
    /// The next step.
    pub fix: String,
}

/// What is told behind the answer to [`Command::Events`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Told {
    /// So many events in all were left out by now, because they were not read in time.
    Dropped(u64),
    /// Something happened.
    Event(Event),
}

impl Request {
    /// Reads a line. Where it is no request, its number is answered all the same, if it has one.
    pub fn read(line: &[u8]) -> Result<Self, (Option<u64>, ControlError)> {
        let bad = |id| move |error: serde_json::Error| (id, ControlError::BadRequest(error.to_string()));
        let mut fields: serde_json::Map<String, Value> = serde_json::from_slice(line).map_err(bad(None))?;
        let id = match fields.remove("id") {
            Some(Value::Number(number)) if number.is_u64() => number.as_u64(),
            _ => None,
        };
        let Some(number) = id else {
            return Err((None, ControlError::BadRequest("`id` is no number from 0 on".into())));
        };
        // From the fields, not from the text: positions in them would be those of another text.
        let command = Command::deserialize(Value::Object(fields)).map_err(bad(id))?;
        Ok(Request { id: number, command })
    }
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        Problem { code: error.code().into(), message: error.to_string(), fix: error.fix().into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// A value as a line.
pub(super) fn line(value: &impl Serialize) -> Result<Vec<u8>, serde_json::Error> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Happened;
    use crate::host::UpgradeTimes;
    use crate::library::End;
    use crate::memory::Memory;

    #[test]
    fn each_request_has_its_form_and_comes_back_from_it() {
        let check = |command: Command, text: &str| {
            let request = Request { id: 7, command };
            assert_eq!(serde_json::to_string(&request).unwrap(), text);
            assert_eq!(Request::read(text.as_bytes()).unwrap(), request);
        };
        let plugin = || "mask".to_owned();
        check(Command::Events, r#"{"id":7,"command":"events"}"#);
        check(Command::Hooks { point: None }, r#"{"id":7,"command":"hooks"}"#);
        check(Command::Hooks { point: Some("a.b".into()) }, r#"{"id":7,"command":"hooks","point":"a.b"}"#);
        check(
            Command::Level { point: "a.b".into(), level: Level::Count },
            r#"{"id":7,"command":"level","point":"a.b","level":"count"}"#,
        );
        check(
            Command::Release { point: "a.b".into(), callback: "c/d".into() },
            r#"{"id":7,"command":"release","point":"a.b","callback":"c/d"}"#,
        );
        check(
            Command::Trace { point: "a.b".into(), count: 3, condition: "x=y".parse().ok(), wait_ms: None },
            r#"{"id":7,"command":"trace","point":"a.b","count":3,"if":"x=y"}"#,
        );
        check(Command::List { verify: false }, r#"{"id":7,"command":"list"}"#);
        check(
            Command::Log { plugin: plugin(), level: LogLevel::Debug },
            r#"{"id":7,"command":"log","plugin":"mask","level":"debug"}"#,
        );
        check(Command::Load { file: "/a.so".into() }, r#"{"id":7,"command":"load","file":"/a.so"}"#);
        check(Command::Show { plugin: plugin() }, r#"{"id":7,"command":"show","plugin":"mask"}"#);
        check(Command::Start { plugin: plugin() }, r#"{"id":7,"command":"start","plugin":"mask"}"#);
        check(Command::Status, r#"{"id":7,"command":"status"}"#);
        check(Command::Stop { plugin: plugin() }, r#"{"id":7,"command":"stop","plugin":"mask"}"#);
        check(
            Command::Unload { plugin: plugin(), wait_ms: Some(5) },
            r#"{"id":7,"command":"unload","plugin":"mask","wait_ms":5}"#,
        );
        check(
            Command::Upgrade { plugin: plugin(), file: "/a.so".into(), fresh: true, wait_ms: None },
            r#"{"id":7,"command":"upgrade","plugin":"mask","file":"/a.so","fresh":true}"#,
        );
    }

    #[test]
    fn what_may_be_left_out_has_a_default() {
        let request = Request::read(br#"{"command":"upgrade","file":"/a.so","plugin":"mask","id":0}"#).unwrap();
        let command = Command::Upgrade { plugin: "mask".into(), file: "/a.so".into(), fresh: false, wait_ms: None };
        assert_eq!(request, Request { id: 0, command });
    }

    #[test]
    fn what_is_no_request_is_told_with_its_number_where_it_has_one() {
        for (text, id, why) in [
            ("", None, "EOF"),
            ("nonsense", None, "expected"),
            ("[]", None, "invalid type"),
            (r#"{"command":"list"}"#, None, "`id`"),
            (r#"{"id":"7","command":"list"}"#, None, "`id`"),
            (r#"{"id":-1,"command":"list"}"#, None, "`id`"),
            (r#"{"id":7}"#, Some(7), "`command`"),
            (r#"{"id":7,"command":"lst"}"#, Some(7), "unknown variant `lst`"),
            (r#"{"id":7,"command":"log","plugin":"mask","level":"loud"}"#, Some(7), "unknown variant `loud`"),
            (r#"{"id":7,"command":"show"}"#, Some(7), "missing field `plugin`"),
            (r#"{"id":7,"command":"show","plugin":1}"#, Some(7), "invalid type"),
            // In silence the state would be handed over all the same.
            (r#"{"id":7,"command":"upgrade","plugin":"a","file":"/a","frehs":true}"#, Some(7), "unknown field `frehs`"),
        ] {
            let (found, error) = Request::read(text.as_bytes()).unwrap_err();
            assert_eq!(found, id, "{text}");
            assert!(error.to_string().contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn each_answer_has_its_form_and_comes_back_from_it() {
        let check = |outcome, id, text: &str| {
            let answer = Answer { id, outcome };
            assert_eq!(serde_json::to_string(&answer).unwrap(), text);
            assert_eq!(serde_json::from_str::<Answer>(text).unwrap(), answer);
        };
        check(Outcome::Ok(Value::Null), Some(1), r#"{"id":1,"ok":null}"#);
        check(Outcome::Ok(serde_json::json!([])), Some(1), r#"{"id":1,"ok":[]}"#);
        let problem = Problem { code: "HR0103".into(), message: "a".into(), fix: "b".into() };
        check(Outcome::Error(problem), None, r#"{"id":null,"error":{"code":"HR0103","message":"a","fix":"b"}}"#);
    }

    #[test]
    fn each_event_comes_back_from_its_form() {
        let version = || "1.2.3".to_owned();
        let times = UpgradeTimes { swap: std::time::Duration::from_nanos(5), ..UpgradeTimes::default() };
        for what in [
            Happened::Ended { end: End::Busy(2), left: None },
            Happened::Ended { end: End::PinnedByHandlers(vec![2, 15]), left: None },
            Happened::Ended { end: End::Unhooked("pthread_create".into()), left: None },
            Happened::Ended { end: End::Unmapped, left: Some(Memory { bytes: 96, allocations: 2 }) },
            Happened::OverMemory { bytes: 2, max_bytes: 1 },
            Happened::Loaded { version: version() },
            Happened::RolledBack { from: 2, reason: "faults".into() },
            Happened::RollbackFailed { reason: "faults".into(), error: "none".into() },
            Happened::Started,
            Happened::Stopped,
            Happened::Unloading,
            Happened::Upgraded { from: 1, version: version(), times },
        ] {
            let told = Told::Event(Event { plugin: "mask".into(), generation: 3, time: 4, what });
            let text = serde_json::to_string(&told).unwrap();
            assert_eq!(serde_json::from_str::<Told>(&text).unwrap(), told, "{text}");
        }
        assert_eq!(serde_json::to_string(&Told::Dropped(7)).unwrap(), r#"{"dropped":7}"#);
    }
}
