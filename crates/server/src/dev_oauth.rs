//! The built-in OpenID Connect provider of `dev`: what stands behind providers that a project configures as shared, so
//! that signing in through them works without an account anywhere. Discovery, PKCE by S256, refresh tokens that
//! rotate, a page with a button for each user, and buttons for what may go wrong. Does not exist outside `dev`.

mod page;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::RawQuery;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use latchkey_crypto::Random;
use latchkey_identity::Clock;
use latchkey_jose::{SigningKey, VerifyingKey};
use latchkey_oauth::pkce::Challenge;
use latchkey_oauth::redirect::with_parameters;
use serde_json::{Value, json};
use url::Url;

/// Where it is, below the public URL.
const PATH: &str = "/dev/oauth";

/// The users who have a button: address and name.
const USERS: [(&str, &str); 3] = [
    ("ada@example.com", "Ada Lovelace"),
    ("alan@example.com", "Alan Turing"),
    ("grace@example.com", "Grace Hopper"),
];

/// How long access tokens and ID tokens live, seconds.
const LIFETIME: i64 = 3600;

/// The provider: its key and what it has given out, in memory.
pub struct MockProvider {
    issuer: String,
    callbacks: String,
    key: SigningKey,
    random: Random,
    clock: Arc<dyn Clock>,
    given: Mutex<Given>,
}

#[derive(Default)]
struct Given {
    codes: HashMap<String, Grant>,
    access_tokens: HashMap<String, String>,
    refresh_tokens: HashMap<String, Grant>,
}

/// What somebody agreed to.
#[derive(Clone)]
struct Grant {
    client_id: String,
    redirect_uri: String,
    challenge: Challenge,
    nonce: Option<String>,
    scope: String,
    subject: String,
    /// What goes wrong at the token endpoint.
    fault: Option<String>,
}

type Fields = HashMap<String, String>;

