//! The route table, ready to look up: paths, methods, versions.
//!
//! Owns what a path and a method lead to, and steps 1 to 5 of a request's processing (contract 01 section 3).
//! Refuses to know what happens to every response: that is `service.rs`.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body as AxumBody;
use http::header::ALLOW;
use http::{HeaderValue, Method, StatusCode};
use latchkey_api_types::input::{InputLimits, Location, Violations};
use latchkey_api_types::{AccessType, KnownError};
use latchkey_config::ServerConfig;
use latchkey_identity::Failure;
use serde_json::{Map, Value};

use crate::body::Body;
use crate::call::Exchange;
use crate::extract::Request;
use crate::failure;
use crate::headers::Headers;
use crate::reply::{self, Response};
use crate::route::{Route, Variant};
use crate::seam::Application;
use crate::standard_headers;

/// The versions of the API. All of them are the same (contract 01 section 1).
const VERSIONS: [&str; 7] = ["v1", "v2beta1", "v2beta2", "v2beta3", "v2beta4", "v2beta5", "latest"];

/// The route table, built once.
pub(crate) struct Table<A: Application> {
    paths: matchit::Router<Path<A>>,
}

/// The operations of one path.
struct Path<A: Application> {
    pattern: &'static str,
    allow: HeaderValue,
    operations: Vec<Operation<A>>,
}

/// One operation, shared by the requests that it serves.
pub(crate) struct Operation<A: Application> {
    method: Method,
    variants: Vec<Variant<A>>,
    allowed: Vec<AccessType>,
}

/// What a request leads to.
pub(crate) enum Target<'t, A: Application> {
    /// An operation, with the parameters of the path.
    Operation(&'t Operation<A>, Value),
    /// An answer that needs no operation.
    Answer(Response),
}

impl<A: Application> Table<A> {
    /// Builds it.
    ///
    /// # Panics
    /// If two rows are the same operation or two patterns contradict each other: a mistake in the table, found by
    /// every test that builds it.
    pub(crate) fn new(routes: Vec<Route<A>>) -> Self {
        let mut grouped: BTreeMap<&'static str, Vec<Operation<A>>> = BTreeMap::new();
        for route in routes {
            let operations = grouped.entry(route.path).or_default();
            let fresh = operations.iter().all(|operation| operation.method != route.method);
            assert!(fresh, "{} {} stands twice in the route table", route.method, route.path);
            let allowed = route.access();
            operations.push(Operation { method: route.method, variants: route.variants, allowed });
        }
        let mut paths = matchit::Router::new();
        for (pattern, operations) in grouped {
            let methods: Vec<_> = operations.iter().map(|operation| operation.method.as_str()).collect();
            let allow = HeaderValue::try_from(methods.join(", ")).expect("methods are tokens");
            paths.insert(pattern, Path { pattern, allow, operations }).expect("patterns do not contradict");
        }
        Self { paths }
    }

    /// What a method and a path below `/api` lead to, and the pattern of the path for metrics and logs.
    pub(crate) fn find(&self, method: &Method, path: &str) -> (&'static str, Target<'_, A>) {
        if *method == Method::OPTIONS {
            let mut response = Response::default();
            standard_headers::preflight(response.headers_mut());
            return ("(preflight)", Target::Answer(response));
        }
        if ![Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE].contains(method) {
            let text = "This method is not supported.\n";
            return ("(unknown)", Target::Answer(reply::text(StatusCode::METHOD_NOT_ALLOWED, text)));
        }
        let Some(matched) = below_version(path).and_then(|path| self.paths.at(path).ok()) else {
            let text = "There is nothing at this path. Every path of the API starts with /api/v1/.\n";
            return ("(unknown)", Target::Answer(reply::text(StatusCode::NOT_FOUND, text)));
        };
        let found = matched.value;
        let Some(operation) = found.operations.iter().find(|operation| operation.method == *method) else {
            let mut response = Response::default();
            *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
            response.headers_mut().insert(ALLOW, found.allow.clone());
            return (found.pattern, Target::Answer(response));
        };
        let Some(params) = decode(&matched.params) else {
            let text = "The path is not valid UTF-8.\n";
            return (found.pattern, Target::Answer(reply::text(StatusCode::BAD_REQUEST, text)));
        };
        (found.pattern, Target::Operation(operation, params))
    }
}

