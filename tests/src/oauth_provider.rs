//! An OpenID Connect provider on a port of its own, for what happens between the server and a provider. It counts what
//! is asked of it, replaces refresh tokens and ends the grant when an old one comes again, and has the trouble that it
//! is told to have.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use latchkey_jose::SigningKey;
use latchkey_testkit::TestServer;
use reqwest::Url;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};
use tokio::task::{JoinHandle, JoinSet};

use crate::oauth::{self, Flow};
use crate::people::Person;
use crate::receiver::{Received, read};

/// When every test begins, epoch seconds.
const START: i64 = 1_767_225_600;

/// What goes wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing.
    #[default]
    None,
    /// An answer with this status and no sense.
    Status(u16),
    /// An error by this code.
    Code(&'static str),
    /// A page instead of an answer.
    Garbage,
    /// No answer at all.
    Silence,
}

/// How the provider behaves.
#[derive(Clone, Debug)]
pub struct Behaviour {
    /// What it says that it granted; it says nothing if this is `None`.
    pub scope: Option<String>,
    /// How long its access tokens live, seconds.
    pub expires_in: Option<i64>,
    /// Whether it gives refresh tokens.
    pub gives_refresh_tokens: bool,
    /// Whether each refresh replaces the refresh token, and an old one that comes again ends the grant.
    pub rotates: bool,
    /// What goes wrong when a token is refreshed.
    pub at_refresh: Trouble,
    /// What goes wrong when it is asked about a token.
    pub at_userinfo: Trouble,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            scope: Some("openid offline_access".to_owned()),
            expires_in: Some(3600),
            gives_refresh_tokens: true,
            rotates: true,
            at_refresh: Trouble::None,
            at_userinfo: Trouble::None,
        }
    }
}

#[derive(Clone, Default)]
struct Grant {
    subject: String,
    nonce: Option<String>,
    number: usize,
}

#[derive(Default)]
struct Given {
    codes: HashMap<String, Grant>,
    access_tokens: HashMap<String, Grant>,
    refresh_tokens: HashMap<String, Grant>,
    replaced: HashMap<String, Grant>,
    count: usize,
}

impl Given {
    fn next(&mut self, kind: &str) -> String {
        self.count += 1;
        format!("{kind}-token-of-the-provider-{}", self.count)
    }

    fn end(&mut self, number: usize) {
        self.access_tokens.retain(|_, grant| grant.number != number);
        self.refresh_tokens.retain(|_, grant| grant.number != number);
    }
}

