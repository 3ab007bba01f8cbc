//! The token endpoint of a provider: codes and refresh tokens become access tokens (RFC 6749 §4.1.3, §5, §6). And what
//! an access token opens: the documents of the profile.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::form_urlencoded;

use crate::authorization::Client;
use crate::error::{UpstreamError, from_code};
use crate::pkce::Verifier;
use crate::profile::EMAILS;
use crate::request::{Answer, Request};
use crate::upstream::{ClientAuthentication, Upstream};

/// The longest token that is taken, bytes. Some carry groups and grow.
const LONGEST_TOKEN: usize = 16 * 1024;

/// The longest life of an access token that is believed, seconds.
const LONGEST_LIFE_SECONDS: i64 = 10 * 365 * 24 * 60 * 60;

/// What a provider gives for a code or a refresh token. Its Debug form shows no token; what it
/// is serialised to does, and is to be sealed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderTokens {
    /// Opens the provider's API.
    pub access_token: String,
    /// Gives new ones. A refresh that brings none leaves the old one as it is.
    pub refresh_token: Option<String>,
    /// Says who it is; unverified, see [`crate::id_token`].
    pub id_token: Option<String>,
    /// How long the access token lives, seconds; `None` if nobody knows.
    pub expires_in_seconds: Option<i64>,
    /// What was granted; `None` means: what was asked for (RFC 6749 §5.1).
    pub scopes: Option<Vec<String>>,
}

impl fmt::Debug for ProviderTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProviderTokens")
            .field("has_refresh_token", &self.refresh_token.is_some())
            .field("has_id_token", &self.id_token.is_some())
            .field("expires_in_seconds", &self.expires_in_seconds)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

impl Upstream {
    /// The request that redeems a code.
    ///
    /// # Errors
    /// [`UpstreamError::Misconfigured`] if the endpoint is no URL.
    pub fn code_request(
        &self,
        client: &Client,
        code: &str,
        verifier: &Verifier,
    ) -> Result<Request, UpstreamError> {
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", client.redirect_uri.as_str()),
        ];
        if self.has_pkce {
            form.push(("code_verifier", verifier.as_str()));
        }
        self.token_request(client, form)
    }

    /// The request that uses a refresh token, for the scopes that it has.
    ///
    /// # Errors
    /// [`UpstreamError::Misconfigured`] if the endpoint is no URL.
    pub fn refresh_request(&self, client: &Client, refresh_token: &str) -> Result<Request, UpstreamError> {
        self.token_request(client, vec![("grant_type", "refresh_token"), ("refresh_token", refresh_token)])
    }

    fn token_request<'f>(
        &self,
        client: &'f Client,
        mut form: Vec<(&'f str, &'f str)>,
    ) -> Result<Request, UpstreamError> {
        match self.client_authentication {
            ClientAuthentication::Post => {
                form.push(("client_id", &client.id));
                form.push(("client_secret", &client.secret));
                Request::post(&self.token_endpoint, &form)
            }
            ClientAuthentication::Basic => {
                let mut request = Request::post(&self.token_endpoint, &form)?;
                // Both are form-encoded first, so that a colon in the id separates nothing (RFC 6749 §2.3.1).
                let encoded =
                    |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
                let pair = format!("{}:{}", encoded(&client.id), encoded(&client.secret));
                request
                    .headers
                    .push(("authorization".to_owned(), format!("Basic {}", STANDARD.encode(pair))));
                Ok(request)
            }
        }
    }

    /// Reads the answer to a request for tokens.
    ///
    /// # Errors
    /// [`UpstreamError`]: what the provider says by a code of RFC 6749 §5.2, whatever the status; trouble at its side;
    /// an answer that is no answer.
    pub fn read_tokens(&self, answer: &Answer<'_>) -> Result<ProviderTokens, UpstreamError> {
        let members = members(answer)?;
        if let Some(error) = members.get("error") {
            // Facebook's is an object (with a text and a number) where the standard has a text.
            return Err(match error {
                Value::String(code) => from_code(code),
                _ => UpstreamError::Refused("an error without a readable code".to_owned()),
            });
        }
        if !(200..=299).contains(&answer.status) {
            return Err(UpstreamError::Refused(format!("status {}", answer.status)));
        }
        // Absent from some; but one of a type that we cannot use must not be used (RFC 6749 §7.1).
        let is_bearer = |kind: &Value| kind.as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("bearer"));
        if !members.get("token_type").is_none_or(is_bearer) {
            return Err(UpstreamError::Garbled("the token is no bearer token"));
        }
        let expires_in = match members.get("expires_in") {
            None | Some(Value::Null) => self.assumed_lifetime_seconds,
            Some(seconds) => Some(lifetime(seconds)?),
        };
        Ok(ProviderTokens {
            access_token: token(&members, "access_token")?
                .ok_or(UpstreamError::Garbled("there is no access token"))?,
            refresh_token: token(&members, "refresh_token")?,
            id_token: token(&members, "id_token")?,
            expires_in_seconds: expires_in,
            scopes: scopes(members.get("scope")),
        })
    }
}

