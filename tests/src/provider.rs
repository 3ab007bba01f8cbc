//! A provider of OAuth 2.0 and OpenID Connect on a port of its own: strict about codes, clients and PKCE, and where a
//! test says so it answers anything at all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use latchkey_jose::SigningKey;
use latchkey_oauth::pkce::Challenge;
use latchkey_testkit::{Answer, TestServer};
use reqwest::Url;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};

use crate::oauth::{AtProvider, Returning};
use crate::receiver::{Received, read};

/// Our client id there.
pub const CLIENT_ID: &str = "our-client";
/// Our secret there.
pub const CLIENT_SECRET: &str = "our: secret";

/// Writes settings of a project's providers as an administrator does.
pub async fn write(server: &TestServer, providers: &Value) -> Answer {
    let mut keys = json!({});
    for (id, settings) in providers.as_object().expect("providers") {
        keys[format!("auth.oauth.providers.{id}")] = settings.clone();
    }
    let body = json!({ "config_override_string": keys.to_string() });
    server.patch("/internal/config/override/environment").admin().json(&body).send().await
}

/// Gives a project a provider with credentials of its own and these settings.
pub async fn configure(server: &TestServer, id: &str, more: &Value) {
    let own = json!({
        "allowSignIn": true, "allowConnectedAccounts": true, "isShared": false, "clientId": CLIENT_ID,
        "clientSecret": CLIENT_SECRET,
    });
    write(server, &json!({ id: merged(own, more) })).await.expect(200);
}