fn fields(text: &str) -> Fields {
    url::form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

fn json_answer(status: StatusCode, body: &Value) -> Response {
    let headers = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")];
    (status, headers, body.to_string()).into_response()
}

fn error(code: &str) -> Response {
    json_answer(StatusCode::BAD_REQUEST, &json!({ "error": code }))
}

impl MockProvider {
    /// A provider with a key of its own, for a server at `public_url`.
    ///
    /// # Errors
    /// A sentence, if there are no random bytes.
    pub fn new(public_url: &str, clock: Arc<dyn Clock>, random: Random) -> Result<Arc<Self>, String> {
        Ok(Arc::new(Self {
            issuer: format!("{public_url}{PATH}"),
            callbacks: format!("{public_url}/api/v1/auth/oauth/callback/"),
            key: SigningKey::generate().map_err(|error| error.to_string())?,
            random,
            clock,
            given: Mutex::default(),
        }))
    }

    /// Its name, which is where its discovery document is.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Its pages and endpoints.
    pub fn pages(self: &Arc<Self>) -> Router {
        let at = |name: &str| format!("{PATH}/{name}");
        let this = || Arc::clone(self);
        let (discovery, keys, asked, agreed, token, person) =
            (this(), this(), this(), this(), this(), this());
        Router::new()
            .route(
                &at(".well-known/openid-configuration"),
                get(move || async move { json_answer(StatusCode::OK, &discovery.metadata()) }),
            )
            .route(
                &at("jwks"),
                get(move || async move {
                    json_answer(StatusCode::OK, &json!({ "keys": [keys.key.public_jwk()] }))
                }),
            )
            .route(
                &at("authorize"),
                get(move |RawQuery(query): RawQuery| async move {
                    asked.ask(&fields(query.as_deref().unwrap_or_default()))
                })
                .post(move |body: String| async move { agreed.agree(&fields(&body)) }),
            )
            .route(
                &at("token"),
                post(move |headers: HeaderMap, body: String| async move {
                    token.exchange(&headers, &fields(&body))
                }),
            )
            .route(&at("userinfo"), get(move |headers: HeaderMap| async move { person.userinfo(&headers) }))
    }

    fn metadata(&self) -> Value {
        let at = |name: &str| format!("{}/{name}", self.issuer);
        json!({
            "issuer": self.issuer,
            "authorization_endpoint": at("authorize"),
            "token_endpoint": at("token"),
            "userinfo_endpoint": at("userinfo"),
            "jwks_uri": at("jwks"),
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "authorization_response_iss_parameter_supported": true,
        })
    }

    fn given(&self) -> MutexGuard<'_, Given> {
        self.given.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads an authorization request; the error is a sentence for whoever wrote the client.
    fn read(&self, fields: &Fields) -> Result<(Grant, Url), &'static str> {
        let field = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
        let redirect_uri = field("redirect_uri");
        if !redirect_uri.starts_with(&self.callbacks) {
            return Err("redirect_uri is not a callback of this server");
        }
        let url = Url::parse(redirect_uri).map_err(|_| "redirect_uri is not a URL")?;
        if field("response_type") != "code" || !field("scope").split(' ').any(|scope| scope == "openid") {
            return Err("response_type must be code, and scope must have openid");
        }
        if field("client_id").is_empty() {
            return Err("client_id is missing");
        }
        if field("code_challenge_method") != "S256" {
            return Err("code_challenge_method must be S256");
        }
        let challenge =
            Challenge::parse("S256", field("code_challenge")).map_err(|_| "code_challenge is not one")?;
        let grant = Grant {
            client_id: field("client_id").to_owned(),
            redirect_uri: redirect_uri.to_owned(),
            challenge,
            nonce: fields.get("nonce").cloned(),
            scope: field("scope").to_owned(),
            subject: String::new(),
            fault: None,
        };
        Ok((grant, url))
    }

    /// The page on which somebody chooses who to be.
    fn ask(&self, fields: &Fields) -> Response {
        match self.read(fields) {
            Err(text) => (StatusCode::BAD_REQUEST, text).into_response(),
            Ok((grant, _)) => {
                let headers = [
                    (CONTENT_TYPE, "text/html; charset=utf-8"),
                    (CONTENT_SECURITY_POLICY, page::POLICY),
                    (CACHE_CONTROL, "no-store"),
                ];
                (headers, page::choice(&grant.client_id, &USERS, fields)).into_response()
            }
        }
    }

    /// Somebody has chosen: back to the client.
    fn agree(&self, fields: &Fields) -> Response {
        let (mut grant, url) = match self.read(fields) {
            Ok(read) => read,
            Err(text) => return (StatusCode::BAD_REQUEST, text).into_response(),
        };
        let state = fields.get("state").map(String::as_str).unwrap_or_default();
        let fault = fields.get("fault").filter(|fault| !fault.is_empty()).cloned();
        let mut issuer = self.issuer.as_str();
        let code;
        let outcome = if let Some(error @ ("access_denied" | "temporarily_unavailable")) = fault.as_deref() {
            ("error", error)
        } else {
            let subject = fields.get("sub").map(String::as_str).unwrap_or_default().trim();
            if subject.is_empty() {
                return (StatusCode::BAD_REQUEST, "nobody was chosen").into_response();
            }
            if fault.as_deref() == Some("mixed_up") {
                issuer = "https://another.example";
            }
            subject.clone_into(&mut grant.subject);
            grant.fault.clone_from(&fault);
            code = self.random.token();
            self.given().codes.insert(code.clone(), grant);
            ("code", code.as_str())
        };
        let url = with_parameters(&url, &[outcome, ("state", state), ("iss", issuer)]);
        (StatusCode::SEE_OTHER, [(LOCATION, url.as_str())]).into_response()
    }

    /// RFC 6749 §4.1.3 and §6.
    fn exchange(&self, headers: &HeaderMap, fields: &Fields) -> Response {
        let Some(client_id) = client_of(headers, fields) else {
            return json_answer(StatusCode::UNAUTHORIZED, &json!({ "error": "invalid_client" }));
        };
        let field = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
        let grant = match field("grant_type") {
            "authorization_code" => self.given().codes.remove(field("code")).filter(|grant| {
                grant.redirect_uri == field("redirect_uri")
                    && grant.challenge.is_met_by(field("code_verifier"))
            }),
            "refresh_token" => self.given().refresh_tokens.remove(field("refresh_token")),
            _ => return error("unsupported_grant_type"),
        };
        let Some(grant) = grant.filter(|grant| grant.client_id == client_id) else {
            return error("invalid_grant");
        };
        match grant.fault.as_deref() {
            Some("down") => (StatusCode::SERVICE_UNAVAILABLE, "down").into_response(),
            Some("garbage") => ([(CONTENT_TYPE, "text/html")], "<html>It works!</html>").into_response(),
            Some("invalid_grant") => error("invalid_grant"),
            _ => self.tokens(grant),
        }
    }

    fn tokens(&self, grant: Grant) -> Response {
        let (access_token, refresh_token) = (self.random.token(), self.random.token());
        let Some(id_token) = self.id_token(&grant, &access_token) else { return error("server_error") };
        let scope = grant.scope.clone();
        let mut given = self.given();
        given.access_tokens.insert(access_token.clone(), grant.subject.clone());
        given.refresh_tokens.insert(refresh_token.clone(), Grant { nonce: None, fault: None, ..grant });
        drop(given);
        let body = json!({
            "access_token": access_token, "token_type": "Bearer", "expires_in": LIFETIME,
            "refresh_token": refresh_token, "id_token": id_token, "scope": scope,
        });
        json_answer(StatusCode::OK, &body)
    }

    fn id_token(&self, grant: &Grant, access_token: &str) -> Option<String> {
        let fault = grant.fault.as_deref().unwrap_or_default();
        let spoiled =
            |name: &str, good: &str| if fault == name { "spoiled".to_owned() } else { good.to_owned() };
        let now = self.clock.now_seconds();
        let public = VerifyingKey::from_jwk(&self.key.public_jwk()).ok()?;
        let exp = if fault == "expired" { now - LIFETIME } else { now + LIFETIME };
        let mut claims = json!({
            "iss": spoiled("issuer", &self.issuer),
            "aud": spoiled("audience", &grant.client_id),
            "sub": grant.subject,
            "iat": now,
            "exp": exp,
            "at_hash": spoiled("access_token", &public.left_half_hash(access_token)),
            "name": name_of(&grant.subject),
            "email": grant.subject,
            "email_verified": true,
        });
        if let Some(nonce) = &grant.nonce {
            claims["nonce"] = spoiled("nonce", nonce).into();
        }
        let token = match fault {
            // Signed by somebody else who takes this key's id.
            "key" => SigningKey::generate().ok()?.with_kid(self.key.kid()).ok()?.sign(&claims),
            _ => self.key.sign(&claims),
        };
        token.ok()
    }

    fn userinfo(&self, headers: &HeaderMap) -> Response {
        let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let token = header.strip_prefix("Bearer ").unwrap_or_default();
        match self.given().access_tokens.get(token) {
            Some(subject) => json_answer(
                StatusCode::OK,
                &json!({
                    "sub": subject, "name": name_of(subject), "email": subject, "email_verified": true,
                }),
            ),
            None => json_answer(StatusCode::UNAUTHORIZED, &json!({ "error": "invalid_token" })),
        }
    }
}

/// The client of a request, by header or form. Any secret will do, but there must be one.
fn client_of(headers: &HeaderMap, fields: &Fields) -> Option<String> {
    use base64::Engine as _;
    let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    if let Some(basic) = header.and_then(|header| header.strip_prefix("Basic ")) {
        let pair = base64::engine::general_purpose::STANDARD.decode(basic).ok()?;
        let pair = String::from_utf8(pair).ok()?;
        let (id, secret) = pair.split_once(':')?;
        let id = url::form_urlencoded::parse(format!("id={id}").as_bytes()).next()?.1.into_owned();
        return (!secret.is_empty()).then_some(id);
    }
    fields.get("client_secret").filter(|secret| !secret.is_empty())?;
    fields.get("client_id").cloned()
}

fn name_of(subject: &str) -> &str {
    USERS.iter().find(|(address, _)| *address == subject).map_or("Somebody", |(_, name)| name)
}
