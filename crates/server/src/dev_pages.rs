//! Pages that exist in `dev` only: the mailbox that mails land in instead of being sent.

use std::sync::Arc;

use axum::Router;
use axum::extract::RawQuery;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::IntoResponse;
use axum::routing::get;
use latchkey_mail::DevMailbox;
use serde_json::json;

/// The mailbox page loads nothing from anywhere; mails are shown in frames without scripts.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; img-src data:; base-uri 'none'";

/// `GET /dev/emails?to=ADDRESS` (JSON, newest first) and `GET /dev/mailbox` (a page).
pub fn pages(mailbox: &Arc<DevMailbox>) -> Router {
    let (listed, shown) = (Arc::clone(mailbox), Arc::clone(mailbox));
    Router::new()
        .route(
            "/dev/emails",
            get(move |RawQuery(query): RawQuery| async move {
                let items = listed.list(to(query.as_deref()).as_deref());
                let headers =
                    [(CONTENT_TYPE, "application/json; charset=utf-8"), (CACHE_CONTROL, "no-store")];
                (headers, json!({ "items": items }).to_string()).into_response()
            }),
        )
        .route(
            "/dev/mailbox",
            get(move |RawQuery(query): RawQuery| async move {
                let page = shown.page(to(query.as_deref()).as_deref());
                let headers = [
                    (CONTENT_TYPE, "text/html; charset=utf-8"),
                    (CONTENT_SECURITY_POLICY, POLICY),
                    (CACHE_CONTROL, "no-store"),
                ];
                (headers, page).into_response()
            }),
        )
}

/// The address in the query, if it names one.
fn to(query: Option<&str>) -> Option<String> {
    url::form_urlencoded::parse(query.unwrap_or_default().as_bytes())
        .find(|(name, value)| name == "to" && !value.is_empty())
        .map(|(_, value)| value.into_owned())
}