/// What a path answers.
#[derive(Clone, Debug)]
pub enum Reply {
    /// 200 with JSON.
    Json(Value),
    /// This status, type and body.
    Raw(u16, &'static str, String),
    /// A redirect to this place.
    Redirect(String),
    /// Nothing, while the connection stays open.
    Silence,
    /// A body that never ends.
    Endless,
}

/// What somebody agreed to.
#[derive(Clone)]
struct Grant {
    client_id: String,
    redirect_uri: String,
    challenge: Option<Challenge>,
    claims: Value,
    person: Value,
}

#[derive(Default)]
struct State {
    replies: HashMap<String, Reply>,
    codes: HashMap<String, Grant>,
    access_tokens: HashMap<String, Value>,
    requests: Vec<Received>,
    /// Members that are laid over the claims of the next ID tokens.
    claims: Value,
    /// Makes the next ID tokens of their claims.
    forge: Option<Forge>,
    trusts_any_secret: bool,
    count: usize,
}

type Forge = Box<dyn Fn(&Value) -> String + Send>;

struct Inner {
    url: String,
    key: SigningKey,
    state: Mutex<State>,
    arrived: Notify,
}

/// A provider; gone when dropped.
pub struct Provider {
    inner: Arc<Inner>,
    task: JoinHandle<()>,
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Provider {
    /// Starts one.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let inner = Arc::new(Inner {
            url: format!("http://{}", listener.local_addr().expect("an address")),
            key: SigningKey::generate().expect("a key"),
            state: Mutex::default(),
            arrived: Notify::new(),
        });
        let held = Arc::clone(&inner);
        let task = tokio::spawn(async move {
            // Dropped along with the provider, so that it breaks off what it did not answer.
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let held = Arc::clone(&held);
                connections.spawn(async move { held.serve(stream).await });
            }
        });
        Self { inner, task }
    }

    /// Where it listens; its issuer, too.
    pub fn url(&self) -> &str {
        &self.inner.url
    }

    /// The settings of a project that knows it by its discovery document.
    pub fn oidc(&self) -> Value {
        json!({ "type": "oidc", "issuer": self.url() })
    }

    /// The key that signs its ID tokens.
    pub fn key(&self) -> &SigningKey {
        &self.inner.key
    }

    /// From now on a path answers this.
    pub fn answers(&self, path: &str, reply: Reply) {
        self.inner.state().replies.insert(path.to_owned(), reply);
    }

    /// From now on its discovery document says this besides.
    pub fn says(&self, members: &Value) {
        let document = merged(self.inner.discovery(), members);
        self.answers("/.well-known/openid-configuration", Reply::Json(document));
    }

    /// From now on its ID tokens say this besides; null takes a claim away.
    pub fn claims(&self, members: &Value) {
        self.inner.state().claims = members.clone();
    }

    /// From now on its ID tokens are made by somebody else of the claims that it would have signed.
    pub fn forges(&self, forge: impl Fn(&Value) -> String + Send + 'static) {
        self.inner.state().forge = Some(Box::new(forge));
    }

    /// From now on it takes any secret, for tests that look at it themselves.
    pub fn trusts_any_secret(&self) {
        self.inner.state().trusts_any_secret = true;
    }

    /// The requests that have come, oldest first.
    pub fn requests(&self) -> Vec<Received> {
        self.inner.state().requests.clone()
    }

    /// Waits until so many requests to a path have come.
    pub async fn wait_for(&self, path: &str, count: usize) {
        loop {
            let arrived = self.inner.arrived.notified();
            if self.requests().iter().filter(|request| path_of(request) == path).count() >= count {
                return;
            }
            arrived.await;
        }
    }

    /// Somebody agrees and goes back: with a code, and the issuer as parameters beside it say.
    pub fn agree<'s>(&self, at: AtProvider<'s>, person: &Value, beside: &[(&str, &str)]) -> Returning<'s> {
        let code = self.code(&at, person);
        let parameters: Vec<_> =
            [("code", code.as_str())].into_iter().chain(beside.iter().copied()).collect();
        at.back(&parameters)
    }

    /// Somebody agrees: the code.
    pub fn code(&self, at: &AtProvider<'_>, person: &Value) -> String {
        let parameter = |name: &str| at.parameter(name);
        let challenge = parameter("code_challenge").map(|challenge| {
            let method = parameter("code_challenge_method").expect("a method");
            Challenge::parse(&method, &challenge).expect("a challenge")
        });
        let now = at.now_seconds();
        let client_id = parameter("client_id").expect("a client id");
        let claims = json!({
            "iss": self.url(), "aud": client_id, "iat": now, "exp": now + 3600, "nonce": parameter("nonce"),
        });
        let redirect_uri = parameter("redirect_uri").expect("a callback");
        let grant = Grant { client_id, redirect_uri, challenge, claims, person: person.clone() };
        let mut state = self.inner.state();
        let code = state.fresh("code");
        state.codes.insert(code.clone(), grant);
        code
    }
}

impl State {
    fn fresh(&mut self, kind: &str) -> String {
        self.count += 1;
        format!("{kind}-{}", self.count)
    }
}

fn merged(mut base: Value, members: &Value) -> Value {
    let base_members = base.as_object_mut().expect("an object");
    for (name, value) in members.as_object().into_iter().flatten() {
        base_members.insert(name.clone(), value.clone());
        if value.is_null() {
            base_members.remove(name);
        }
    }
    base
}

fn path_of(request: &Received) -> &str {
    let target = request.target.split_once(' ').map_or("", |(_, target)| target);
    target.split('?').next().unwrap_or_default()
}

fn fields(text: &str) -> HashMap<String, String> {
    let url = Url::parse(&format!("http://form/?{text}")).expect("a form");
    url.query_pairs().into_owned().collect()
}