struct State {
    issuer: String,
    key: SigningKey,
    behaviour: Mutex<Behaviour>,
    given: Mutex<Given>,
    asked: Mutex<Vec<String>>,
    arrived: Notify,
    /// Refreshes wait here while it is closed.
    gate: Mutex<Option<Arc<Semaphore>>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The provider; gone when dropped.
pub struct OauthProvider {
    state: Arc<State>,
    task: JoinHandle<()>,
}

impl Drop for OauthProvider {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl OauthProvider {
    /// Starts one, and a twin of `server` behind whose shared providers it stands.
    pub async fn beside(server: &TestServer) -> (Self, TestServer) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let issuer = format!("http://{}", listener.local_addr().expect("an address"));
        let state = Arc::new(State {
            issuer: issuer.clone(),
            key: SigningKey::generate().expect("a key"),
            behaviour: Mutex::default(),
            given: Mutex::default(),
            asked: Mutex::default(),
            arrived: Notify::new(),
            gate: Mutex::default(),
        });
        let held = Arc::clone(&state);
        let task = tokio::spawn(async move {
            // Connections go with the listener.
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, Arc::clone(&held)));
            }
        });
        let twin = server.twin_with(|builder| {
            builder
                .config("oauth.shared.issuer", &issuer)
                .config("oauth.shared.hands_out_access_tokens", "true")
        });
        (Self { state, task }, twin.await)
    }

    /// Changes how it behaves from now on.
    pub fn behave(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut locked(&self.state.behaviour));
    }

    /// How often this was asked: `authorization_code`, `refresh_token` or `userinfo`.
    pub fn count(&self, what: &str) -> usize {
        locked(&self.state.asked).iter().filter(|asked| *asked == what).count()
    }

    /// Waits until this was asked so often.
    pub async fn wait_for(&self, what: &str, count: usize) {
        loop {
            let arrived = self.state.arrived.notified();
            if self.count(what) >= count {
                return;
            }
            arrived.await;
        }
    }

    /// Lets refreshes wait until the gate is opened again.
    pub fn close_gate(&self) {
        *locked(&self.state.gate) = Some(Arc::new(Semaphore::new(0)));
    }

    /// Lets those go on that wait.
    pub fn open_gate(&self) {
        if let Some(gate) = locked(&self.state.gate).take() {
            gate.add_permits(Semaphore::MAX_PERMITS);
        }
    }

    /// Accepts an access token no more.
    pub fn revoke_access_token(&self, token: &str) {
        locked(&self.state.given).access_tokens.remove(token).expect("a token that was given");
    }

    /// Accepts no token any more that was given before.
    pub fn revoke_everything(&self) {
        let mut given = locked(&self.state.given);
        given.access_tokens.clear();
        given.refresh_tokens.clear();
    }

    /// Every token that it ever gave.
    pub fn tokens(&self) -> Vec<String> {
        let count = locked(&self.state.given).count;
        let kinds =
            |number| ["access", "refresh"].map(|kind| format!("{kind}-token-of-the-provider-{number}"));
        (1..=count).flat_map(kinds).collect()
    }

    /// Whether an access token was given to somebody.
    pub fn belongs_to(&self, token: &str, subject: &str) -> bool {
        locked(&self.state.given).access_tokens.get(token).is_some_and(|grant| grant.subject == subject)
    }

    /// Somebody agrees at the page that a browser was sent to; where the browser goes then.
    pub fn agree(&self, page: &Url, subject: &str) -> Url {
        let parameter = |name: &str| {
            page.query_pairs().find(|(other, _)| other == name).map(|(_, value)| value.into_owned())
        };
        let mut given = locked(&self.state.given);
        let code = given.next("code");
        let number = given.count;
        let grant = Grant { subject: subject.to_owned(), nonce: parameter("nonce"), number };
        given.codes.insert(code.clone(), grant);
        let callback = parameter("redirect_uri").expect("a callback");
        let state = parameter("state").expect("a state");
        Url::parse_with_params(&callback, [("code", code), ("state", state)]).expect("a URL")
    }

    /// Goes the whole way of a flow; what the token endpoint of `server` answers.
    pub async fn finish(&self, server: &TestServer, flow: Flow<'_>, subject: &str) -> Value {
        let at = flow.begin().await;
        let callback = self.agree(&at.location, subject);
        let code = oauth::code(&at.leaves_for(callback).come_back().await);
        oauth::exchange(server, &code, &[]).send().await.expect(200)
    }

    /// Signs somebody in.
    pub async fn sign_in(&self, server: &TestServer, provider: &str, subject: &str) -> Person {
        let answer = self.finish(server, Flow::new(server, provider), subject).await;
        let text = |name: &str| answer[name].as_str().expect("a token").to_owned();
        let id = crate::tokens::claim(&text("access_token"), "sub");
        Person { id, access_token: text("access_token"), refresh_token: text("refresh_token") }
    }
}

