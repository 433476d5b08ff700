//! Changing what is said of a callback.

use hookrail::PointView;
use hookrail::control::command::{Points, SetCallback};
use hookrail::control::{CallError, Client, Manage};

use crate::args::{Change, Selection};
use crate::error::Error;
use crate::nearest::nearest;
use crate::remote;

/// The codes of [`hookrail::ApiMisuse::NoPoint`] and [`hookrail::ApiMisuse::NoCallback`] when they cross a socket.
const UNKNOWN: [&str; 2] = ["HR0110", "HR0109"];

/// Changes it, and returns its point as it is then.
pub(super) fn run(point: &str, callback: &str, change: &Change, selection: &Selection) -> Result<PointView, Error> {
    let mut command = SetCallback::new(point, callback);
    (command.priority, command.fault_policy, command.default) = (change.priority, change.fault, change.default);
    command.enabled = (change.enable || change.disable).then_some(change.enable);
    let mut client = remote::connect(selection)?;
    match client.ask(command) {
        Ok(view) => Ok(view),
        Err(error) => Err(with_what_is_there(error, &mut client, point, callback)),
    }
}

/// Adds to the error of an unknown name which there are.
fn with_what_is_there(error: CallError, client: &mut Client, point: &str, callback: &str) -> Error {
    let CallError::Refused(mut problem) = error else { return error.into() };
    if UNKNOWN.contains(&&*problem.code)
        && let Ok(points) = client.ask(Points::new())
    {
        let known: Vec<_> = match points.iter().find(|view| view.point == point) {
            None => points.iter().filter(|view| view.revision > 0).map(|view| &*view.point).collect(),
            Some(view) => view.chain.iter().map(|entry| &*entry.callback).collect(),
        };
        let meant = if points.iter().any(|view| view.point == point) { callback } else { point };
        match nearest(meant, &known) {
            Some(near) => problem.message.push_str(&format!("; `{near}` is there")),
            None if known.is_empty() => {}
            None => problem.message.push_str(&format!("; there are {}", known.join(", "))),
        }
    }
    CallError::Refused(problem).into()
}
