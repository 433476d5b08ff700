//! The connection to the receiver, which is kept from one request to the next.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper::header::{
    AUTHORIZATION, CONTENT_ENCODING, HOST, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER, USER_AGENT,
};
use hyper::rt::{Read, Write};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::outcome::Outcome;
use super::pause::retry_after;
use super::pending::Batch;
use super::target::Target;
use crate::shown::shown;
use crate::token::Token;

/// The id of a batch, by which a receiver may know one that it has had.
const BATCH: HeaderName = HeaderName::from_static("hookrail-batch");

/// How much of an answer is read. A connection with a longer one is not used again.
const LONGEST_ANSWER: usize = 64 << 10;
/// How long it is waited for the rest of an answer, whose head has told what came of the batch.
const REST: Duration = Duration::from_millis(500);
const LARGEST_HEAD: usize = 64 << 10;

pub(crate) struct Client {
    target: Target,
    headers: HeaderMap,
    token: Option<Token>,
    tls: Option<Arc<ClientConfig>>,
    limit: Duration,
    open: Option<SendRequest<Full<Bytes>>>,
    /// How often it has failed: the next try begins at the next address.
    pub(super) failures: usize,
}

impl Client {
    pub(crate) fn new(
        target: Target,
        mut headers: HeaderMap,
        gzip: bool,
        token: Option<Token>,
        tls: Option<Arc<ClientConfig>>,
        limit: Duration,
    ) -> hookrail_abi::Result<Self> {
        headers.insert(HOST, HeaderValue::try_from(&*target.authority)?);
        let program = HeaderValue::from_static(concat!("hookrail/", env!("CARGO_PKG_VERSION")));
        headers.entry(USER_AGENT).or_insert(program);
        if gzip {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        Ok(Client { target, headers, token, tls, limit, open: None, failures: 0 })
    }

    /// Sends a batch once, and returns what came of it.
    pub(crate) async fn send(&mut self, batch: &Batch) -> Outcome {
        let limit = self.limit;
        let late = |_| Err(format!("no answer within {limit:?}"));
        match timeout(limit, self.exchange(batch)).await.unwrap_or_else(late) {
            Ok((open, answer)) => self.outcome(open, answer).await,
            Err(why) => {
                self.open = None;
                self.failures = self.failures.wrapping_add(1);
                Outcome::failed(why)
            }
        }
    }

    /// Sends a batch, and returns the answer as soon as its head is there.
    async fn exchange(&mut self, batch: &Batch) -> Result<(SendRequest<Full<Bytes>>, Response<Incoming>), String> {
        let request = self.request(batch)?;
        // One that was open may have been closed by the receiver meanwhile, which is nobody's fault.
        if let Some(mut open) = self.open.take().filter(|open| !open.is_closed())
            && open.ready().await.is_ok()
            && let Ok(answer) = open.send_request(request.clone()).await
        {
            return Ok((open, answer));
        }
        let mut open = self.connect().await?;
        let answer = open.send_request(request).await.map_err(|error| why("no answer", &error))?;
        Ok((open, answer))
    }

    fn request(&mut self, batch: &Batch) -> Result<Request<Full<Bytes>>, String> {
        let mut request = Request::post(&*self.target.path).body(Full::from(batch.body.clone()));
        let Ok(request) = &mut request else { return Err("the path of `url` cannot be posted to".into()) };
        *request.headers_mut() = self.headers.clone();
        let value = |text: &str| HeaderValue::try_from(text).map_err(|error| error.to_string());
        request.headers_mut().insert(BATCH, value(&batch.id)?);
        if let Some(token) = &mut self.token {
            let mut bearer = value(&format!("Bearer {}", token.current()?.expose()))?;
            bearer.set_sensitive(true);
            request.headers_mut().insert(AUTHORIZATION, bearer);
        }
        Ok(request.clone())
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, String> {
        let (host, port) = (&*self.target.host, self.target.port);
        let addresses = lookup_host((host, port)).await.map_err(|error| format!("{host}: {error}"))?;
        self.connect_to(addresses.collect()).await
    }

    /// Connects to the first of them that can be, each within its share of the time: one that is silent does not hide
    /// the others.
    pub(super) async fn connect_to(&self, mut addresses: Vec<SocketAddr>) -> Result<SendRequest<Full<Bytes>>, String> {
        let count = addresses.len().max(1);
        addresses.rotate_left(self.failures % count);
        let share = self.limit / u32::try_from(count).unwrap_or(u32::MAX);
        let mut failed = format!("{} has no address", self.target.host);
        for address in addresses {
            match timeout(share, self.reach(address)).await {
                Ok(Ok(open)) => return Ok(open),
                Ok(Err(why)) => failed = why,
                Err(_) => failed = format!("{address}: no connection within {share:?}"),
            }
        }
        Err(failed)
    }

    async fn reach(&self, address: SocketAddr) -> Result<SendRequest<Full<Bytes>>, String> {
        let stream = TcpStream::connect(address).await.map_err(|error| format!("{address}: {error}"))?;
        self.greet(stream).await
    }

    async fn greet(&self, stream: TcpStream) -> Result<SendRequest<Full<Bytes>>, String> {
        // A batch is written at once.
        let _ = stream.set_nodelay(true);
        let Some(tls) = &self.tls else { return talk(TokioIo::new(stream)).await };
        let host = &self.target.host;
        let name = ServerName::try_from(host.clone()).map_err(|error| format!("{host}: {error}"))?;
        let stream = TlsConnector::from(tls.clone()).connect(name, stream).await;
        talk(TokioIo::new(stream.map_err(|error| why(host, &error))?)).await
    }

    /// Reads the rest of an answer, for a time, and keeps the connection if there is nothing more to be read from it.
    async fn outcome(&mut self, open: SendRequest<Full<Bytes>>, answer: Response<Incoming>) -> Outcome {
        let (head, mut body) = answer.into_parts();
        let mut said = Vec::new();
        let reading = async {
            while let Some(frame) = body.frame().await {
                let Ok(frame) = frame else { return false };
                said.extend_from_slice(frame.data_ref().map_or(&[], |data| &**data));
                if said.len() > LONGEST_ANSWER {
                    return false;
                }
            }
            true
        };
        if timeout(REST, reading).await == Ok(true) {
            self.open = Some(open);
        }
        let after = head.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let after = after.and_then(|value| retry_after(value, SystemTime::now()));
        Outcome::of(head.status, &shown(String::from_utf8_lossy(&said).trim()), after)
    }
}

async fn talk<T>(stream: T) -> Result<SendRequest<Full<Bytes>>, String>
where
    T: Read + Write + Send + Unpin + 'static,
{
    let made = Builder::new().max_buf_size(LARGEST_HEAD).handshake(stream).await;
    let (open, connection) = made.map_err(|error| why("no connection", &error))?;
    tokio::spawn(async move {
        // How it ends is seen by who uses it.
        let _ = connection.await;
    });
    Ok(open)
}

/// An error with what caused it.
fn why(what: &str, error: &dyn std::error::Error) -> String {
    let mut text = format!("{what}: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}
