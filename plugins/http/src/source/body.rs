//! The body of a request, within its bounds.

use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use hyper::header::EXPECT;
use hyper::{HeaderMap, StatusCode};
use tokio::time::timeout;

use super::answer::Refusal;
use super::budget::Held;

/// How long what a refused client still sends is passed over: closed at once, the connection would be reset, and the client
/// might not see why.
const LINGER: Duration = Duration::from_secs(2);

/// A body that is being sent, or may be.
pub(crate) struct Sending {
    body: Incoming,
    /// The client sends nothing before it hears that it may, which it does when the body is first asked for.
    is_held_back: bool,
}

impl Sending {
    pub(crate) fn new(body: Incoming, headers: &HeaderMap) -> Self {
        Sending { body, is_held_back: headers.contains_key(EXPECT) }
    }

    /// Reads it as it is sent, `most` bytes within `time`; `held` has room for it.
    ///
    /// # Errors
    /// If it is too large or too slow, is broken off, or there is no room.
    pub(crate) async fn read(&mut self, most: usize, time: Duration, held: &mut Held) -> Result<Vec<u8>, Refusal> {
        let too_large = || Refusal::too_large(format!("the body has more than {most} bytes"));
        // Known before anything was sent, if the client says it.
        if self.body.size_hint().lower() > most as u64 {
            return Err(too_large());
        }
        self.is_held_back = false;
        let reading = async {
            let mut read = Vec::new();
            while let Some(frame) = self.body.frame().await {
                let frame = frame.map_err(|_| Refusal::bad("the body is broken off, or its chunks are none"))?;
                // Trailers mean nothing here.
                let Ok(data) = frame.into_data() else { continue };
                if read.len() + data.len() > most {
                    return Err(too_large());
                }
                held.reserve(&mut read, data.len(), most)?;
                read.extend_from_slice(&data);
            }
            Ok(read)
        };
        let late = || Refusal::new(StatusCode::REQUEST_TIMEOUT, "the body has not come in time");
        timeout(time, reading).await.unwrap_or_else(|_| Err(late()))
    }

    /// Passes over what is still sent of a request that is refused, for a time.
    pub(crate) async fn pass_over(&mut self) {
        if !self.is_held_back {
            let passing = async { while let Some(Ok(_)) = self.body.frame().await {} };
            // Whatever comes later is the client's loss.
            let _ = timeout(LINGER, passing).await;
        }
    }
}
