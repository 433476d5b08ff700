//! One request: from its head to its answer.

use std::net::IpAddr;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::sync::{Arc, Mutex, PoisonError};

use hookrail_abi::host::Level;
use hookrail_abi::prelude::*;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONNECTION, EXPECT, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use tokio::sync::oneshot;

use super::answer::{Refusal, accepted};
use super::body::{self, Bounds};
use super::budget::{Budget, Held};
use super::config::Wanted;
use super::decode::Encoding;
use super::lines::{Given, Shape};
use super::topic;
use crate::shown::shown;
use crate::token::Token;

/// Messages that are to be sent, all or none, and who waits for the answer.
pub(crate) struct Job {
    pub(crate) messages: Vec<Message>,
    pub(crate) reply: oneshot::Sender<Outcome>,
    /// What they need, until they are sent.
    pub(crate) _held: Held,
}

/// What came of the messages. None is: the source ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Outcome {
    /// There was no room for them.
    Full,
    Taken,
}

/// What all requests have in common.
pub(crate) struct Taking {
    host: Instance,
    path: String,
    topic: String,
    token: Option<Mutex<Token>>,
    budget: Arc<Budget>,
    bounds: Bounds,
    max_messages: usize,
    jobs: SyncSender<Job>,
}

impl Taking {
    /// # Errors
    /// If there is no token in its file.
    pub(crate) fn new(wanted: &Wanted, host: Instance, jobs: SyncSender<Job>) -> Result<Self> {
        let pause = wanted.patience.as_secs().clamp(1, 60);
        Ok(Taking {
            host,
            path: wanted.path.clone(),
            topic: wanted.topic.clone(),
            token: wanted.token_file.as_deref().map(Token::new).transpose()?.map(Mutex::new),
            budget: Budget::new(wanted.max_requests, wanted.max_in_flight),
            bounds: Bounds { most: wanted.max_body, time: wanted.body_timeout, pause },
            max_messages: wanted.max_messages,
            jobs,
        })
    }

    /// Answers a request of that client.
    pub(crate) async fn answer(&self, request: Request<Incoming>, client: IpAddr) -> Response<Full<Bytes>> {
        // One that waits for a word before it sends its body need not send it.
        let is_sending = !request.headers().contains_key(EXPECT);
        let (head, mut body) = request.into_parts();
        let refusal = match self.take(&head, &mut body, client).await {
            Ok(count) => return accepted(count),
            Err(refusal) => refusal,
        };
        self.host.log(Level::Debug, format_args!("{client}: {}: {}", refusal.status, shown(&refusal.why)));
        if is_sending {
            body::pass_over(&mut body).await;
        }
        let is_over = refusal.status != StatusCode::TOO_MANY_REQUESTS && refusal.status != StatusCode::BAD_REQUEST;
        let mut response = refusal.response();
        if is_over {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    async fn take(
        &self,
        head: &hyper::http::request::Parts,
        body: &mut Incoming,
        client: IpAddr,
    ) -> Result<usize, Refusal> {
        if head.uri.path() != self.path {
            return Err(Refusal::new(StatusCode::NOT_FOUND, format!("messages are posted to {}", self.path)));
        }
        self.check_token(head.headers.get(AUTHORIZATION))?;
        if head.method != Method::POST {
            return Err(Refusal::method());
        }
        let topic = topic::of_query(head.uri.query().unwrap_or_default()).map_err(Refusal::bad)?;
        let (encoding, shape) = (Encoding::of(&head.headers)?, Shape::of(&head.headers)?);
        let Some(mut held) = self.budget.request() else {
            return Err(Refusal::full("the source takes as many requests as it may", self.bounds.pause));
        };
        let sent = body::read(body, self.bounds, &mut held).await?;
        let body = encoding.decode(sent, self.bounds.most, &mut held, self.bounds.pause)?;
        let given = Given {
            topic: topic.as_deref().unwrap_or(&self.topic),
            source: &client.to_string(),
            most: self.max_messages,
        };
        let messages = shape.messages(body, given)?;
        // Small ones need more memory than their text.
        if !held.grow(messages.len() * size_of::<Message>()) {
            return Err(Refusal::full("the source has no room for the messages", self.bounds.pause));
        }
        let count = messages.len();
        if count > 0 {
            self.send(messages, held).await?;
        }
        Ok(count)
    }

    async fn send(&self, messages: Vec<Message>, held: Held) -> Result<(), Refusal> {
        let (reply, answer) = oneshot::channel();
        match self.jobs.try_send(Job { messages, reply, _held: held }) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => {
                return Err(Refusal::full("the source takes as many requests as it may", self.bounds.pause));
            }
            Err(TrySendError::Disconnected(_)) => return Err(Refusal::closing()),
        }
        match answer.await {
            Ok(Outcome::Taken) => Ok(()),
            Ok(Outcome::Full) => Err(Refusal::full("the pipeline has no room for the messages", self.bounds.pause)),
            Err(_) => Err(Refusal::closing()),
        }
    }

    fn check_token(&self, offered: Option<&HeaderValue>) -> Result<(), Refusal> {
        let Some(token) = &self.token else { return Ok(()) };
        let Some(offered) = offered.map(HeaderValue::as_bytes).and_then(bearer) else {
            return Err(Refusal::token("`Authorization: Bearer TOKEN` is needed"));
        };
        match token.lock().unwrap_or_else(PoisonError::into_inner).is(offered) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Refusal::token("this is not the token")),
            Err(why) => {
                self.host.log(Level::Error, format_args!("no client is let in: {why}"));
                Err(Refusal::token("the source cannot read its token"))
            }
        }
    }
}

/// The token of an `Authorization`.
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii())
}
