//! One request: from its head to its answer.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hookrail_abi::MessageId;
use hookrail_abi::host::Level;
use hookrail_abi::prelude::*;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONNECTION, HeaderMap, HeaderValue, ORIGIN};
use hyper::{Method, Request, Response, StatusCode};
use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Semaphore, oneshot};

use super::answer::{Refusal, accepted};
use super::body::Sending;
use super::budget::{Budget, Held};
use super::config::Wanted;
use super::decode::Encoding;
use super::filled::{Filled, Spares};
use super::lines::{Given, Shape};
use super::topic;
use crate::shown::shown;
use crate::token::Token;

/// Messages that are to be sent, all or none, and who waits for the answer.
pub(crate) struct Job {
    pub(crate) messages: Filled,
    pub(crate) reply: oneshot::Sender<Outcome>,
    /// Until when there must be room for them.
    pub(crate) until: Instant,
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
    token: Option<Mutex<Gate>>,
    budget: Arc<Budget>,
    /// One body is decompressed at a time.
    decoding: Semaphore,
    max_body: usize,
    max_messages: usize,
    body_timeout: Duration,
    patience: Duration,
    jobs: Sender<Job>,
    pub(crate) spares: Arc<Spares>,
}

/// Whom the token lets in.
struct Gate {
    token: Token,
    /// Why the token cannot be read, as the log has it.
    said: Option<String>,
}

impl Taking {
    /// # Errors
    /// If there is no token in its file.
    pub(crate) fn new(wanted: &Wanted, host: Instance, jobs: Sender<Job>) -> Result<Self> {
        let pause = wanted.patience.as_secs().clamp(1, 60);
        let token = wanted.token_file.as_deref().map(Token::new).transpose()?;
        Ok(Taking {
            host,
            path: wanted.path.clone(),
            topic: wanted.topic.clone(),
            token: token.map(|token| Mutex::new(Gate { token, said: None })),
            budget: Budget::new(wanted.max_requests, wanted.max_in_flight, pause),
            decoding: Semaphore::new(1),
            max_body: wanted.max_body,
            max_messages: wanted.max_messages,
            body_timeout: wanted.body_timeout,
            patience: wanted.patience,
            jobs,
            spares: Arc::default(),
        })
    }

    /// Answers a request of that client.
    pub(crate) async fn answer(&self, request: Request<Incoming>, client: IpAddr) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let mut body = Sending::new(body, &head.headers);
        let refusal = match self.take(&head, &mut body, client).await {
            Ok(count) => return accepted(count),
            Err(refusal) => refusal,
        };
        self.host.log(Level::Debug, format_args!("{client}: {}: {}", refusal.status, shown(&refusal.why)));
        body.pass_over().await;
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
        body: &mut Sending,
        client: IpAddr,
    ) -> Result<usize, Refusal> {
        if head.uri.path() != self.path {
            return Err(Refusal::new(StatusCode::NOT_FOUND, format!("messages are posted to {}", self.path)));
        }
        self.check_token(&head.headers)?;
        if head.method != Method::POST {
            return Err(Refusal::method());
        }
        let topic = topic::of_query(head.uri.query().unwrap_or_default()).map_err(Refusal::bad)?;
        let (encoding, shape) = (Encoding::of(&head.headers)?, Shape::of(&head.headers)?);
        let mut held = self.budget.hold();
        let most = shape.most(self.max_body);
        let sent = body.read(most, self.body_timeout, &mut held).await?;
        held.count()?;
        let body = encoding.decode(sent, most, &mut held, &self.decoding).await?;
        let given = Given {
            topic: topic.as_deref().unwrap_or(&self.topic),
            source: &client.to_string(),
            now: MessageId::now().1,
            most: self.max_messages,
            most_body: self.max_body,
        };
        let messages = shape.messages(body, given, &mut held, &self.spares).await?;
        let count = messages.len();
        if count > 0 {
            self.send(messages, held).await?;
        }
        Ok(count)
    }

    async fn send(&self, messages: Filled, held: Held) -> Result<(), Refusal> {
        let (reply, answer) = oneshot::channel();
        match self.jobs.try_send(Job { messages, reply, until: Instant::now() + self.patience, _held: held }) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => {
                return Err(self.budget.full("the source takes as many requests as it may"));
            }
            Err(TrySendError::Closed(_)) => return Err(Refusal::closing()),
        }
        match answer.await {
            Ok(Outcome::Taken) => Ok(()),
            Ok(Outcome::Full) => Err(self.budget.full("the pipeline has no room for the messages")),
            Err(_) => Err(Refusal::closing()),
        }
    }

    fn check_token(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let Some(gate) = &self.token else {
            // Browsers say so, and scripts cannot keep them from it.
            let is_of_a_page = headers.contains_key(ORIGIN) || headers.contains_key("sec-fetch-site");
            return if is_of_a_page { Err(Refusal::page()) } else { Ok(()) };
        };
        let Some(offered) = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes).and_then(bearer) else {
            return Err(Refusal::token("`Authorization: Bearer TOKEN` is needed"));
        };
        let Gate { token, said } = &mut *gate.lock().unwrap_or_else(PoisonError::into_inner);
        let is = token.is(offered);
        if said.as_ref() != token.fault() {
            match token.fault() {
                Some(why) => self.host.log(Level::Error, format_args!("the token cannot be read: {why}")),
                None => self.host.log(Level::Info, "the token can be read again"),
            }
            *said = token.fault().cloned();
        }
        match is {
            Ok(true) => Ok(()),
            Ok(false) => Err(Refusal::token("this is not the token")),
            Err(_) => Err(Refusal::no_token()),
        }
    }
}

/// The token of an `Authorization`.
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii())
}
