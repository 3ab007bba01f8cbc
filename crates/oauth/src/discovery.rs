//! What a provider says about itself (OpenID Connect Discovery 1.0 §3, RFC 8414 §2), and whether to believe it.

use serde::Deserialize;
use url::Url;

use crate::error::UpstreamError;
use crate::request::{Answer, Request, parse};
use crate::upstream::ClientAuthentication;

/// The part of a discovery document that matters here.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[expect(missing_docs, reason = "the names are those of the document")]
pub struct Metadata {
    pub issuer: String,
    pub authorization_endpoint: String,
    pub token_endpoint: String,
    pub jwks_uri: String,
    #[serde(default)]
    pub userinfo_endpoint: Option<String>,
    #[serde(default)]
    pub response_types_supported: Option<Vec<String>>,
    #[serde(default)]
    pub code_challenge_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    pub token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    pub authorization_response_iss_parameter_supported: bool,
}

/// The request for the document of an issuer: its name, and `/.well-known/openid-configuration` behind it (Discovery
/// §4).
///
/// # Errors
/// [`UpstreamError::Misconfigured`] if the issuer is no URL, or has a query.
pub fn request(issuer: &str) -> Result<Request, UpstreamError> {
    let url = parse(issuer)?;
    if url.query().is_some() {
        return Err(UpstreamError::Misconfigured("an issuer has no query"));
    }
    Request::get(&format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/')))
}

impl Metadata {
    /// Reads the document that [`request`] brought.
    ///
    /// # Errors
    /// [`UpstreamError::Unavailable`] while the provider has trouble; [`UpstreamError::Garbled`] if it is no such
    /// document; [`UpstreamError::MixedUp`] if it is that of another issuer, character by character (Discovery §4.3);
    /// [`UpstreamError::Misconfigured`] if it has endpoints that are less protected than the issuer, or no use for
    /// codes or PKCE by S256.
    pub fn read(issuer: &str, answer: &Answer<'_>) -> Result<Self, UpstreamError> {
        let document = answer.json()?;
        if answer.status != 200 {
            return Err(UpstreamError::Garbled("there is no discovery document"));
        }
        let metadata: Self = serde_json::from_value(document)
            .map_err(|_| UpstreamError::Garbled("the discovery document lacks members"))?;
        if metadata.issuer != issuer {
            return Err(UpstreamError::MixedUp);
        }
        let is_protected = parse(issuer)?.scheme() == "https";
        let own = [&metadata.authorization_endpoint, &metadata.token_endpoint, &metadata.jwks_uri];
        for endpoint in own.into_iter().chain(&metadata.userinfo_endpoint) {
            let url: Url = parse(endpoint)?;
            if is_protected && url.scheme() != "https" {
                return Err(UpstreamError::Misconfigured(
                    "an endpoint is not protected by TLS, but the issuer is",
                ));
            }
        }
        let lacks = |list: &Option<Vec<String>>, name: &str| {
            list.as_ref().is_some_and(|list| !list.iter().any(|entry| entry == name))
        };
        if lacks(&metadata.response_types_supported, "code") {
            return Err(UpstreamError::Misconfigured("the provider does not issue authorization codes"));
        }
        // A list without S256 is a downgrade to `plain`, which protects from nothing (RFC 9700 §2.1.1).
        if lacks(&metadata.code_challenge_methods_supported, "S256") {
            return Err(UpstreamError::Misconfigured("the provider has PKCE, but not by S256"));
        }
        Ok(metadata)
    }

    /// How clients authenticate. Without a word it is Basic (Discovery §3).
    pub(crate) fn client_authentication(&self) -> ClientAuthentication {
        let has = |name: &str| {
            self.token_endpoint_auth_methods_supported
                .as_ref()
                .is_some_and(|list| list.iter().any(|entry| entry == name))
        };
        if !has("client_secret_basic") && has("client_secret_post") {
            ClientAuthentication::Post
        } else {
            ClientAuthentication::Basic
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const ISSUER: &str = "https://id.example/tenant";

    fn document() -> Value {
        json!({
            "issuer": ISSUER,
            "authorization_endpoint": "https://id.example/authorize",
            "token_endpoint": "https://id.example/token",
            "jwks_uri": "https://keys.example/jwks",
            "userinfo_endpoint": "https://id.example/me",
            "response_types_supported": ["code", "code id_token"],
            "code_challenge_methods_supported": ["plain", "S256"],
            "subject_types_supported": ["public"]
        })
    }

    fn read(issuer: &str, document: &Value) -> Result<Metadata, UpstreamError> {
        let body = document.to_string();
        let answer = Answer { status: 200, content_type: Some("application/json"), body: body.as_bytes() };
        Metadata::read(issuer, &answer)
    }

    fn changed(name: &str, value: Value) -> Value {
        let mut document = document();
        document[name] = value;
        document
    }

    #[test]
    fn the_document_stands_behind_the_issuer() {
        let url = |issuer: &str| request(issuer).map(|request| request.url.to_string());
        let expected = "https://id.example/tenant/.well-known/openid-configuration";
        assert_eq!(url(ISSUER).unwrap(), expected);
        assert_eq!(url("https://id.example/tenant/").unwrap(), expected);
        for issuer in ["", "id.example", "https://id.example?x", "https://id.example#x", "ftp://id.example"] {
            assert!(url(issuer).is_err(), "{issuer}");
        }
    }

    #[test]
    fn a_good_document_is_read() {
        let metadata = read(ISSUER, &document()).unwrap();
        assert_eq!(metadata.token_endpoint, "https://id.example/token");
        assert_eq!(metadata.client_authentication(), ClientAuthentication::Basic);
        let bare = read(
            ISSUER,
            &json!({"issuer": ISSUER, "authorization_endpoint": "https://a.example", "token_endpoint": "https://b.example", "jwks_uri": "https://c.example"}),
        );
        assert!(bare.is_ok());
        let post = changed(
            "token_endpoint_auth_methods_supported",
            json!(["client_secret_post", "private_key_jwt"]),
        );
        assert_eq!(read(ISSUER, &post).unwrap().client_authentication(), ClientAuthentication::Post);
    }

    #[test]
    fn the_document_of_another_issuer_is_refused() {
        for issuer in [
            "https://id.example/tenant/",
            "https://id.example",
            "https://id.example/tenant.evil",
            "https://ID.example/tenant",
            "http://id.example/tenant",
        ] {
            let outcome = read(issuer, &document());
            assert_eq!(outcome, Err(UpstreamError::MixedUp), "{issuer}");
        }
    }

    #[test]
    fn endpoints_that_weaken_the_issuer_are_refused() {
        for name in ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"] {
            for url in [
                "http://id.example/x",
                "file:///etc/passwd",
                "javascript:alert(1)",
                "https://u:p@id.example",
                "",
            ] {
                let outcome = read(ISSUER, &changed(name, json!(url)));
                assert!(matches!(outcome, Err(UpstreamError::Misconfigured(_))), "{name} {url}: {outcome:?}");
            }
        }
        let plain = json!({"issuer": "http://127.0.0.1:9", "authorization_endpoint": "http://127.0.0.1:9/a", "token_endpoint": "http://127.0.0.1:9/t", "jwks_uri": "http://127.0.0.1:9/k"});
        assert!(
            read("http://127.0.0.1:9", &plain).is_ok(),
            "a provider on the same machine, by configuration"
        );
    }

    #[test]
    fn a_provider_without_codes_or_with_a_weaker_pkce_is_refused() {
        for (name, value) in [
            ("response_types_supported", json!(["id_token"])),
            ("code_challenge_methods_supported", json!(["plain"])),
        ] {
            assert!(
                matches!(read(ISSUER, &changed(name, value)), Err(UpstreamError::Misconfigured(_))),
                "{name}"
            );
        }
    }

    #[test]
    fn what_is_no_document_is_refused() {
        for name in ["issuer", "authorization_endpoint", "token_endpoint", "jwks_uri"] {
            assert!(
                matches!(read(ISSUER, &changed(name, json!(null))), Err(UpstreamError::Garbled(_))),
                "{name}"
            );
        }
        for (status, body) in [(404, "{}"), (200, "[]"), (200, "<html>"), (200, "")] {
            let answer = Answer { status, content_type: None, body: body.as_bytes() };
            assert!(matches!(Metadata::read(ISSUER, &answer), Err(UpstreamError::Garbled(_))), "{body}");
        }
        let down = Answer { status: 503, content_type: None, body: b"" };
        assert!(matches!(Metadata::read(ISSUER, &down), Err(UpstreamError::Unavailable(_))));
    }
}
