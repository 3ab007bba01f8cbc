//! The accept loop: connections in, requests to a service, and a graceful end.
//!
//! Own loop instead of a framework's, for limits on connections, header size and header time, and a drain with a
//! deadline. HTTP/1.1 (RFC 9112) only: what stands in front of a server in production speaks it.

use std::convert::Infallible;
use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use axum::body::Body;
use http::Request;
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use latchkey_config::ServerConfig;
use prometheus_client::metrics::gauge::Gauge;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::metrics::Metrics;
use crate::reply::Response;

/// Answers requests. Never fails: a failure is an answer.
pub trait Respond: Clone + Send + Sync + 'static {
    /// The answer to the request that came from `peer`.
    fn respond(&self, request: Request<Body>, peer: IpAddr) -> impl Future<Output = Response> + Send;
}

/// How a listener treats its connections.
#[derive(Clone, Debug)]
pub struct Limits {
    /// How many are open at once; further ones wait to be accepted.
    pub connections: usize,
    /// How long the headers of a request may take to arrive, and a connection may be idle.
    pub header_timeout: Duration,
    /// How many headers a request may have; with more it is answered 431.
    pub headers: usize,
    /// How many bytes the headers of a request may have; with more it is answered 431.
    pub header_bytes: usize,
    /// How long requests in flight may take to finish at the end.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            header_timeout: Duration::from_secs(30),
            headers: 100,
            header_bytes: 64 * 1024,
            grace: Duration::from_secs(20),
        }
    }
}

impl From<&ServerConfig> for Limits {
    fn from(config: &ServerConfig) -> Self {
        Self {
            connections: usize::try_from(config.max_connections).unwrap_or(usize::MAX),
            grace: config.shutdown_grace.into(),
            ..Self::default()
        }
    }
}

/// Accepts connections until `stop` completes, then lets the requests in flight finish within the grace period.
///
/// Gives the number of connections that did not finish in time and were cut.
pub async fn serve<S: Respond>(
    listener: TcpListener,
    service: S,
    limits: Limits,
    metrics: Option<Metrics>,
    stop: impl Future<Output = ()>,
) -> usize {
    let open = metrics.map(|metrics| metrics.connections).unwrap_or_default();
    let slots = Arc::new(Semaphore::new(limits.connections.min(Semaphore::MAX_PERMITS)));
    let graceful = GracefulShutdown::new();
    let protocol = protocol(&limits);
    let (cut, _) = tokio::sync::watch::channel(());
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = async {
            let slot = Arc::clone(&slots).acquire_owned().await;
            (slot, listener.accept().await)
        };
        let (slot, accepted) = tokio::select! {
            () = &mut stop => break,
            accepted = accepted => accepted,
        };
        let (stream, peer) = match accepted {
            Ok((stream, peer)) => (stream, peer.ip().to_canonical()),
            Err(error) => {
                // Out of file descriptors or memory; trying at once again would only burn the processor.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let connection = graceful.watch(connection(&protocol, stream, service.clone(), peer));
        let (counted, mut cut) = (Open::new(&open), cut.subscribe());
        tokio::spawn(async move {
            let _held = (slot, counted);
            tokio::select! {
                // Errors here are the client's: reset, timed out, not HTTP.
                _ = connection => {}
                _ = cut.changed() => {}
            }
        });
    }
    drop(listener);
    let left = graceful.count();
    if tokio::time::timeout(limits.grace, graceful.shutdown()).await.is_ok() {
        0
    } else {
        left.min(cut.receiver_count())
    }
}

fn protocol(limits: &Limits) -> http1::Builder {
    let mut protocol = http1::Builder::new();
    protocol
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_headers(limits.headers)
        .max_buf_size(limits.header_bytes)
        // Answers are small: one copy costs less than a list of pieces.
        .writev(false);
    protocol
}

type Io = TokioIo<TcpStream>;

fn connection<S: Respond>(
    protocol: &http1::Builder,
    stream: TcpStream,
    service: S,
    peer: IpAddr,
) -> impl hyper_util::server::graceful::GracefulConnection<Error = hyper::Error> + use<S> {
    // Answers are written whole; waiting to merge them with others only costs time.
    let _ = stream.set_nodelay(true);
    let respond = service_fn(move |request: Request<Incoming>| {
        let service = service.clone();
        // In a box, as its state is large and would be copied whenever the connection hands it on.
        Box::pin(async move {
            let empty = request.body().is_end_stream();
            let request = request.map(|body| if empty { Body::empty() } else { Body::new(body) });
            Ok::<_, Infallible>(service.respond(request, peer).await)
        })
    });
    protocol.serve_connection(Io::new(stream), respond)
}

/// One open connection, counted while it lives.
struct Open(Gauge<i64, AtomicI64>);

impl Open {
    fn new(gauge: &Gauge<i64, AtomicI64>) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}
