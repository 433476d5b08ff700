//! A panic of a plugin in a worker, as it crosses: it is a fault of the callback, with its place and its backtrace.

use hookrail_dispatch::frame::Panic;
use serde::{Deserialize, Serialize};

/// The kind of a report that is a panic; the others are those of the boundary.
pub(crate) const KIND: u32 = 0x100;

/// The longest backtrace, in bytes: it crosses as a report, with the rest.
const LONGEST: usize = 12 << 10;

#[derive(Serialize, Deserialize)]
struct Crossing {
    message: String,
    place: Option<String>,
    backtrace: Option<String>,
}

/// The form in which a panic crosses.
pub(crate) fn to_text(panic: &Panic) -> String {
    let cut = |text: &str, at: usize| text[..text.floor_char_boundary(at)].to_owned();
    let crossing = Crossing {
        message: cut(&panic.message, 1024),
        place: panic.place.as_ref().map(|place| cut(place, 1024)),
        backtrace: panic.backtrace.as_ref().map(|backtrace| cut(&backtrace.to_string(), LONGEST)),
    };
    serde_json::to_string(&crossing).unwrap_or_default()
}

/// The panic that crossed; whatever else it is, is its message.
pub(crate) fn of_text(text: &str) -> Panic {
    match serde_json::from_str::<Crossing>(text) {
        Ok(Crossing { message, place, backtrace }) => {
            let backtrace = backtrace.map(|backtrace| Box::new(backtrace) as _);
            Panic { generation: None, message, place, backtrace }
        }
        Err(_) => Panic { generation: None, message: text.into(), place: None, backtrace: None },
    }
}