type Reply = (u16, &'static str, String);

fn reply(status: u16, body: &Value) -> Reply {
    (status, "application/json", body.to_string())
}

async fn serve(mut stream: TcpStream, state: Arc<State>) {
    while let Some(request) = read(&mut stream).await {
        let (status, kind, body) = state.answer(&request).await;
        let head = format!("content-type: {kind}\r\ncontent-length: {}", body.len());
        let answer = format!("HTTP/1.1 {status} X\r\n{head}\r\n\r\n{body}");
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// The answer that trouble makes of one.
async fn troubled(trouble: Trouble, answer: impl FnOnce() -> Reply) -> Reply {
    match trouble {
        Trouble::None => answer(),
        Trouble::Status(status) => reply(status, &json!({})),
        Trouble::Code(code) => reply(400, &json!({ "error": code })),
        Trouble::Garbage => (200, "text/html", "<html>It works!</html>".to_owned()),
        Trouble::Silence => std::future::pending().await,
    }
}

impl State {
    fn note(&self, what: &str) {
        locked(&self.asked).push(what.to_owned());
        self.arrived.notify_waiters();
    }

    async fn answer(&self, request: &Received) -> Reply {
        let behaviour = locked(&self.behaviour).clone();
        match request.target.as_str() {
            "GET /.well-known/openid-configuration" => reply(200, &self.metadata()),
            "GET /jwks" => reply(200, &json!({ "keys": [self.key.public_jwk()] })),
            "GET /userinfo" => {
                self.note("userinfo");
                let token = request.header("authorization").trim_start_matches("Bearer ").to_owned();
                troubled(behaviour.at_userinfo, || match locked(&self.given).access_tokens.get(&token) {
                    Some(grant) => reply(200, &json!({ "sub": grant.subject })),
                    None => reply(401, &json!({ "error": "invalid_token" })),
                })
                .await
            }
            "POST /token" => self.token(request, &behaviour).await,
            other => reply(404, &json!({ "unknown": other })),
        }
    }

    fn metadata(&self) -> Value {
        let at = |name: &str| format!("{}/{name}", self.issuer);
        json!({
            "issuer": self.issuer, "authorization_endpoint": at("authorize"), "token_endpoint": at("token"),
            "userinfo_endpoint": at("userinfo"), "jwks_uri": at("jwks"), "response_types_supported": ["code"],
            "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["ES256"],
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
        })
    }

    async fn token(&self, request: &Received, behaviour: &Behaviour) -> Reply {
        let fields: HashMap<String, String> = Url::parse(&format!("http://form/?{}", request.body))
            .expect("a form")
            .query_pairs()
            .into_owned()
            .collect();
        let field = |name: &str| fields.get(name).cloned().unwrap_or_default();
        let kind = field("grant_type");
        self.note(&kind);
        if kind == "authorization_code" {
            let grant = locked(&self.given).codes.remove(&field("code"));
            return match grant {
                Some(grant) => self.give(behaviour, grant, &field("client_id"), None),
                None => reply(400, &json!({ "error": "invalid_grant" })),
            };
        }
        let gate = locked(&self.gate).clone();
        if let Some(gate) = gate {
            drop(gate.acquire().await);
        }
        troubled(behaviour.at_refresh, || {
            let token = field("refresh_token");
            let grant = {
                let mut given = locked(&self.given);
                if let Some(grant) = given.replaced.get(&token).cloned() {
                    given.end(grant.number);
                }
                given.refresh_tokens.get(&token).cloned()
            };
            match grant {
                Some(grant) => self.give(behaviour, grant, &field("client_id"), Some(token)),
                None => reply(400, &json!({ "error": "invalid_grant" })),
            }
        })
        .await
    }

    /// Tokens for a code, or for a refresh token.
    fn give(&self, behaviour: &Behaviour, grant: Grant, client: &str, refreshed: Option<String>) -> Reply {
        let mut claims = json!({
            "iss": self.issuer, "aud": client, "sub": grant.subject, "iat": START, "exp": START + 1_000_000_000,
        });
        if let Some(nonce) = &grant.nonce {
            claims["nonce"] = json!(nonce);
        }
        let id_token = self.key.sign(&claims).expect("a token");
        let mut given = locked(&self.given);
        let access_token = given.next("access");
        given.access_tokens.insert(access_token.clone(), grant.clone());
        let mut answer =
            json!({ "access_token": access_token, "token_type": "Bearer", "id_token": id_token });
        if let Some(scope) = &behaviour.scope {
            answer["scope"] = json!(scope);
        }
        if let Some(seconds) = behaviour.expires_in {
            answer["expires_in"] = json!(seconds);
        }
        let is_first = refreshed.is_none();
        if let Some(old) = refreshed.filter(|_| behaviour.rotates) {
            given.refresh_tokens.remove(&old);
            given.replaced.insert(old, grant.clone());
        }
        if behaviour.gives_refresh_tokens && (is_first || behaviour.rotates) {
            let token = given.next("refresh");
            answer["refresh_token"] = json!(token);
            given.refresh_tokens.insert(token, Grant { nonce: None, ..grant });
        }
        reply(200, &answer)
    }
}
