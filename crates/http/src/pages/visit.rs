//! One request to a page: who is there, what the address and the form say, and whether the form is one of ours.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::Request;
use http::header::{ACCEPT_LANGUAGE, CONTENT_TYPE, ORIGIN, USER_AGENT};
use http::{HeaderMap, Method};
use latchkey_config::ServerConfig;
use latchkey_identity::sign_in::Origin;
use latchkey_identity::{App, Auth, Failure, Project, authenticate};
use serde_json::{Map, Value};
use url::Url;

use super::cookie;
use crate::body;
use crate::client_address::{client_address, end_user};
use crate::service::Peer;

/// The longest form, bytes.
const MAX_FORM: usize = 16 * 1024;

/// A request to a page of a project.
pub(super) struct Visit {
    pub(super) app: Arc<App>,
    /// The project, and the visitor if they signed in here.
    pub(super) auth: Auth,
    /// The refresh token of the visitor's cookie, if it is good.
    pub(super) refresh_token: Option<String>,
    /// From where.
    pub(super) origin: Origin,
    /// Path and query, as the browser knows them.
    pub(super) query: String,
    parameters: Map<String, Value>,
    form: Map<String, Value>,
}

impl Visit {
    /// Reads a request.
    ///
    /// # Errors
    /// 403 for a POST that does not come from a page of this server; 400 and 413 for what is no form.
    pub(super) async fn read(
        app: &Arc<App>,
        config: &ServerConfig,
        project: Arc<Project>,
        request: Request,
    ) -> Result<Self, Failure> {
        let (parts, incoming) = request.into_parts();
        let mut form = Map::new();
        if parts.method == Method::POST {
            if !is_own_form(&parts.headers, &app.public_url) {
                return Err(Failure::text(
                    403,
                    "This form was not sent from this page. Open the link again.",
                ));
            }
            form = read_form(&parts.headers, incoming).await?;
        }
        let token = cookie::read(&parts.headers, &app.public_url);
        let languages = parts.headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        let auth = authenticate::visitor(app, project, token, languages).await?;
        let refresh_token = if auth.user.is_some() { token.map(str::to_owned) } else { None };
        let query = parts.uri.query().unwrap_or_default().to_owned();
        Ok(Self {
            app: Arc::clone(app),
            auth,
            refresh_token,
            origin: origin(config, &parts.headers, parts.extensions.get::<Peer>().map(|peer| peer.0)),
            parameters: body::form(&query),
            query,
            form,
        })
    }

    /// A parameter of the address; empty if it is missing.
    pub(super) fn parameter(&self, name: &str) -> &str {
        self.parameters.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// A field of the form; empty if it is missing.
    pub(super) fn field(&self, name: &str) -> &str {
        self.form.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// A code of the address or of the form: 45 characters, in lower case. `None` for what cannot be one.
    pub(super) fn code(&self, name: &str) -> Option<String> {
        let code = match self.field(name) {
            "" => self.parameter(name),
            code => code,
        };
        let is_code = code.len() == 45 && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
        is_code.then(|| code.to_ascii_lowercase())
    }
}

fn origin(config: &ServerConfig, headers: &HeaderMap, peer: Option<IpAddr>) -> Origin {
    let Some(peer) = peer else { return Origin::default() };
    let is_browser = headers.get(USER_AGENT).is_some();
    Origin {
        end_user: end_user(config, headers, peer, is_browser),
        address: client_address(config, headers, peer),
    }
}

/// Whether a form was sent from a page of this server. Browsers say so themselves (`Sec-Fetch-Site`, on every origin
/// that is secure or local); those that do not must name this server as the origin. A program that is no browser can
/// claim anything, but carries no visitor's cookie.
fn is_own_form(headers: &HeaderMap, public_url: &str) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    match (text("sec-fetch-site"), text(ORIGIN.as_str())) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => {
            Url::parse(public_url).is_ok_and(|own| own.origin().ascii_serialization() == origin)
        }
        (None, None) => false,
    }
}

async fn read_form(headers: &HeaderMap, incoming: axum::body::Body) -> Result<Map<String, Value>, Failure> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(Failure::text(400, "This is not a form of this page."));
    }
    let bytes = body::Body::receive(incoming, MAX_FORM);
    let bytes = tokio::time::timeout(crate::router::BODY_TIMEOUT, bytes)
        .await
        .map_err(|_| Failure::text(408, "The form took too long to arrive."))??;
    match body::Body::parse(Some("application/x-www-form-urlencoded"), bytes)? {
        body::Body::Json(Value::Object(form)) => Ok(form),
        _ => Ok(Map::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    fn sent(pairs: &[(&'static str, &'static str)]) -> bool {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        is_own_form(&pairs.iter().map(pair).collect(), "https://auth.example.com/id")
    }

    #[test]
    fn only_forms_of_this_origin_are_own_forms() {
        assert!(sent(&[("sec-fetch-site", "same-origin")]));
        assert!(sent(&[("sec-fetch-site", "same-origin"), ("origin", "null")]));
        assert!(sent(&[("origin", "https://auth.example.com")]));
        for foreign in ["same-site", "cross-site", "none", ""] {
            assert!(
                !sent(&[("sec-fetch-site", foreign), ("origin", "https://auth.example.com")]),
                "{foreign}"
            );
        }
        for foreign in [
            "null",
            "https://evil.example",
            "https://auth.example.com.evil.example",
            "http://auth.example.com",
        ] {
            assert!(!sent(&[("origin", foreign)]), "{foreign}");
        }
        assert!(!sent(&[]));
    }
}
