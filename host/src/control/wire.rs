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
mod command;
mod desired;
mod installed;

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::answers::{Ended, LeftOut, PlacedCallback, PluginDetail, Program, Replaced};
pub use self::command::Command;
pub use self::desired::{Applied, Deed, Desire, Step, Taken};
pub use self::installed::{Changed, Installed, Planned, Reconfigured, Staged, Uninstalled, Validated};
use super::error::ControlError;
use crate::error::Error;
use crate::event::Event;

/// The longest line that a host reads, in bytes.
pub const MAX_LINE: usize = 1 << 20;

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
    use crate::diagnostics::LogLevel;
    use crate::event::Happened;
    use crate::host::UpgradeTimes;
    use crate::library::End;
    use crate::memory::Memory;
    use crate::package::Digest;
    use crate::stats::Level;

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
        check(Command::Enable { plugin: plugin() }, r#"{"id":7,"command":"enable","plugin":"mask"}"#);
        check(
            Command::Disable { plugin: plugin(), wait_ms: Some(5) },
            r#"{"id":7,"command":"disable","plugin":"mask","wait_ms":5}"#,
        );
        check(Command::Restart { plugin: plugin() }, r#"{"id":7,"command":"restart","plugin":"mask"}"#);
        check(
            Command::Rollback { plugin: plugin(), fresh: false, wait_ms: None },
            r#"{"id":7,"command":"rollback","plugin":"mask","fresh":false}"#,
        );
        check(
            Command::Uninstall { plugin: plugin(), purge: true, wait_ms: None },
            r#"{"id":7,"command":"uninstall","plugin":"mask","purge":true}"#,
        );
        let (file, downgrade, dry_run, fresh) = ("/a.hrp".into(), true, false, false);
        check(
            Command::Install { file, plugin: Some(plugin()), dry_run, downgrade, fresh, wait_ms: None },
            r#"{"id":7,"command":"install","file":"/a.hrp","plugin":"mask","dry_run":false,"downgrade":true,"fresh":false}"#,
        );
        check(Command::Stage { file: "/a.hrp".into() }, r#"{"id":7,"command":"stage","file":"/a.hrp"}"#);
        check(Command::Validate { file: "/a.hrp".into() }, r#"{"id":7,"command":"validate","file":"/a.hrp"}"#);
        check(
            Command::Allow {
                plugin: plugin(),
                version: "1.2.3".parse().unwrap(),
                sha256: Digest::default(),
                lasts_ms: 9,
            },
            &format!(
                r#"{{"id":7,"command":"allow","plugin":"mask","version":"1.2.3","sha256":"{}","lasts_ms":9}}"#,
                "0".repeat(64)
            ),
        );
        check(Command::Config { plugin: plugin() }, r#"{"id":7,"command":"config","plugin":"mask"}"#);
        check(Command::ConfigSchema { plugin: plugin() }, r#"{"id":7,"command":"config-schema","plugin":"mask"}"#);
        check(Command::ConfigHistory { plugin: plugin() }, r#"{"id":7,"command":"config-history","plugin":"mask"}"#);
        let config = serde_json::json!({ "a": 1 });
        check(
            Command::Configure { plugin: plugin(), config: config.clone(), restart: true, wait_ms: None },
            r#"{"id":7,"command":"configure","plugin":"mask","config":{"a":1},"restart":true}"#,
        );
        let desire = Desire {
            package: None,
            downgrade: false,
            enabled: true,
            config: Some(config),
            restart: false,
            hooks: None,
        };
        check(
            Command::Apply { plugins: [(plugin(), desire)].into(), dry_run: true },
            r#"{"id":7,"command":"apply","plugins":{"mask":{"downgrade":false,"enabled":true,"config":{"a":1},"restart":false}},"dry_run":true}"#,
        );
        check(Command::TakeIn, r#"{"id":7,"command":"take-in"}"#);
        check(Command::List { verify: true }, r#"{"id":7,"command":"list","verify":true}"#);
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
