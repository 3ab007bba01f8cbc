//! The pages beside the API: the reference, `GET /health`, and a signpost at `/`.
//!
//! The reference is one small page that reads the OpenAPI document; everything it needs is in the binary.

use axum::Router;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect};
use axum::routing::get;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, StatusCode};

use crate::reply;
use crate::standard_headers;

/// What the reference page may load: itself.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The pages.
pub fn pages() -> Router {
    Router::new()
        .route("/", get(|| async { Redirect::temporary("/docs") }))
        .route("/health", get(health))
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

async fn health() -> impl IntoResponse {
    let mut headers = HeaderMap::new();
    standard_headers::cors(&mut headers);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store, max-age=0"));
    (headers, r#"{"status":"ok"}"#)
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
