//! What a handler returns, rendered: the bodies of successful answers.
//!
//! The types also declare the answers in the OpenAPI document. Headers that every answer carries are added later.

use axum::body::Body;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION};
use http::{HeaderValue, StatusCode};
use latchkey_identity::Failure;
use schemars::JsonSchema;
use serde::Serialize;

use crate::openapi::Declaration;

/// A response with its body.
pub type Response = http::Response<Body>;

const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

/// The body of a successful answer.
pub trait Reply: Send + 'static {
    /// Renders it; `pretty` if a person reads it.
    fn render(self, pretty: bool) -> Result<Response, Failure>;

    /// Declares it in the OpenAPI document.
    fn declare(declaration: &mut Declaration<'_>);
}

/// JSON with status 200.
pub struct Json<T>(pub T);

/// JSON with status 201: an item was created.
pub struct Created<T>(pub T);

/// `{"success": true}` with status 200.
pub struct Success;

/// Plain text with status 200.
pub struct Text(pub String);

/// A page for people with status 200. It runs nothing and loads nothing.
pub struct Html(pub String);

/// A redirect with status 307, which keeps the method.
pub struct Redirect(pub String);

/// An answer that caches may keep for this many seconds, whoever asked.
pub struct Cached<R, const SECONDS: u32>(pub R);

/// A response with this status and JSON body.
pub(crate) fn json(status: StatusCode, body: &impl Serialize, pretty: bool) -> Result<Response, Failure> {
    // Room for a usual answer at once.
    let mut bytes = Vec::with_capacity(2048);
    let written = if pretty {
        serde_json::to_writer_pretty(&mut bytes, body)
    } else {
        serde_json::to_writer(&mut bytes, body)
    };
    written.map_err(|error| Failure::internal(format_args!("an answer cannot be written: {error}")))?;
    Ok(with_type(status, JSON, Body::from(bytes)))
}

/// A response with this status and text.
pub(crate) fn text(status: StatusCode, text: impl Into<Body>) -> Response {
    with_type(status, TEXT, text.into())
}

fn with_type(status: StatusCode, content_type: HeaderValue, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}

impl<T: Serialize + JsonSchema + Send + 'static> Reply for Json<T> {
    fn render(self, pretty: bool) -> Result<Response, Failure> {
        json(StatusCode::OK, &self.0, pretty)
    }

    fn declare(declaration: &mut Declaration<'_>) {
        declaration.answer::<T>(200);
    }
}

impl<T: Serialize + JsonSchema + Send + 'static> Reply for Created<T> {
    fn render(self, pretty: bool) -> Result<Response, Failure> {
        json(StatusCode::CREATED, &self.0, pretty)
    }

    fn declare(declaration: &mut Declaration<'_>) {
        declaration.answer::<T>(201);
    }
}

/// The body of `Success`.
#[derive(Serialize, JsonSchema)]
struct SuccessBody {
    /// Always true.
    success: bool,
}

impl Reply for Success {
    fn render(self, pretty: bool) -> Result<Response, Failure> {
        json(StatusCode::OK, &SuccessBody { success: true }, pretty)
    }

    fn declare(declaration: &mut Declaration<'_>) {
        declaration.answer::<SuccessBody>(200);
    }
}

impl Reply for Text {
    fn render(self, _: bool) -> Result<Response, Failure> {
        Ok(text(StatusCode::OK, self.0))
    }

    fn declare(declaration: &mut Declaration<'_>) {
        declaration.text_answer();
    }
}

impl Reply for Html {
    fn render(self, _: bool) -> Result<Response, Failure> {
        let policy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
        let mut response = with_type(StatusCode::OK, HTML, Body::from(self.0));
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
        Ok(response)
    }

    fn declare(declaration: &mut Declaration<'_>) {
        declaration.page_answer();
    }
}

impl Reply for Redirect {
    fn render(self, _: bool) -> Result<Response, Failure> {
        let location = HeaderValue::try_from(self.0)
            .map_err(|_| Failure::internal("a redirect leads to what is not a URL"))?;
        let mut response = text(StatusCode::TEMPORARY_REDIRECT, Body::empty());
        response.headers_mut().insert(LOCATION, location);
        Ok(response)
    }

    fn declare(declaration: &mut Declaration<'_>) {
        declaration.redirect();
    }
}

impl<R: Reply, const SECONDS: u32> Reply for Cached<R, SECONDS> {
    fn render(self, pretty: bool) -> Result<Response, Failure> {
        let mut response = self.0.render(pretty)?;
        let value = HeaderValue::try_from(format!("public, max-age={SECONDS}"))
            .map_err(|_| Failure::internal("a number is not a header value"))?;
        response.headers_mut().insert(CACHE_CONTROL, value);
        Ok(response)
    }

    fn declare(declaration: &mut Declaration<'_>) {
        R::declare(declaration);
    }
}

/// A token of the OAuth endpoint: must not be stored by anybody (RFC 6749 section 5.1).
pub struct OauthJson<T>(pub T);

impl<T: Serialize + JsonSchema + Send + 'static> Reply for OauthJson<T> {
    fn render(self, pretty: bool) -> Result<Response, Failure> {
        let mut response = json(StatusCode::OK, &self.0, pretty)?;
        never_store(&mut response);
        Ok(response)
    }

    fn declare(declaration: &mut Declaration<'_>) {
        declaration.answer::<T>(200);
    }
}

/// The headers of RFC 6749 section 5.1.
pub(crate) fn never_store(response: &mut Response) {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(http::header::PRAGMA, HeaderValue::from_static("no-cache"));
}

/// An answer that fits no other type. Declares nothing.
impl Reply for Response {
    fn render(self, _: bool) -> Result<Response, Failure> {
        Ok(self)
    }

    fn declare(_: &mut Declaration<'_>) {}
}
