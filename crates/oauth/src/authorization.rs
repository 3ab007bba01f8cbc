//! The way through the browser: where it is sent (RFC 6749 §4.1.1), and what it brings back (§4.1.2).

use std::fmt;

use serde_json::Value;
use url::Url;

use crate::error::{UpstreamError, from_code};
use crate::pkce::Verifier;
use crate::redirect::with_parameters;
use crate::request::parse;
use crate::upstream::{IdTokenUse, Upstream};

/// The longest code that is taken, bytes.
const LONGEST_CODE: usize = 4096;

/// We, as a client of a provider. Its Debug form does not show the secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Client {
    /// Client id.
    pub id: String,
    /// The secret to be sent; see [`crate::client_secret`].
    pub secret: String,
    /// Where the provider sends the browser back to.
    pub redirect_uri: String,
}

impl Client {
    /// A client.
    pub fn new(id: impl Into<String>, secret: impl Into<String>, redirect_uri: impl Into<String>) -> Self {
        Self { id: id.into(), secret: secret.into(), redirect_uri: redirect_uri.into() }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("id", &self.id)
            .field("redirect_uri", &self.redirect_uri)
            .finish_non_exhaustive()
    }
}

/// One authorization request. `state`, `nonce` and `verifier` are fresh for each, kept beside each other, and none can
/// be computed from another.
#[derive(Debug, Clone, Copy)]
pub struct Authorization<'a> {
    /// We.
    pub client: &'a Client,
    /// Ties what comes back to what was sent.
    pub state: &'a str,
    /// Ties the ID token to what was sent.
    pub nonce: &'a str,
    /// Ties the code to us.
    pub verifier: &'a Verifier,
    /// Scopes beside those that are always asked for.
    pub extra_scopes: &'a [&'a str],
}

impl Authorization<'_> {
    /// Where the browser is sent.
    ///
    /// # Errors
    /// [`UpstreamError::Misconfigured`] if the endpoint is no URL, or an extra scope is none (RFC 6749 §3.3).
    pub fn url(&self, upstream: &Upstream) -> Result<Url, UpstreamError> {
        let scope = scope(&upstream.scopes, self.extra_scopes)?;
        let challenge = self.verifier.challenge();
        let mut parameters = vec![
            ("response_type", "code"),
            ("client_id", self.client.id.as_str()),
            ("redirect_uri", self.client.redirect_uri.as_str()),
            ("scope", scope.as_str()),
            ("state", self.state),
            // A refresh token is wanted, which many give only if the person is asked.
            ("access_type", "offline"),
            ("prompt", "consent"),
        ];
        if upstream.has_pkce {
            parameters.push(("code_challenge", challenge.value()));
            parameters.push(("code_challenge_method", challenge.method().as_str()));
        }
        if upstream.id_token != IdTokenUse::Ignored {
            parameters.push(("nonce", self.nonce));
        }
        let own = &upstream.authorize_parameters;
        parameters.extend(own.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        Ok(with_parameters(&parse(&upstream.authorization_endpoint)?, &parameters))
    }
}

/// All scopes, each once.
fn scope(always: &[String], extra: &[&str]) -> Result<String, UpstreamError> {
    let mut scopes: Vec<&str> = Vec::new();
    for scope in always.iter().map(String::as_str).chain(extra.iter().copied()) {
        if !is_scope(scope) {
            return Err(UpstreamError::Misconfigured("a scope has characters that no scope has"));
        }
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    Ok(scopes.join(" "))
}

/// Whether a text is one scope (RFC 6749 §3.3).
pub fn is_scope(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\')
}

/// The state that came back, by which the request is found; `None` unless there is exactly one.
pub fn returned_state(parameters: &[(String, String)]) -> Option<&str> {
    single(parameters, "state").ok().flatten()
}

/// The code that came back.
///
/// First it is made sure that the answer is from the provider that was asked (RFC 9207 §2.4), also if it is a refusal.
///
/// # Errors
/// [`UpstreamError::MixedUp`]; [`UpstreamError::Denied`], [`UpstreamError::Unavailable`] and [`UpstreamError::Refused`]
/// by the provider's word; [`UpstreamError::Garbled`] if there is no code, or a parameter stands there twice (RFC 6749
/// §3.1).
pub fn returned_code(upstream: &Upstream, parameters: &[(String, String)]) -> Result<String, UpstreamError> {
    let issuer = single(parameters, "iss")?;
    if !is_from(upstream, issuer) {
        return Err(UpstreamError::MixedUp);
    }
    if let Some(error) = single(parameters, "error")? {
        return Err(from_code(error));
    }
    match single(parameters, "code")? {
        Some(code) if !code.is_empty() && code.len() <= LONGEST_CODE => Ok(code.to_owned()),
        _ => Err(UpstreamError::Garbled("there is no code")),
    }
}

/// Whether an answer with this `iss` is from the provider. One that is not known to name itself, and does, names a
/// place at its own origin.
fn is_from(upstream: &Upstream, issuer: Option<&str>) -> bool {
    match issuer {
        None => !upstream.announces_issuer,
        Some(name) if upstream.issuers.is_empty() => {
            let origin = |url: &str| Url::parse(url).map(|url| url.origin()).ok();
            origin(name).is_some_and(|named| Some(named) == origin(&upstream.authorization_endpoint))
        }
        Some(name) => upstream.issuers.iter().any(|issuer| issuer.is(name)),
    }
}

/// What Apple says about the person beside the code, the first time only: the document `form` of the profile.
pub fn returned_person(parameters: &[(String, String)]) -> Option<Value> {
    let text = single(parameters, "user").ok()??;
    serde_json::from_str(text).ok()
}

fn single<'p>(parameters: &'p [(String, String)], name: &str) -> Result<Option<&'p str>, UpstreamError> {
    let mut found = parameters.iter().filter(|(other, _)| other == name);
    match (found.next(), found.next()) {
        (_, Some(_)) => Err(UpstreamError::Garbled("a parameter stands there twice")),
        (value, None) => Ok(value.map(|(_, value)| value.as_str())),
    }
}

#[cfg(test)]
mod tests;
