//! The connections.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hookrail_abi::host::Level;
use hookrail_abi::prelude::*;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::sync::mpsc::Sender;
use tokio::sync::{Semaphore, oneshot};
use tokio::time::{sleep, timeout};

use super::config::Wanted;
use super::filled::Spares;
use super::patient::Patient;
use super::taking::{Job, Taking};

/// How long an address that is in use is waited for: an endpoint that this one replaces may still have it.
const BIND: Duration = Duration::from_secs(5);
const BIND_PAUSE: Duration = Duration::from_millis(50);

/// How long requests under way have for their answers when the source ends.
const GRACE: Duration = Duration::from_secs(2);

/// How long nothing is accepted after the system has refused to.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The most bytes of a request's head.
const LARGEST_HEAD: usize = 16 << 10;
const MOST_HEADERS: usize = 64;

/// Listens, and serves nobody before it runs.
pub(crate) struct Server {
    listener: TcpListener,
    taking: Arc<Taking>,
    host: Instance,
    max_connections: usize,
    header_timeout: Duration,
    body_timeout: Duration,
}

impl Server {
    /// Binds the address. `wait` waits, and returns whether the endpoint is to end: then it is `None`.
    ///
    /// # Errors
    /// If the system refuses the address, or it stays in use.
    pub(crate) fn bind(
        wanted: &Wanted,
        host: Instance,
        jobs: Sender<Job>,
        wait: impl Fn(Duration) -> bool,
    ) -> Result<Option<Self>> {
        let fails = |error: io::Error| format!("`address` is {}: {error}", wanted.address);
        let began = Instant::now();
        let listener = loop {
            match TcpListener::bind(wanted.address) {
                Ok(listener) => break listener,
                Err(error) if error.kind() != io::ErrorKind::AddrInUse || began.elapsed() > BIND => {
                    return Err(fails(error).into());
                }
                Err(_) if wait(BIND_PAUSE) => return Ok(None),
                Err(_) => {}
            }
        };
        listener.set_nonblocking(true)?;
        let at = listener.local_addr()?;
        host.log(Level::Info, format_args!("listening at http://{at}{}", wanted.path));
        if wanted.token_file.is_none() && !at.ip().is_loopback() {
            host.log(Level::Warn, format_args!("whoever reaches {at} may post messages: `token_file` is not set"));
        }
        let taking = Arc::new(Taking::new(wanted, host, jobs)?);
        let Wanted { max_connections, header_timeout, body_timeout, .. } = *wanted;
        Ok(Some(Server { listener, taking, host, max_connections, header_timeout, body_timeout }))
    }

    /// Messages that are to be filled again.
    pub(crate) fn spares(&self) -> Arc<Spares> {
        self.taking.spares.clone()
    }

    /// Serves until `stopped` says so, or nobody can, and then answers what is under way.
    ///
    /// # Errors
    /// If the system has no descriptor for it.
    pub(crate) async fn serve(self, mut stopped: oneshot::Receiver<()>) -> io::Result<()> {
        let listener = tokio::net::TcpListener::from_std(self.listener)?;
        let slots = Arc::new(Semaphore::new(self.max_connections));
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(self.header_timeout)
            .max_buf_size(LARGEST_HEAD)
            .max_headers(MOST_HEADERS);
        let connections = GracefulShutdown::new();
        let mut is_refused = false;
        loop {
            let slot = tokio::select! {
                _ = &mut stopped => break,
                Ok(slot) = slots.clone().acquire_owned() => slot,
            };
            let accepted = tokio::select! {
                _ = &mut stopped => break,
                accepted = listener.accept() => accepted,
            };
            let (stream, client) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Too many open files, most of the time: that is said once, and passes.
                    if !std::mem::replace(&mut is_refused, true) {
                        self.host.log(Level::Warn, format_args!("no connection is accepted: {error}"));
                    }
                    sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            is_refused = false;
            // Answers are small, and are waited for.
            let _ = stream.set_nodelay(true);
            let taking = self.taking.clone();
            let service = service_fn(move |request| {
                let taking = taking.clone();
                async move { Ok::<_, std::convert::Infallible>(taking.answer(request, client.ip()).await) }
            });
            let stream = Patient::new(TokioIo::new(stream), self.body_timeout);
            let connection = connections.watch(http.serve_connection(stream, service));
            tokio::spawn(async move {
                // How a connection ends is the client's business.
                let _ = connection.await;
                drop(slot);
            });
        }
        drop(listener);
        // What takes longer is broken off with the runtime: nothing of it was promised.
        let _ = timeout(GRACE, connections.shutdown()).await;
        Ok(())
    }
}
