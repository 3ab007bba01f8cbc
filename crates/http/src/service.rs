//! What happens to every request, in one function: request id, time limit, panics caught, headers that every answer
//! carries, metrics, access log.
//!
//! The access log names the route's pattern, never the path, the query, a header or a body.

use std::cell::RefCell;
use std::future::Future;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use http::{HeaderName, HeaderValue, Request, StatusCode};
use latchkey_config::ServerConfig;
use latchkey_identity::{App, Failure};
use tower_service::Service as _;

use crate::metrics::Metrics;
use crate::reply::Response;
use crate::route::Route;
use crate::router::{Table, Target};
use crate::seam::Application;
use crate::serve::Respond;
use crate::{failure, headers, standard_headers};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-stack-request-id");
const ACTUAL_STATUS: HeaderName = HeaderName::from_static("x-stack-actual-status");

/// The address of the connection, for pages.
#[derive(Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// The public listener's service: the API and the pages beside it. Cheap to clone.
pub struct Service<A: Application = App>(Arc<Inner<A>>);

struct Inner<A: Application> {
    app: Arc<A>,
    table: Table<A>,
    pages: Router,
    config: Arc<ServerConfig>,
    metrics: Metrics,
}

impl<A: Application> Clone for Service<A> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<A: Application> Service<A> {
    /// Serves the API's `routes`, and `pages` for every path outside `/api`.
    pub fn new(
        app: Arc<A>,
        config: Arc<ServerConfig>,
        routes: Vec<Route<A>>,
        pages: Router,
        metrics: Metrics,
    ) -> Self {
        Self(Arc::new(Inner { app, table: Table::new(routes), pages, config, metrics }))
    }

    /// Answers the request that came from `peer`.
    pub async fn respond(&self, request: Request<Body>, peer: IpAddr) -> Response {
        let inner = &*self.0;
        let begun = Instant::now();
        let in_flight = inner.metrics.begin();
        let id = RequestId::new(&*inner.app);
        let method = request.method().clone();
        let path = request.uri().path();
        let is_api = path.starts_with("/api/") || path == "/api";
        let override_status = is_api && headers::overrides_status(request.headers());
        let pretty = headers::pretty(request.headers());

        let (route, target) = if is_api {
            inner.table.find(&method, path)
        } else {
            ("(page)", Target::Answer(Response::default()))
        };
        // Stays where it is: its state is large, and every move copies it.
        let work = pin!(async {
            match target {
                Target::Operation(operation, params) => {
                    operation
                        .serve(Arc::clone(&inner.app), &inner.config, request, params, peer, pretty)
                        .await
                }
                Target::Answer(response) if is_api => Ok(response),
                Target::Answer(_) => {
                    let mut request = request;
                    request.extensions_mut().insert(Peer(peer));
                    inner.pages.clone().call(request).await.map_err(|never| match never {})
                }
            }
        });
        let limited = tokio::time::timeout(inner.config.request_timeout.into(), unwinding(work));
        let mut response = match limited.await {
            Ok(Some(Ok(response))) => response,
            Ok(Some(Err(failure))) => failure::render(failure, id.as_str(), pretty),
            Ok(None) => {
                tracing::error!(request_id = id.as_str(), route, "a handler panicked");
                failure::unexplained(id.as_str())
            }
            Err(_) => {
                tracing::warn!(request_id = id.as_str(), route, "request took too long");
                failure::render(Failure::Busy { retry_after_seconds: 1 }, id.as_str(), pretty)
            }
        };
        let status = response.status();
        let headers = response.headers_mut();
        standard_headers::complete(headers, is_api);
        headers.insert(REQUEST_ID, id.header());
        if override_status && status.is_client_error() {
            headers.insert(ACTUAL_STATUS, HeaderValue::from(status.as_u16()));
            *response.status_mut() = StatusCode::OK;
        }
        let took = begun.elapsed();
        in_flight.finish(route, &method, status.as_u16(), took);
        tracing::info!(
            target: "latchkey::access",
            request_id = id.as_str(),
            %method,
            route,
            status = status.as_u16(),
            micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        );
        response
    }
}

impl<A: Application> Respond for Service<A> {
    async fn respond(&self, request: Request<Body>, peer: IpAddr) -> Response {
        Self::respond(self, request, peer).await
    }
}

/// Runs `work` and gives `None` if it panics; the panic hook has then reported where.
fn unwinding<T>(mut work: Pin<&mut impl Future<Output = T>>) -> impl Future<Output = Option<T>> {
    std::future::poll_fn(move |context| {
        match std::panic::catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(value)) => Poll::Ready(Some(value)),
            Err(_) => Poll::Ready(None),
        }
    })
}

thread_local! {
    /// Random bits of this thread's next ids: a source asked for few of them takes nearly as long as for many.
    static UNUSED: RefCell<Vec<[u8; 10]>> = const { RefCell::new(Vec::new()) };
}

/// 80 random bits in lower-case Crockford base32.
struct RequestId([u8; 16]);

impl RequestId {
    fn new(app: &impl Application) -> Self {
        const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
        let random = UNUSED.with_borrow_mut(|unused| {
            if unused.is_empty() {
                let mut bytes = [0; 64 * 10];
                app.fill(&mut bytes);
                unused.extend(bytes.as_chunks().0);
            }
            unused.pop().unwrap_or_default()
        });
        let mut text = [0; 16];
        for (digits, five) in text.chunks_exact_mut(8).zip(random.chunks_exact(5)) {
            let bits = five.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
            for (index, digit) in digits.iter_mut().enumerate() {
                *digit = ALPHABET[(bits >> (35 - 5 * index) & 31) as usize];
            }
        }
        Self(text)
    }

    fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }

    fn header(&self) -> HeaderValue {
        HeaderValue::from_bytes(&self.0).unwrap_or_else(|_| HeaderValue::from_static(""))
    }
}
