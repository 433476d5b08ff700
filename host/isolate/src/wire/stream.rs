//! What an endpoint in a worker and its host say to each other, on a socket of their own: the functions of
//! [`StreamIo`](hookrail_abi::boundary::StreamIo), each of which is asked and answered.

use hookrail_abi::Message;
use serde::{Deserialize, Serialize};

use super::WireError;

/// The number of an endpoint in its worker.
pub(crate) type EndpointId = u64;

/// From an endpoint.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum FromEndpoint {
    Answer {
        count: u64,
        answer: u32,
        why: String,
    },
    Marks,
    /// It has returned, and nothing follows.
    Ran(Result<(), WireError>),
    Receive {
        /// The thread that asks.
        thread: u64,
        most: u64,
        timeout_ns: u64,
    },
    Send {
        /// The thread that asks.
        thread: u64,
        messages: Vec<Message>,
        /// The key and the value.
        mark: Option<(String, String)>,
        timeout_ns: u64,
    },
    Wait {
        timeout_ns: u64,
    },
    Watch,
}

/// To an endpoint.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum ToEndpoint {
    /// How many messages it has answered for.
    Answered(u64),
    /// The keys and the values.
    Marks(Vec<(String, String)>),
    /// Those that it has received.
    Messages(Vec<Message>),
    /// What came of it.
    Status(u32),
    /// The descriptor comes with it, if there is one.
    Watched,
}
