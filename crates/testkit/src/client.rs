//! A fluent HTTP client: `server.post("/auth/password/sign-in").client().json(…).send().await`.

use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use crate::server::TestServer;

/// A request that is being put together.
pub struct Request<'s> {
    server: &'s TestServer,
    method: Method,
    url: String,
    headers: HeaderMap,
    body: Option<Vec<u8>>,
}

impl<'s> Request<'s> {
    pub(crate) fn new(server: &'s TestServer, method: Method, url: String) -> Self {
        Self { server, method, url, headers: HeaderMap::new(), body: None }
    }

    /// Where it goes.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Sets a header; a second one of the same name replaces the first.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(
            HeaderName::from_bytes(name.as_bytes()).expect("a header name"),
            HeaderValue::from_bytes(value.as_bytes()).expect("a header value"),
        );
        self
    }

    /// Adds a header, also where there is one of the same name.
    #[must_use]
    pub fn also_header(mut self, name: &str, value: &str) -> Self {
        self.headers.append(
            HeaderName::from_bytes(name.as_bytes()).expect("a header name"),
            HeaderValue::from_bytes(value.as_bytes()).expect("a header value"),
        );
        self
    }

    /// Takes a header away.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    /// Speaks as a client of the test project, with its publishable key.
    #[must_use]
    pub fn client(self) -> Self {
        let (id, key) = (self.server.project_id().to_owned(), self.server.keys().publishable.clone());
        self.header("x-stack-access-type", "client")
            .header("x-stack-project-id", &id)
            .header("x-stack-publishable-client-key", &key)
    }

    /// Speaks as a server of the test project.
    #[must_use]
    pub fn server(self) -> Self {
        let (id, key) = (self.server.project_id().to_owned(), self.server.keys().secret.clone());
        self.header("x-stack-access-type", "server")
            .header("x-stack-project-id", &id)
            .header("x-stack-secret-server-key", &key)
    }

    /// Speaks as an administrator of the test project.
    #[must_use]
    pub fn admin(self) -> Self {
        let (id, key) = (self.server.project_id().to_owned(), self.server.keys().admin.clone());
        self.header("x-stack-access-type", "admin")
            .header("x-stack-project-id", &id)
            .header("x-stack-super-secret-admin-key", &key)
    }

    /// Speaks for the user of an access token; anonymous and restricted ones are let in.
    #[must_use]
    pub fn user(self, access_token: &str) -> Self {
        self.header("x-stack-access-token", access_token).header("x-stack-allow-anonymous-user", "true")
    }

    /// Sends JSON.
    #[must_use]
    pub fn json(mut self, body: &Value) -> Self {
        self.body = Some(body.to_string().into_bytes());
        self.header("content-type", "application/json")
    }

    /// Sends a form.
    #[must_use]
    pub fn form(mut self, fields: &[(&str, &str)]) -> Self {
        let mut url = reqwest::Url::parse("http://form/").expect("a URL");
        url.query_pairs_mut().extend_pairs(fields);
        self.body = Some(url.query().unwrap_or_default().as_bytes().to_vec());
        self.header("content-type", "application/x-www-form-urlencoded")
    }

    /// Sends bytes as they are; the content type is the caller's.
    #[must_use]
    pub fn bytes(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Sends the request.
    pub async fn send(self) -> Answer {
        let mut request = self.server.http().request(self.method, self.url).headers(self.headers);
        if let Some(body) = self.body {
            request = request.body(body);
        }
        let response = request.send().await.expect("the server answers");
        Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.bytes().await.expect("a whole answer").to_vec(),
        }
    }
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// Status of the status line.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("no JSON: {} {}", self.status, self.text()))
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("a header in ASCII"))
    }

    /// The JSON of an answer that must have this status.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        self.json()
    }

    /// Checks that this is the known error `code` in the shape of the contract, and returns its details.
    #[track_caller]
    pub fn expect_error(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        let body = self.json();
        assert_eq!(body["code"], code, "{body}");
        assert!(body["error"].is_string(), "{body}");
        assert_eq!(self.header("x-stack-known-error"), Some(code));
        body.get("details").cloned().unwrap_or(Value::Null)
    }

    /// Checks that this is a plain-text error of the contract.
    #[track_caller]
    pub fn expect_text(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(self.header("content-type"), Some("text/plain; charset=utf-8"));
        assert_eq!(self.header("x-stack-known-error"), None);
        self.text()
    }
}
