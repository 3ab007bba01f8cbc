//! Signing in through the built-in OAuth provider, step by step as a browser does it.

use latchkey_config::settings::{OAuthProviderSettings, ProviderType};
use latchkey_identity::Clock as _;
use latchkey_oauth::pkce::Verifier;
use latchkey_testkit::{Answer, Builder, Request, TestServer};
use reqwest::{Method, Url};
use serde_json::Value;

/// Where the client of these tests wants to have codes.
pub const REDIRECT_URI: &str = "http://localhost:3000/handler/oauth-callback?keep=1";

/// The verifier of the client of these tests.
pub const VERIFIER: &str = "a-verifier-of-the-tests-which-is-long-enough-1";

/// A server whose project has the providers `google` and `github` as shared ones.
pub fn builder() -> Builder {
    TestServer::builder()
        .config("outgoing.allow_private_addresses", r#"["127.0.0.0/8", "::1", "localhost"]"#)
        .project(|settings| {
            for (id, kind) in [("google", ProviderType::Google), ("github", ProviderType::GitHub)] {
                let provider = OAuthProviderSettings {
                    provider_type: Some(kind),
                    allow_sign_in: true,
                    allow_connected_accounts: true,
                    ..OAuthProviderSettings::default()
                };
                settings.auth.oauth.providers.insert(id.to_owned(), provider);
            }
        })
}

/// The challenge of [`VERIFIER`].
pub fn challenge() -> String {
    Verifier::parse(VERIFIER).expect("a verifier").challenge().value().to_owned()
}

/// A flow that is about to begin.
pub struct Flow<'s> {
    server: &'s TestServer,
    provider: String,
    parameters: Vec<(String, String)>,
}

impl<'s> Flow<'s> {
    /// The request of an ordinary client.
    pub fn new(server: &'s TestServer, provider: &str) -> Self {
        let challenge = challenge();
        let parameters = [
            ("client_id", server.project_id()),
            ("client_secret", server.keys().publishable.as_str()),
            ("redirect_uri", REDIRECT_URI),
            ("scope", "legacy"),
            ("state", "state of the client"),
            ("grant_type", "authorization_code"),
            ("response_type", "code"),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
        ];
        let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        Self { server, provider: provider.to_owned(), parameters }
    }

    /// Sets a parameter.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.parameters.retain(|(other, _)| other != name);
        self.parameters.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Leaves a parameter out.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.parameters.retain(|(other, _)| other != name);
        self
    }

    /// The request.
    pub fn request(self) -> Request<'s> {
        let query = reqwest::Url::parse_with_params("http://x/", &self.parameters).expect("a query");
        let path = format!("/auth/oauth/authorize/{}?{}", self.provider, query.query().unwrap_or_default());
        self.server.get(&path)
    }

    /// Sends the request.
    pub async fn answer(self) -> Answer {
        self.request().send().await
    }

    /// Follows the redirect to the provider.
    pub async fn begin(self) -> AtProvider<'s> {
        let server = self.server;
        let answer = self.answer().await;
        assert_eq!(answer.status, 307, "{}", answer.text());
        let cookie =
            answer.header("set-cookie").expect("a cookie").split(';').next().expect("a pair").to_owned();
        let location = answer.header("location").expect("a location").to_owned();
        AtProvider { server, cookie: Some(cookie), location: Url::parse(&location).expect("a URL") }
    }

    /// The whole way: signs in at the provider as somebody and comes back.
    pub async fn as_user(self, subject: &str) -> Answer {
        self.begin().await.choose(subject, "").await.come_back().await
    }
}

/// A browser at the page of the provider.
pub struct AtProvider<'s> {
    server: &'s TestServer,
    /// The cookie of the flow, as the browser sends it.
    pub cookie: Option<String>,
    /// The page.
    pub location: Url,
}

impl<'s> AtProvider<'s> {
    /// A parameter of the request.
    pub fn parameter(&self, name: &str) -> Option<String> {
        self.location.query_pairs().find(|(other, _)| other == name).map(|(_, value)| value.into_owned())
    }

