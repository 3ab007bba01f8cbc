//! The headers that every answer carries: CORS for the API, security headers for everything.

use http::HeaderValue;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, CONTENT_SECURITY_POLICY, HeaderMap, HeaderName,
    REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};

macro_rules! request_headers {
    ($($prefix:literal),+) => {
        concat!(
            "content-type, authorization",
            $(request_headers!(@named $prefix),)+
            ", baggage, sentry-trace, x-vercel-protection-bypass, ngrok-skip-browser-warning"
        )
    };
    (@named $prefix:literal) => {
        concat!(
            ", ", $prefix, "project-id, ", $prefix, "branch-id, ", $prefix, "override-error-status, ",
            $prefix, "random-nonce, ", $prefix, "client-version, ",
            $prefix, "disable-artificial-development-delay, ", $prefix, "access-type, ",
            $prefix, "publishable-client-key, ", $prefix, "secret-server-key, ",
            $prefix, "super-secret-admin-key, ", $prefix, "admin-access-token, ", $prefix, "refresh-token, ",
            $prefix, "access-token, ", $prefix, "allow-anonymous-user, ", $prefix, "allow-restricted-user"
        )
    };
}

/// What browsers may send across origins; also what answers vary by. The contract's list, and the header for
/// restricted users, which is harmless to add.
const ALLOWED: &str = request_headers!("x-stack-");

/// The same with the aliases, for preflights only: no other answer needs them, and every byte is sent each time.
const ALLOWED_WITH_ALIASES: &str = request_headers!("x-stack-", "x-hexclave-");

const fn text(value: &'static str) -> HeaderValue {
    HeaderValue::from_static(value)
}

/// What only the answer to a preflight says.
pub(crate) fn preflight(headers: &mut HeaderMap) {
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, text(ALLOWED_WITH_ALIASES));
}

/// Credentials are never cookies here, so that any origin may call (contract 01 section 10).
pub(crate) fn cors(headers: &mut HeaderMap) {
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, text("*"));
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, text("GET, POST, PUT, PATCH, DELETE, OPTIONS"));
    headers.insert(ACCESS_CONTROL_MAX_AGE, text("86400"));
    headers.entry(ACCESS_CONTROL_ALLOW_HEADERS).or_insert(text(ALLOWED));
    headers.insert(
        ACCESS_CONTROL_EXPOSE_HEADERS,
        text("content-type, x-stack-actual-status, x-stack-known-error"),
    );
    headers.insert(VARY, text(ALLOWED));
}

/// What answers anybody whatever they send, and has nothing to hide (contract 08 §6).
pub(crate) fn open(headers: &mut HeaderMap) {
    for name in [
        ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_ALLOW_METHODS,
        ACCESS_CONTROL_ALLOW_HEADERS,
        ACCESS_CONTROL_EXPOSE_HEADERS,
    ] {
        headers.insert(name, text("*"));
    }
}

/// The usual security headers; pages bring a stricter policy of their own.
pub(crate) fn security(headers: &mut HeaderMap) {
    headers.insert(HeaderName::from_static("cross-origin-opener-policy"), text("same-origin"));
    headers.entry(REFERRER_POLICY).or_insert(text("strict-origin-when-cross-origin"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, text("nosniff"));
    headers.entry(X_FRAME_OPTIONS).or_insert(text("SAMEORIGIN"));
    headers.insert(HeaderName::from_static("permissions-policy"), text(""));
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(text(""));
}
