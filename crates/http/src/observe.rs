//! The second listener, for operators only: is it alive, is it ready, what does it count.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use axum::body::Body;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, StatusCode};
use prometheus_client::registry::Registry;
use serde_json::json;

use crate::reply::{self, Response};
use crate::serve::Respond;

/// Whether the server can serve: `Err` says in one sentence why not.
pub type Readiness = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Result<(), String>> + Send>> + Send + Sync>;

/// The service of the second listener. Cheap to clone.
#[derive(Clone)]
pub struct Observe {
    registry: Arc<Registry>,
    ready: Readiness,
}

impl Observe {
    /// Shows the metrics in `registry` and asks `ready` at each `/health/ready`.
    pub fn new(registry: Arc<Registry>, ready: Readiness) -> Self {
        Self { registry, ready }
    }

    async fn answer(&self, method: &Method, path: &str) -> Response {
        if !matches!(*method, Method::GET | Method::HEAD) {
            let mut response = reply::text(StatusCode::METHOD_NOT_ALLOWED, "Only GET is served here.\n");
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return response;
        }
        match path {
            "/health/live" => status(StatusCode::OK, "ok", None),
            "/health/ready" => match (self.ready)().await {
                Ok(()) => status(StatusCode::OK, "ok", None),
                Err(reason) => status(StatusCode::SERVICE_UNAVAILABLE, "unavailable", Some(&reason)),
            },
            "/metrics" => self.metrics(),
            _ => reply::text(StatusCode::NOT_FOUND, "Here are /health/live, /health/ready and /metrics.\n"),
        }
    }

    fn metrics(&self) -> Response {
        let mut text = String::with_capacity(16 * 1024);
        if prometheus_client::encoding::text::encode(&mut text, &self.registry).is_err() {
            return reply::text(StatusCode::INTERNAL_SERVER_ERROR, "The metrics could not be written.\n");
        }
        let mut response = reply::text(StatusCode::OK, text);
        let open_metrics =
            HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
        response.headers_mut().insert(CONTENT_TYPE, open_metrics);
        response
    }
}

impl Respond for Observe {
    async fn respond(&self, request: Request<Body>, _: IpAddr) -> Response {
        let mut response = self.answer(request.method(), request.uri().path()).await;
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

fn status(code: StatusCode, word: &str, reason: Option<&str>) -> Response {
    let body =
        reason.map_or_else(|| json!({ "status": word }), |why| json!({ "status": word, "reason": why }));
    reply::json(code, &body, false).unwrap_or_else(|_| reply::text(code, word.to_owned()))
}
