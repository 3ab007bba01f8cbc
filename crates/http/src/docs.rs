//! The pages beside the API: the reference, `GET /health`, `POST /health/email`, and a signpost at `/`.
//!
//! The reference is one small page that reads the OpenAPI document; everything it needs is in the binary.

use std::sync::Arc;

use axum::Router;
use axum::extract::RawQuery;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect};
use axum::routing::{get, post};
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, StatusCode};
use latchkey_identity::{App, Failure};
use serde_json::json;

use crate::body;
use crate::observe::Readiness;
use crate::reply;
use crate::standard_headers;

/// What the reference page may load: itself.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The pages.
///
/// `database` says whether the database answers.
pub fn pages(database: Readiness) -> Router {
    Router::new()
        .route("/", get(|| async { Redirect::temporary("/docs") }))
        .route("/health", get(move |query: RawQuery| health(Arc::clone(&database), query)).options(preflight))
        .route("/docs", get(asset("text/html; charset=utf-8", include_str!("docs/reference.html"))))
        .route(
            "/docs/reference.css",
            get(asset("text/css; charset=utf-8", include_str!("docs/reference.css"))),
        )
        .route(
            "/docs/reference.js",
            get(asset("text/javascript; charset=utf-8", include_str!("docs/reference.js"))),
        )
        .fallback(|| async {
            let text = "There is no page here. The API is below /api/v1, its reference is at /docs.\n";
            reply::text(StatusCode::NOT_FOUND, text)
        })
}

/// `POST /health/email`, for operators who know its secret.
pub fn email_probe(app: Arc<App>) -> Router {
    Router::new()
        .route("/health/email", post(move |headers: HeaderMap| probe_email(Arc::clone(&app), headers)))
}

async fn probe_email(app: Arc<App>, headers: HeaderMap) -> impl IntoResponse {
    let (status, body) = match latchkey_identity::email_probe::run(&app, bearer(&headers)).await {
        Ok(()) => (StatusCode::OK, json!({ "status": "ok" })),
        Err(Failure::Text { status, message }) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
            (status, json!({ "status": "error", "reason": message }))
        }
        Err(failure) => {
            tracing::error!(?failure, "the probe of mail failed");
            (StatusCode::SERVICE_UNAVAILABLE, json!({ "status": "error" }))
        }
    };
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store, max-age=0")),
    ];
    (status, headers, body.to_string())
}

/// The token of `Authorization: Bearer TOKEN` (RFC 6750 section 2.1).
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Answers as long as the process does; with `db` set to anything, only while the database answers as well.
async fn health(database: Readiness, RawQuery(query): RawQuery) -> impl IntoResponse {
    let query = body::form(query.as_deref().unwrap_or_default());
    let wants_database = query.get("db").and_then(serde_json::Value::as_str).is_some_and(|db| !db.is_empty());
    let (status, text) = if wants_database && database().await.is_err() {
        (StatusCode::INTERNAL_SERVER_ERROR, r#"{"status":"error"}"#)
    } else {
        (StatusCode::OK, r#"{"status":"ok"}"#)
    };
    let mut headers = standard_headers::open();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store, max-age=0"));
    (status, headers, text)
}

/// A browser asks whether it may ask for the health.
async fn preflight() -> impl IntoResponse {
    standard_headers::open()
}

type Headers = [(HeaderName, HeaderValue); 3];

fn asset(
    content_type: &'static str,
    text: &'static str,
) -> impl Fn() -> std::future::Ready<(Headers, &'static str)> + Clone + Send + Sync + 'static {
    move || {
        let headers = [
            (CONTENT_TYPE, HeaderValue::from_static(content_type)),
            (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
            (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        ];
        std::future::ready((headers, text))
    }
}
