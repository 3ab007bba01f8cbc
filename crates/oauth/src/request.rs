//! Requests to providers as plain values, and what is done to their answers before anybody reads them. Sending is the
//! caller's business: with time-outs, a limit on the length, and without following redirects.

use std::fmt;

use serde_json::Value;
use url::Url;
use url::form_urlencoded::Serializer;

use crate::error::UpstreamError;

/// The longest answer that is read to its end, bytes: for tokens and profiles.
pub const LONGEST_ANSWER: usize = 256 * 1024;

/// A request to be sent. Its Debug form shows neither headers nor body, which hold secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// Where to. https, or http where the configuration says so.
    pub url: Url,
    /// Names are lower-case.
    pub headers: Vec<(String, String)>,
    /// The body of a POST, `application/x-www-form-urlencoded`; without one it is a GET.
    pub form: Option<String>,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let method = if self.form.is_some() { "POST" } else { "GET" };
        write!(f, "{method} {}{}", self.url.origin().ascii_serialization(), self.url.path())
    }
}

impl Request {
    /// A GET that wants JSON.
    pub(crate) fn get(url: &str) -> Result<Self, UpstreamError> {
        Ok(Self { url: parse(url)?, headers: vec![header("accept", "application/json")], form: None })
    }

    /// A POST of a form that wants JSON.
    pub(crate) fn post(url: &str, form: &[(&str, &str)]) -> Result<Self, UpstreamError> {
        let mut request = Self::get(url)?;
        request.headers.push(header("content-type", "application/x-www-form-urlencoded"));
        request.form = Some(Serializer::new(String::new()).extend_pairs(form).finish());
        Ok(request)
    }

    /// The request with an access token (RFC 6750 §2.1).
    pub(crate) fn with_bearer(mut self, access_token: &str) -> Self {
        self.headers.push(("authorization".to_owned(), format!("Bearer {access_token}")));
        self
    }
}

fn header(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// Reads an address of the configuration or of a discovery document.
pub(crate) fn parse(url: &str) -> Result<Url, UpstreamError> {
    let url = Url::parse(url).map_err(|_| UpstreamError::Misconfigured("an endpoint is not a URL"))?;
    let usable = matches!(url.scheme(), "https" | "http")
        && url.host_str().is_some_and(|host| !host.is_empty())
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    // RFC 6749 §3.1 and §3.2: no fragment.
    if usable { Ok(url) } else { Err(UpstreamError::Misconfigured("an endpoint is not a plain http(s) URL")) }
}

/// What came back.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// HTTP status.
    pub status: u16,
    /// The header `content-type`, if there was one.
    pub content_type: Option<&'a str>,
    /// The body, cut by the caller where it passed [`LONGEST_ANSWER`]: such an answer is refused here.
    pub body: &'a [u8],
}

impl Answer<'_> {
    /// The media type in lower case, without parameters.
    pub(crate) fn media_type(&self) -> String {
        let text = self.content_type.unwrap_or_default();
        text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// Refuses what no reading can help: trouble at the other side (RFC 9110 §15.6, and 429), redirects, excess.
    pub(crate) fn is_readable(&self) -> Result<(), UpstreamError> {
        match self.status {
            429 | 500..=599 => Err(UpstreamError::Unavailable(format!("status {}", self.status))),
            300..=399 => Err(UpstreamError::Garbled("a redirect instead of an answer")),
            _ if self.body.len() > LONGEST_ANSWER => Err(UpstreamError::Garbled("the answer is too long")),
            _ => Ok(()),
        }
    }

    /// The body as JSON. Pages that call themselves JSON are no JSON; JSON that calls itself text is.
    pub(crate) fn json(&self) -> Result<Value, UpstreamError> {
        self.is_readable()?;
        serde_json::from_slice(self.body).map_err(|_| {
            if self.media_type() == "text/html" {
                UpstreamError::Garbled("a page instead of JSON")
            } else {
                UpstreamError::Garbled("the answer is not JSON")
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_does_not_show_its_secrets() {
        let request =
            Request::post("https://a.example/token?tenant=secret", &[("code", "secret"), ("b", "&=")])
                .unwrap()
                .with_bearer("secret");
        assert_eq!(format!("{request:?}"), "POST https://a.example/token");
        assert_eq!(request.form.as_deref(), Some("code=secret&b=%26%3D"));
        assert_eq!(request.headers[2], ("authorization".to_owned(), "Bearer secret".to_owned()));
    }

    #[test]
    fn addresses_that_are_no_plain_web_addresses_are_refused() {
        for url in [
            "",
            "a",
            "ftp://a.example",
            "file:///etc/passwd",
            "https://a.example/#x",
            "https://u:p@a.example/",
        ] {
            assert!(matches!(parse(url), Err(UpstreamError::Misconfigured(_))), "{url}");
        }
        assert!(parse("https://a.example/token?x=y").is_ok());
    }

    #[test]
    fn trouble_redirects_pages_and_excess_are_told_apart_from_answers() {
        let answer = |status, content_type, body| Answer { status, content_type, body };
        for status in [429, 500, 502, 503, 599] {
            let outcome = answer(status, Some("application/json"), b"{}").json();
            assert!(matches!(outcome, Err(UpstreamError::Unavailable(_))), "{status}");
        }
        let garbled = [
            answer(302, None, b"{}"),
            answer(200, Some("text/html; charset=utf-8"), b"<html>"),
            answer(200, Some("application/json"), b"{\"a\":"),
            answer(200, Some("application/json"), b""),
        ];
        for answer in garbled {
            assert!(matches!(answer.json(), Err(UpstreamError::Garbled(_))), "{answer:?}");
        }
        let long = format!("\"{}\"", "a".repeat(LONGEST_ANSWER));
        assert!(matches!(answer(200, None, long.as_bytes()).json(), Err(UpstreamError::Garbled(_))));
        let deep = "[".repeat(100_000);
        assert!(matches!(answer(200, None, deep.as_bytes()).json(), Err(UpstreamError::Garbled(_))));
        assert_eq!(answer(200, Some("text/plain"), b" 7").json().unwrap(), 7);
    }
}
