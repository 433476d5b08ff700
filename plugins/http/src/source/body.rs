//! The body of a request, within its bounds.

use std::time::Duration;

use http_body_util::BodyExt;
use hyper::StatusCode;
use hyper::body::{Body, Incoming};
use tokio::time::timeout;

use super::answer::Refusal;
use super::budget::Held;

/// How long what a refused client still sends is passed over: closed at once, the connection would be reset, and the client
/// might not see why.
const LINGER: Duration = Duration::from_secs(2);

/// What bodies may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) most: usize,
    pub(crate) time: Duration,
    /// After how many seconds a client may try again if there is no room.
    pub(crate) pause: u64,
}

/// Reads it as it is sent; `held` has room for it.
///
/// # Errors
/// If it is too large or too slow, is broken off, or there is no room.
pub(crate) async fn read(body: &mut Incoming, bounds: Bounds, held: &mut Held) -> Result<Vec<u8>, Refusal> {
    let too_large = || Refusal::too_large(format!("the body has more than {} bytes", bounds.most));
    // Known before anything was sent, if the client says it.
    if body.size_hint().lower() > bounds.most as u64 {
        return Err(too_large());
    }
    let reading = async {
        let mut read = Vec::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| Refusal::bad("the body is broken off, or its chunks are none"))?;
            // Trailers mean nothing here.
            let Ok(data) = frame.into_data() else { continue };
            if read.len() + data.len() > bounds.most {
                return Err(too_large());
            }
            if !held.grow(data.len()) {
                return Err(Refusal::full("the source has no room for the body", bounds.pause));
            }
            read.extend_from_slice(&data);
        }
        Ok(read)
    };
    let late = || Refusal::new(StatusCode::REQUEST_TIMEOUT, "the body has not come in time");
    timeout(bounds.time, reading).await.unwrap_or_else(|_| Err(late()))
}

/// Passes over what is still sent of a request that is refused, for a time.
pub(crate) async fn pass_over(body: &mut Incoming) {
    let passing = async { while let Some(Ok(_)) = body.frame().await {} };
    // Whatever comes later is the client's loss.
    let _ = timeout(LINGER, passing).await;
}
