//! The headers that every answer carries: CORS for the API, security headers for everything.

use http::HeaderValue;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, CONTENT_SECURITY_POLICY, HeaderMap, HeaderName,
    REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};

/// What browsers may send across origins; also what answers vary by. The contract's list, and the two headers that
/// are harmless to add: the one for restricted users, and the aliases.
const ALLOWED: &str = "content-type, authorization, x-stack-project-id, x-stack-branch-id, \
    x-stack-override-error-status, x-stack-random-nonce, x-stack-client-version, \
    x-stack-disable-artificial-development-delay, x-stack-access-type, x-stack-publishable-client-key, \
    x-stack-secret-server-key, x-stack-super-secret-admin-key, x-stack-admin-access-token, \
    x-stack-refresh-token, x-stack-access-token, x-stack-allow-anonymous-user, \
    x-stack-allow-restricted-user, baggage, sentry-trace, x-vercel-protection-bypass, ngrok-skip-browser-warning";

const fn text(value: &'static str) -> HeaderValue {
    HeaderValue::from_static(value)
}

/// Credentials are never cookies here, so that any origin may call (contract 01 section 10).
pub(crate) fn cors(headers: &mut HeaderMap) {
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, text("*"));
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, text("GET, POST, PUT, PATCH, DELETE, OPTIONS"));
    headers.insert(ACCESS_CONTROL_MAX_AGE, text("86400"));
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, text(ALLOWED));
    headers.insert(
        ACCESS_CONTROL_EXPOSE_HEADERS,
        text("content-type, x-stack-actual-status, x-stack-known-error"),
    );
    headers.insert(VARY, text(ALLOWED));
}

/// The usual security headers; pages bring their own content security policy.
pub(crate) fn security(headers: &mut HeaderMap) {
    headers.insert(HeaderName::from_static("cross-origin-opener-policy"), text("same-origin"));
    headers.insert(REFERRER_POLICY, text("strict-origin-when-cross-origin"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, text("nosniff"));
    headers.insert(X_FRAME_OPTIONS, text("SAMEORIGIN"));
    headers.insert(HeaderName::from_static("permissions-policy"), text(""));
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(text(""));
}
