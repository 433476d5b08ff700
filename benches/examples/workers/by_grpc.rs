//! The same by gRPC over a Unix socket, in the form that most plugin systems with processes use.

use std::cell::RefCell;
use std::convert::Infallible;
use std::os::unix::net::UnixListener;
use std::process::Child;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tokio_stream::wrappers::UnixListenerStream;
use tonic::body::Body;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::codegen::{BoxFuture, Service, http};
use tonic::server::{NamedService, UnaryService};
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Request, Response, Status, client};
use tonic_prost::ProstCodec;

use super::passing::BODY;
use super::shared::lanes::message;
use super::shared::other_side::{asked, start};

const KIND: &str = "grpc";

/// A message, as a service would declare it.
#[derive(Clone, PartialEq, prost::Message)]
struct Passing {
    #[prost(bytes = "vec", tag = "1")]
    id: Vec<u8>,
    #[prost(string, tag = "2")]
    source: String,
    #[prost(string, tag = "3")]
    topic: String,
    #[prost(uint64, tag = "4")]
    timestamp: u64,
    #[prost(message, repeated, tag = "5")]
    headers: Vec<Header>,
    #[prost(bytes = "vec", tag = "6")]
    body: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Header {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(string, tag = "2")]
    value: String,
}

/// If this process is to be the other side, it is that until it is killed.
pub(super) fn be_the_other_side() {
    let Some((listener, _)) = std::env::args().nth(1).filter(|kind| kind == KIND).and_then(|_| asked()) else { return };
    let listener = UnixListener::from(listener);
    listener.set_nonblocking(true).expect("a socket");
    runtime().block_on(async {
        let incoming = tokio::net::UnixListener::from_std(listener).expect("it listens");
        let served = Server::builder().add_service(Serving).serve_with_incoming(UnixListenerStream::new(incoming));
        served.await.expect("it serves");
    });
    std::process::exit(0);
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// The side that asks.
pub(super) struct Echo {
    runtime: Runtime,
    client: RefCell<client::Grpc<Channel>>,
    other: Child,
    _directory: tempfile::TempDir,
}

impl Echo {
    pub(super) fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("socket");
        let listener = UnixListener::bind(&path).expect("a socket");
        let other = start(&listener, &[KIND]);
        let runtime = runtime();
        let endpoint = Endpoint::from_shared(format!("unix:{}", path.display())).expect("an address");
        let channel = runtime.block_on(endpoint.connect()).expect("it listens");
        Echo { runtime, client: client::Grpc::new(channel).into(), other, _directory: directory }
    }

    pub(super) fn run(&self, rounds: u64) -> Duration {
        let message = message(BODY);
        let header = |header: &hookrail_abi::Header| Header {
            key: header.key.as_str().into(),
            value: header.value.as_str().into(),
        };
        let passing = Passing {
            id: message.id.to_bytes().to_vec(),
            source: message.source.as_str().into(),
            topic: message.topic.as_str().into(),
            timestamp: message.timestamp,
            headers: message.headers.iter().map(header).collect(),
            body: message.body.as_slice().to_vec(),
        };
        let client = &mut *self.client.borrow_mut();
        self.runtime.block_on(async {
            let start = Instant::now();
            for _ in 0..rounds {
                client.ready().await.expect("it is connected");
                let path = PathAndQuery::from_static("/bench.Echo/Pass");
                let codec = ProstCodec::<Passing, Passing>::default();
                let passed = client.unary(Request::new(passing.clone()), path, codec).await.expect("an answer");
                assert_eq!(passed.get_ref().body.len(), BODY);
            }
            start.elapsed()
        })
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.other.kill().and_then(|()| self.other.wait()).expect("it runs until then");
    }
}

/// The service: what comes goes back.
#[derive(Clone)]
struct Serving;

impl NamedService for Serving {
    const NAME: &'static str = "bench.Echo";
}

impl UnaryService<Passing> for Serving {
    type Response = Passing;
    type Future = BoxFuture<Response<Passing>, Status>;

    fn call(&mut self, request: Request<Passing>) -> Self::Future {
        Box::pin(async move { Ok(Response::new(request.into_inner())) })
    }
}

impl Service<http::Request<Body>> for Serving {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let serving = self.clone();
        Box::pin(async move { Ok(tonic::server::Grpc::new(ProstCodec::default()).unary(serving, request).await) })
    }
}