/// The members of an answer: JSON, or a form, which is what GitHub and others once answered and some still do.
fn members(answer: &Answer<'_>) -> Result<Map<String, Value>, UpstreamError> {
    answer.is_readable()?;
    if answer.media_type() == "application/x-www-form-urlencoded" {
        let pairs = form_urlencoded::parse(answer.body);
        return Ok(pairs
            .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
            .collect());
    }
    match answer.json()? {
        Value::Object(members) => Ok(members),
        _ => Err(UpstreamError::Garbled("the answer is not a JSON object")),
    }
}

/// A token, which is visible ASCII (RFC 6749 appendix A.12): it is sent in headers later.
fn token(members: &Map<String, Value>, name: &str) -> Result<Option<String>, UpstreamError> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(token)) if token.is_empty() => Ok(None),
        Some(Value::String(token))
            if token.len() <= LONGEST_TOKEN && token.bytes().all(|b| b.is_ascii_graphic()) =>
        {
            Ok(Some(token.clone()))
        }
        Some(_) => Err(UpstreamError::Garbled("a token is no token")),
    }
}

/// Seconds, as a number or a text.
fn lifetime(seconds: &Value) -> Result<i64, UpstreamError> {
    let number = match seconds {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().map(whole)),
        _ => None,
    };
    match number {
        Some(seconds @ 0..) => Ok(seconds.min(LONGEST_LIFE_SECONDS)),
        _ => Err(UpstreamError::Garbled("the token's life is no number of seconds")),
    }
}

fn whole(seconds: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "the cast saturates")]
    let whole = seconds as i64;
    whole
}

/// Scopes are separated by spaces; GitHub has commas, Twitch a list.
fn scopes(scope: Option<&Value>) -> Option<Vec<String>> {
    let split = |text: &str| -> Vec<String> {
        let parts = text.split(|c: char| c == ',' || c.is_ascii_whitespace());
        parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
    };
    match scope? {
        Value::String(text) => Some(split(text)),
        Value::Array(list) => Some(list.iter().filter_map(Value::as_str).map(str::to_owned).collect()),
        _ => None,
    }
}

/// Reads a document of the profile.
///
/// # Errors
/// [`UpstreamError::EmailMissing`] if it is the one of the addresses and we may not have it;
/// [`UpstreamError::Refused`] for other refusals; trouble at the provider's side; an answer that is no answer.
pub fn read_document(name: &str, answer: &Answer<'_>) -> Result<Value, UpstreamError> {
    answer.is_readable()?;
    match answer.status {
        200..=299 => answer.json(),
        401 | 403 | 404 if name == EMAILS => Err(UpstreamError::EmailMissing),
        status => Err(UpstreamError::Refused(format!("status {status}"))),
    }
}

/// What the answer to a [check request](Upstream::check_request) says about the access token: whether it is good.
/// Refusals of another kind, for want of a scope or by a limit, say nothing against it.
///
/// # Errors
/// Trouble at the provider's side; an answer that is no answer.
pub fn is_accepted(answer: &Answer<'_>) -> Result<bool, UpstreamError> {
    answer.is_readable()?;
    match answer.status {
        200..=299 => answer.json().map(|_| true),
        // RFC 6750 §3.1: `invalid_token`.
        401 => Ok(false),
        400 => Ok(!answer.json().is_ok_and(|body| names_bad_token(&body["error"]))),
        _ => Ok(true),
    }
}

/// Whether an error with status 400 is about the token: by its code, or as Facebook says it.
fn names_bad_token(error: &Value) -> bool {
    error == "invalid_token" || error["code"] == 190
}

#[cfg(test)]
mod tests;