/// The path below `/api/VERSION`, without a trailing slash; `/` for the root.
fn below_version(path: &str) -> Option<&str> {
    let path = path.strip_prefix("/api/")?;
    let (version, rest) = path.split_at(path.find('/').unwrap_or(path.len()));
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    VERSIONS.contains(&version).then_some(if rest.is_empty() { "/" } else { rest })
}

/// Percent-decoded parameters, or `None` if one is not UTF-8.
fn decode(params: &matchit::Params<'_, '_>) -> Option<Value> {
    let mut decoded = Map::new();
    for (name, value) in params.iter() {
        decoded.insert(name.to_owned(), Value::String(percent_decode(value)?));
    }
    Some(Value::Object(decoded))
}

/// RFC 3986 section 2.1. A percent sign without two hexadecimal digits stands for itself.
fn percent_decode(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let hex = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escape = if byte == b'%' { hex(at + 1).zip(hex(at + 2)) } else { None };
        let octet = escape.and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
        decoded.push(octet.unwrap_or(byte));
        at += if octet.is_some() { 3 } else { 1 };
    }
    String::from_utf8(decoded).ok()
}

/// How long a body may take to arrive.
pub(crate) const BODY_TIMEOUT: Duration = Duration::from_secs(20);

impl<A: Application> Operation<A> {
    /// Serves a request: body, authentication, validation, handler.
    pub(crate) async fn serve(
        &self,
        app: Arc<A>,
        config: &Arc<ServerConfig>,
        request: http::Request<AxumBody>,
        params: Value,
        peer: IpAddr,
        pretty: bool,
    ) -> Result<Response, Failure> {
        let (parts, incoming) = request.into_parts();
        let headers = Headers::read(&parts.headers).map_err(|problem| {
            let mut violations = Violations::new(InputLimits::default());
            violations.add(&Location::Root("headers").property(&problem.name), problem.what);
            failure::schema_error(&parts.method, parts.uri.path(), &violations)
        })?;
        let body = if parts.method == Method::GET {
            Body::Absent
        } else {
            let limit = usize::try_from(config.max_body_bytes).unwrap_or(usize::MAX);
            let bytes = tokio::time::timeout(BODY_TIMEOUT, Body::receive(incoming, limit)).await;
            let bytes =
                bytes.map_err(|_| Failure::text(408, "The request body took too long to arrive."))??;
            Body::parse(headers.content_type, bytes)?
        };
        let auth = app.authenticate(&headers.credentials).await?;
        let variant = self.variant(auth.as_ref())?;
        let refresh_token = headers.refresh_token.map(str::to_owned);
        let browser = headers.browser;
        let request = Request {
            method: parts.method,
            uri: parts.uri,
            headers: parts.headers,
            body,
            refresh_token,
            params,
            signed_in: auth.as_ref().is_some_and(A::signed_in),
            pretty,
            browser,
            limits: auth.as_ref().map(A::input_limits).unwrap_or_default(),
            peer,
            config: Arc::clone(config),
        };
        (variant.start)(Exchange { app, auth, request })?.await
    }

    /// The variant for the caller's access type. Each caller sees the errors of its own variant.
    fn variant(&self, auth: Option<&A::Auth>) -> Result<&Variant<A>, Failure> {
        if let Some(open) = self.variants.iter().find(|variant| variant.access.is_empty()) {
            return Ok(open);
        }
        let access = A::access(auth.ok_or_else(KnownError::access_type_required)?);
        let variant = self.variants.iter().find(|variant| variant.access.contains(&access));
        variant.ok_or_else(|| KnownError::insufficient_access_type(access, &self.allowed).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trailing_slash_is_insignificant_and_a_version_is_exact() {
        assert_eq!(below_version("/api/v1"), Some("/"));
        assert_eq!(below_version("/api/latest/"), Some("/"));
        assert_eq!(below_version("/api/v2beta5/users/me/"), Some("/users/me"));
        for path in ["/api", "/api/", "/api/v2", "/api/V1/users", "/api/v1x", "/apix/v1", "/v1/users"] {
            assert_eq!(below_version(path), None, "{path}");
        }
        assert_eq!(below_version("/api/v1//users"), Some("//users"));
    }

    #[test]
    fn parameters_are_percent_decoded() {
        assert_eq!(percent_decode("a%20b%2fc%C3%A9%").as_deref(), Some("a b/cé%"));
        assert_eq!(percent_decode("%ff"), None);
    }
}