    /// Now, as the server sees it, epoch seconds.
    pub(crate) fn now_seconds(&self) -> i64 {
        self.server.clock().now_millis() / 1000
    }

    /// Goes back to the callback that the request named, with its state and these parameters.
    pub fn back(self, parameters: &[(&str, &str)]) -> Returning<'s> {
        let mut location = Url::parse(&self.parameter("redirect_uri").expect("a callback")).expect("a URL");
        let state = self.parameter("state").expect("a state");
        location.query_pairs_mut().append_pair("state", &state).extend_pairs(parameters);
        self.leaves_for(location)
    }

    /// Is sent to this place by a provider that is not the built-in one.
    pub fn leaves_for(self, location: Url) -> Returning<'s> {
        Returning { server: self.server, cookie: self.cookie, location }
    }

    /// Chooses who to be, and perhaps what goes wrong.
    pub async fn choose(self, subject: &str, fault: &str) -> Returning<'s> {
        let path =
            self.location.as_str().strip_prefix(self.server.public_url()).expect("a page of the server");
        let page = self.server.request(Method::GET, path).send().await;
        assert_eq!(page.status, 200, "{}", page.text());
        let mut fields: Vec<(String, String)> = self.location.query_pairs().into_owned().collect();
        fields.push(("sub".to_owned(), subject.to_owned()));
        fields.push(("fault".to_owned(), fault.to_owned()));
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let agreed = self.server.request(Method::POST, self.location.path()).form(&fields).send().await;
        assert_eq!(agreed.status, 303, "{}", agreed.text());
        let location = Url::parse(agreed.header("location").expect("a location")).expect("a URL");
        Returning { server: self.server, cookie: self.cookie, location }
    }
}

/// A browser on its way back.
#[derive(Clone)]
pub struct Returning<'s> {
    server: &'s TestServer,
    /// The cookie of the flow, as the browser sends it.
    pub cookie: Option<String>,
    /// The callback.
    pub location: Url,
}

impl<'s> Returning<'s> {
    /// The request to the callback.
    pub fn request(&self) -> Request<'s> {
        let path = self.location.as_str().strip_prefix(self.server.public_url()).expect("a callback");
        let request = self.server.request(Method::GET, path);
        match &self.cookie {
            Some(cookie) => request.header("cookie", &format!("other=1; {cookie}")),
            None => request,
        }
    }

    /// Calls the callback.
    pub async fn come_back(&self) -> Answer {
        self.request().send().await
    }
}

/// A parameter of the address that an answer leads to.
pub fn parameter(answer: &Answer, name: &str) -> Option<String> {
    let location = Url::parse(answer.header("location")?).expect("a URL");
    location.query_pairs().find(|(other, _)| other == name).map(|(_, value)| value.into_owned())
}

/// The code of an answer that must be a success.
#[track_caller]
pub fn code(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{} {:?}", answer.text(), answer.header("location"));
    parameter(answer, "code").expect("a code")
}

/// The known error with which an answer leads to the client.
#[track_caller]
pub fn error_code(answer: &Answer) -> String {
    assert_eq!(answer.status, 307, "{} {:?}", answer.text(), answer.header("location"));
    assert_eq!(parameter(answer, "error").as_deref(), Some("server_error"));
    parameter(answer, "errorCode").expect("a code")
}

/// The request that exchanges a code.
pub fn exchange<'s>(server: &'s TestServer, code: &str, changes: &[(&str, &str)]) -> Request<'s> {
    let mut fields = vec![
        ("grant_type", "authorization_code"),
        ("client_id", server.project_id()),
        ("client_secret", server.keys().publishable.as_str()),
        ("code", code),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", VERIFIER),
    ];
    for (name, value) in changes {
        fields.retain(|(other, _)| other != name);
        if !value.is_empty() {
            fields.push((*name, *value));
        }
    }
    server.post("/auth/oauth/token").form(&fields)
}

/// Signs in through a provider; what the token endpoint answers.
pub async fn sign_in(server: &TestServer, provider: &str, subject: &str) -> Value {
    let code = code(&Flow::new(server, provider).as_user(subject).await);
    exchange(server, &code, &[]).send().await.expect(200)
}
