//! Failures, rendered: known errors as JSON, everything else as plain text (contract 01 section 7).
//!
//! Nothing of an internal failure reaches the caller but the request id, under which it is logged.

use http::header::{HeaderName, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use latchkey_api_types::input::Violations;
use latchkey_api_types::{ErrorCode, KnownError};
use latchkey_identity::Failure;
use serde_json::json;

use crate::reply::{self, Response};

const KNOWN_ERROR: HeaderName = HeaderName::from_static("x-stack-known-error");

/// The answer to a failed request.
pub(crate) fn render(failure: Failure, request_id: &str, pretty: bool) -> Response {
    match failure {
        Failure::Known(error) => known(&error, request_id, pretty),
        Failure::Text { status, message } => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            reply::text(status, message)
        }
        Failure::Oauth { error, description } => {
            let body = json!({ "error": error, "error_description": description });
            let mut response = reply::json(StatusCode::BAD_REQUEST, &body, pretty)
                .unwrap_or_else(|failure| internal(&failure, request_id));
            reply::never_store(&mut response);
            response
        }
        Failure::Busy { retry_after_seconds } => {
            let text = "The server is too busy for this at the moment; please try again soon.\n";
            let mut response = reply::text(StatusCode::SERVICE_UNAVAILABLE, text);
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(retry_after_seconds));
            response
        }
        failure @ Failure::Internal(_) => internal(&failure, request_id),
    }
}

fn known(error: &KnownError, request_id: &str, pretty: bool) -> Response {
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = reply::json(status, &error.to_json(), pretty)
        .unwrap_or_else(|failure| internal(&failure, request_id));
    response.headers_mut().insert(KNOWN_ERROR, HeaderValue::from_static(error.code.as_str()));
    response
}

fn internal(failure: &Failure, request_id: &str) -> Response {
    if let Failure::Internal(what) = failure {
        tracing::error!(request_id, error = %what, "request failed");
    }
    unexplained(request_id)
}

/// The answer to a request that failed for a reason that is the server's own business.
pub(crate) fn unexplained(request_id: &str) -> Response {
    let text = format!("Something went wrong on the server. The request id is {request_id}.\n");
    reply::text(StatusCode::INTERNAL_SERVER_ERROR, text)
}

/// `SCHEMA_ERROR` for what is wrong with a request: a line that names the request, then one per violation.
pub(crate) fn schema_error(method: &http::Method, path: &str, violations: &Violations) -> Failure {
    let text = format!("{method} {path}: the request does not have the expected form.\n{violations}");
    KnownError::schema_error(&text).into()
}

/// The codes that every operation with access types can answer.
pub(crate) const COMMON: &[ErrorCode] =
    &[ErrorCode::SchemaError, ErrorCode::AccessTypeRequired, ErrorCode::InsufficientAccessType];