/// Id and secret of a client by the header (RFC 6749 §2.3.1) or the form; an error for both at once.
fn client_of(request: &Received, form: &HashMap<String, String>) -> Option<(String, String)> {
    use base64::Engine as _;
    let in_form = form.get("client_id").cloned().zip(form.get("client_secret").cloned());
    let Some(header) = request.headers.get("authorization") else { return in_form };
    let pair = base64::engine::general_purpose::STANDARD.decode(header.strip_prefix("Basic ")?).ok()?;
    let pair = String::from_utf8(pair).ok()?;
    let (id, secret) = pair.split_once(':')?;
    let decoded = |text: &str| fields(&format!("x={text}")).remove("x");
    in_form.is_none().then_some((decoded(id)?, decoded(secret)?))
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn discovery(&self) -> Value {
        let at = |name: &str| format!("{}/{name}", self.url);
        json!({
            "issuer": self.url, "authorization_endpoint": at("authorize"), "token_endpoint": at("token"),
            "userinfo_endpoint": at("userinfo"), "jwks_uri": at("jwks"), "response_types_supported": ["code"],
            "authorization_response_iss_parameter_supported": true,
        })
    }

    async fn serve(&self, mut stream: TcpStream) {
        while let Some(request) = read(&mut stream).await {
            let reply = self.reply(&request);
            self.state().requests.push(request);
            self.arrived.notify_waiters();
            if respond(&mut stream, reply).await.is_err() {
                return;
            }
        }
    }

    fn reply(&self, request: &Received) -> Reply {
        let path = path_of(request);
        if let Some(reply) = self.state().replies.get(path) {
            return reply.clone();
        }
        let form = fields(&request.body);
        if form.contains_key("grant_type") {
            return self.tokens(request, &form);
        }
        match path {
            "/.well-known/openid-configuration" => Reply::Json(self.discovery()),
            "/jwks" => Reply::Json(json!({ "keys": [self.key.public_jwk()] })),
            _ => {
                let header = request.headers.get("authorization").map(String::as_str).unwrap_or_default();
                let token = header.strip_prefix("Bearer ").unwrap_or_default();
                match self.state().access_tokens.get(token) {
                    Some(person) => Reply::Json(person.clone()),
                    None => refuse(401, "invalid_token"),
                }
            }
        }
    }

    /// RFC 6749 §4.1.3, RFC 7636 §4.6.
    fn tokens(&self, request: &Received, form: &HashMap<String, String>) -> Reply {
        let mut state = self.state();
        let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
        let Some((id, secret)) = client_of(request, form) else { return refuse(401, "invalid_client") };
        let grant = state.codes.remove(field("code")).filter(|grant| {
            let verifier = form.get("code_verifier");
            grant.client_id == id
                && grant.redirect_uri == field("redirect_uri")
                && match (&grant.challenge, verifier) {
                    (Some(challenge), Some(verifier)) => challenge.is_met_by(verifier),
                    (None, None) => true,
                    _ => false,
                }
        });
        let Some(grant) = grant.filter(|_| secret == CLIENT_SECRET || state.trusts_any_secret) else {
            return refuse(400, "invalid_grant");
        };
        let access_token = state.fresh("access-token");
        let claims = merged(merged(grant.claims, &grant.person), &state.claims);
        state.access_tokens.insert(access_token.clone(), grant.person);
        let id_token = match &state.forge {
            Some(forge) => forge(&claims),
            None => self.key.sign(&claims).expect("an ID token"),
        };
        Reply::Json(json!({ "access_token": access_token, "token_type": "Bearer", "id_token": id_token }))
    }
}

fn refuse(status: u16, error: &str) -> Reply {
    Reply::Raw(status, "application/json", json!({ "error": error }).to_string())
}

async fn respond(stream: &mut TcpStream, reply: Reply) -> std::io::Result<()> {
    let (status, kind, body) = match reply {
        Reply::Json(value) => (200, "application/json", value.to_string()),
        Reply::Raw(status, kind, body) => (status, kind, body),
        Reply::Redirect(to) => {
            let head = format!("HTTP/1.1 307 X\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n");
            return stream.write_all(head.as_bytes()).await;
        }
        Reply::Silence => std::future::pending().await,
        Reply::Endless => {
            let head = "HTTP/1.1 200 X\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n\"";
            stream.write_all(head.as_bytes()).await?;
            loop {
                stream.write_all(&vec![b'a'; 64 * 1024]).await?;
            }
        }
    };
    let head =
        format!("HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await
}
