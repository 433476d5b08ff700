//! What an instance asks of its host about a unit.

use hookrail_engine::{UnitNow, UnitSaid, UnitSpec};
use serde::{Deserialize, Serialize};

/// The number of a unit in its worker, which has given it that.
pub(crate) type UnitId = u64;

/// What is done about a unit.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum UnitAsk {
    /// It begins.
    Begin { unit: UnitId, instance: String, spec: UnitSpec },
    /// It ends. There is no answer but that it is gone.
    End(UnitId),
    /// Its process has said that. There is no answer.
    Say { unit: UnitId, run: u64, said: UnitSaid },
    /// Its process gets a signal.
    Signal { unit: UnitId, signal: i32 },
    /// How it is.
    Now(UnitId),
}

/// What came of it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum UnitAnswer {
    Began(Result<(), String>),
    Signalled(bool),
    Now(Option<UnitNow>),
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use hookrail_engine::{UnitEnd, UnitEvent, UnitOrder};
    use hookrail_model::unit::UnitState;

    use super::*;

    /// What crosses is read as what it was.
    #[track_caller]
    fn crosses<T: Serialize + for<'a> Deserialize<'a> + std::fmt::Debug>(what: T) {
        let bytes = rmp_serde::to_vec(&what).unwrap();
        let read: T = rmp_serde::from_slice(&bytes).unwrap();
        assert_eq!(format!("{read:?}"), format!("{what:?}"));
    }

    #[test]
    fn all_that_is_said_of_units_crosses() {
        let spec = UnitSpec {
            name: "a".into(),
            program: "/bin/true".into(),
            arguments: vec!["-v".into()],
            environment: vec![("A".into(), "b".into())],
            directory: None,
            restarts: Some(1),
            ready: Some(Duration::from_millis(1)),
            order: None,
            shutdown: None,
            pong: None,
            ping_every: Some(Duration::MAX),
        };
        crosses(UnitAsk::Begin { unit: 1, instance: "a:b".into(), spec });
        crosses([UnitAsk::End(1), UnitAsk::Now(1), UnitAsk::Signal { unit: 1, signal: 9 }]);
        let said = [
            UnitSaid::Done(1),
            UnitSaid::NotReady(1),
            UnitSaid::Ready,
            UnitSaid::Refused(1, "no".into()),
            UnitSaid::Untaken(1),
            UnitSaid::Unwell(1, "ill".into()),
        ];
        crosses(said.map(|said| UnitAsk::Say { unit: 1, run: 2, said }));
        crosses([UnitAnswer::Began(Ok(())), UnitAnswer::Began(Err("no".into())), UnitAnswer::Signalled(true)]);
        for (state, reason, pid) in
            [(UnitState::Running, None, Some(1)), (UnitState::Failed, Some("it ended".to_owned()), None)]
        {
            crosses(UnitAnswer::Now(Some(UnitNow { state, reason, pid, restarts: 1 })));
        }
        let orders = [UnitOrder::Halt, UnitOrder::Ping, UnitOrder::Reload, UnitOrder::Resume, UnitOrder::Shutdown];
        crosses(orders.map(|order| UnitEvent::Order { run: 1, number: 2, order }));
        let ends = [UnitEnd::Exited(3), UnitEnd::Killed(9), UnitEnd::Unseen];
        crosses(ends.map(|end| UnitEvent::Ended { run: 1, end }));
        crosses([UnitEvent::Failed, UnitEvent::Gone, UnitEvent::Started { run: 1 }]);
    }
}
