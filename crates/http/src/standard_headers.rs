//! The headers that every answer carries: CORS for the API, security headers for everything.

use std::sync::LazyLock;

use http::HeaderValue;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderMap,
    HeaderName, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
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

/// What is said to callers from other origins. Credentials are never cookies here, so that any origin may call
/// (contract 01 section 10).
fn cors() -> [(HeaderName, HeaderValue); 6] {
    [
        (ACCESS_CONTROL_ALLOW_ORIGIN, text("*")),
        (ACCESS_CONTROL_ALLOW_METHODS, text("GET, POST, PUT, PATCH, DELETE, OPTIONS")),
        (ACCESS_CONTROL_MAX_AGE, text("86400")),
        (ACCESS_CONTROL_ALLOW_HEADERS, text(ALLOWED)),
        (ACCESS_CONTROL_EXPOSE_HEADERS, text("content-type, x-stack-actual-status, x-stack-known-error")),
        (VARY, text(ALLOWED)),
    ]
}

/// What answers anybody whatever they send, and has nothing to hide (contract 08 §6).
pub(crate) fn open() -> HeaderMap {
    let names = [
        ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_ALLOW_METHODS,
        ACCESS_CONTROL_ALLOW_HEADERS,
        ACCESS_CONTROL_EXPOSE_HEADERS,
    ];
    names.into_iter().map(|name| (name, text("*"))).collect()
}

/// The usual security headers; pages bring a stricter policy of their own.
fn security() -> [(HeaderName, HeaderValue); 6] {
    [
        (HeaderName::from_static("cross-origin-opener-policy"), text("same-origin")),
        (REFERRER_POLICY, text("strict-origin-when-cross-origin")),
        (X_CONTENT_TYPE_OPTIONS, text("nosniff")),
        (X_FRAME_OPTIONS, text("SAMEORIGIN")),
        (HeaderName::from_static("permissions-policy"), text("")),
        (CONTENT_SECURITY_POLICY, text("")),
    ]
}

/// Those of every answer of the API.
static OF_API: LazyLock<HeaderMap> = LazyLock::new(|| {
    let never_stored = (CACHE_CONTROL, text("no-store, max-age=0"));
    cors().into_iter().chain(security()).chain([never_stored]).collect()
});

/// Those of every page.
static OF_PAGES: LazyLock<HeaderMap> = LazyLock::new(|| security().into_iter().collect());

/// Adds the standard headers to an answer. What the answer says itself wins.
pub(crate) fn complete(headers: &mut HeaderMap, is_api: bool) {
    let standard = if is_api { &*OF_API } else { &*OF_PAGES };
    let own = std::mem::replace(headers, standard.clone());
    headers.extend(own);
}
