//! The request body, parsed by its content type (contract 01 section 6).

use std::borrow::Cow;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::Body as _;
use latchkey_api_types::KnownError;
use latchkey_identity::Failure;
use serde_json::{Map, Value};

use crate::json;

/// Of a body that is too long, as many times the limit are read before the connection is closed.
const PATIENCE: usize = 8;

/// A parsed body.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Body {
    /// Neither body nor content type.
    #[default]
    Absent,
    /// `application/json`, or a form as a flat object of strings.
    Json(Value),
    /// `text/plain`.
    Text(String),
    /// `application/octet-stream`.
    Bytes(Bytes),
}

impl Body {
    /// The body as JSON. Text and bytes count as strings, of which no JSON body consists.
    pub(crate) fn to_json(&self) -> Option<Cow<'_, Value>> {
        match self {
            Self::Absent => None,
            Self::Json(value) => Some(Cow::Borrowed(value)),
            Self::Text(_) | Self::Bytes(_) => Some(Cow::Owned(Value::String(String::new()))),
        }
    }

    /// Reads at most `limit` bytes of the request. What comes beyond is read and forgotten for a while: a client that
    /// is still sending when the connection closes would never see the answer.
    pub(crate) async fn receive(mut body: axum::body::Body, limit: usize) -> Result<Bytes, Failure> {
        let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
        let mut bytes = BytesMut::with_capacity(announced.min(limit).min(64 * 1024));
        let mut length = 0_usize;
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| KnownError::body_parsing_error("it ended too early"))?;
            let Ok(data) = frame.into_data() else { continue };
            length = length.saturating_add(data.len());
            if length <= limit {
                bytes.extend_from_slice(&data);
            } else if length > limit.saturating_mul(PATIENCE) {
                break;
            }
        }
        if length > limit {
            return Err(Failure::text(413, format!("The request body has more than {limit} bytes.")));
        }
        Ok(bytes.freeze())
    }

    /// Parses the bytes as what the content type says they are.
    pub(crate) fn parse(content_type: Option<&str>, bytes: Bytes) -> Result<Self, Failure> {
        let Some(content_type) = content_type else { return Ok(Self::Absent) };
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        let refuse = |reason: &str| Err(KnownError::body_parsing_error(reason).into());
        let is = |name| media_type.eq_ignore_ascii_case(name);
        if is("application/json") {
            match json::parse(&bytes) {
                Ok(value) => Ok(Self::Json(value)),
                Err(_) if bytes.is_empty() => refuse("it is empty, but its content type is JSON"),
                Err(error) => refuse(&error.to_string()),
            }
        } else if is("application/x-www-form-urlencoded") {
            match str::from_utf8(&bytes) {
                Ok(text) if text.contains("%00") || text.contains('\0') => {
                    refuse("it contains NUL characters")
                }
                Ok(text) => Ok(Self::Json(Value::Object(form(text)))),
                Err(_) => refuse("it is not valid UTF-8"),
            }
        } else if is("text/plain") {
            match String::from_utf8(bytes.into()) {
                Ok(text) => Ok(Self::Text(text)),
                Err(_) => refuse("it is not valid UTF-8"),
            }
        } else if is("application/octet-stream") {
            Ok(Self::Bytes(bytes))
        } else {
            refuse(&format!("the content type {media_type:?} is not supported"))
        }
    }
}

/// A form or a query string as a flat object of strings. Of several values the last one counts.
pub(crate) fn form(text: &str) -> Map<String, Value> {
    let pairs = url::form_urlencoded::parse(text.as_bytes());
    pairs.map(|(name, value)| (name.into_owned(), Value::String(value.into_owned()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parse(content_type: &str, bytes: &'static [u8]) -> Option<Body> {
        Body::parse(Some(content_type), Bytes::from_static(bytes)).ok()
    }

    #[test]
    fn the_content_type_decides_how_a_body_is_read() {
        assert_eq!(Body::parse(None, Bytes::from_static(b"{")).ok(), Some(Body::Absent));
        assert_eq!(parse("Application/JSON; charset=utf-8", b"{}"), Some(Body::Json(json!({}))));
        let form = parse("application/x-www-form-urlencoded", b"a=1&b=x+y%21&a=2");
        assert_eq!(form, Some(Body::Json(json!({ "a": "2", "b": "x y!" }))));
        assert_eq!(parse("text/plain", b"hi"), Some(Body::Text("hi".to_owned())));
        assert_eq!(
            parse("application/octet-stream", b"\xff"),
            Some(Body::Bytes(Bytes::from_static(b"\xff")))
        );
    }

    #[test]
    fn what_cannot_be_read_is_a_body_parsing_error() {
        let refused: [(&str, &[u8]); 6] = [
            ("application/json", b""),
            ("application/json", b"{\"a\":"),
            ("application/xml", b"<a/>"),
            ("text/plain", b"\xff"),
            ("application/x-www-form-urlencoded", b"\xff=1"),
            ("application/x-www-form-urlencoded", b"a=%00"),
        ];
        for (content_type, bytes) in refused {
            assert_eq!(parse(content_type, bytes), None, "{content_type}");
        }
    }
}
