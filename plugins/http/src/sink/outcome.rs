//! What an answer means.

use std::time::Duration;

use hyper::StatusCode;

/// What came of a batch.
#[derive(Debug, PartialEq)]
pub(crate) enum Outcome {
    Delivered,
    /// It is to be sent again.
    Later(Later),
    /// The receiver does not want this content: a part of it, or all.
    Refused(String),
}

#[derive(Debug, PartialEq)]
pub(crate) struct Later {
    pub(crate) why: String,
    /// How long the receiver wants to be left alone.
    pub(crate) after: Option<Duration>,
    /// It will not pass by itself.
    pub(crate) is_mistake: bool,
}

impl Outcome {
    /// Of an answer with that status, which `said` something.
    pub(crate) fn of(status: StatusCode, said: &str, after: Option<Duration>) -> Self {
        let why = if said.is_empty() { status.to_string() } else { format!("{status}: {said}") };
        match status.as_u16() {
            200..300 => Outcome::Delivered,
            400 | 413 | 422 => Outcome::Refused(why),
            408 | 425 | 429 | 500 | 502 | 503 | 504 | 506..=599 => {
                Outcome::Later(Later { why, after, is_mistake: false })
            }
            // Nothing that messages could be blamed for: a path, a token, a method. They wait until it is corrected.
            _ => Outcome::Later(Later { why, after, is_mistake: true }),
        }
    }

    pub(crate) fn failed(why: impl Into<String>) -> Self {
        Outcome::Later(Later { why: why.into(), after: None, is_mistake: false })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_has_its_meaning() {
        let of = |status: u16| match Outcome::of(StatusCode::from_u16(status).unwrap(), "", None) {
            Outcome::Delivered => "delivered",
            Outcome::Later(later) if later.is_mistake => "a mistake",
            Outcome::Later(_) => "later",
            Outcome::Refused(_) => "refused",
        };
        for (meaning, statuses) in [
            ("delivered", &[200, 202, 204][..]),
            ("later", &[408, 425, 429, 500, 502, 503, 504, 507, 599]),
            ("refused", &[400, 413, 422]),
            ("a mistake", &[301, 307, 401, 403, 404, 405, 411, 415, 501, 505]),
        ] {
            for status in statuses {
                assert_eq!(of(*status), meaning, "{status}");
            }
        }
    }
}
