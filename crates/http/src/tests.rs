//! The protocol, through the whole service, with an application that knows three keys.

mod protocol;
mod serving;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::body::Body as AxumBody;
use http_body_util::BodyExt;
use latchkey_api_types::input::InputLimits;
use latchkey_api_types::user::{RestrictedReason, RestrictionKind};
use latchkey_api_types::{AccessType, ErrorCode, KnownError};
use latchkey_config::ServerConfig;
use latchkey_identity::{Credentials, Failure};
use prometheus_client::registry::Registry;
use serde_json::{Value, json};

use crate::{
    ANY, Application, Body, Cached, Call, Created, Json, Metrics, OauthJson, OpenCall, Path, Query,
    RefreshToken, Response, Route, SERVER, Service, SignedIn, Success, Text,
};

/// Accepts any access type with the key `good`; the access token is the user's name.
struct FakeApp;

struct FakeAuth {
    access: AccessType,
    user: Option<String>,
}

impl Application for FakeApp {
    type Auth = FakeAuth;

    fn fill(&self, bytes: &mut [u8]) {
        for (byte, value) in
            bytes.iter_mut().zip([0, 1, 2, 3, 4, 0xff, 0xfe, 0xfd, 0xfc, 0xfb].iter().cycle())
        {
            *byte = *value;
        }
    }

    async fn authenticate(&self, credentials: &Credentials<'_>) -> Result<Option<FakeAuth>, Failure> {
        let key = credentials.secret_server_key.or(credentials.publishable_client_key);
        let Some(access) = credentials.access_type else {
            return if key.is_some() {
                Err(KnownError::project_key_without_access_type().into())
            } else {
                Ok(None)
            };
        };
        let access = access.parse().map_err(|_| KnownError::invalid_access_type(access))?;
        match key {
            Some("good") => Ok(Some(FakeAuth { access, user: credentials.access_token.map(str::to_owned) })),
            _ => Err(KnownError::invalid_secret_server_key("internal").into()),
        }
    }

    fn access(auth: &FakeAuth) -> AccessType {
        auth.access
    }

    fn signed_in(auth: &FakeAuth) -> bool {
        auth.user.is_some()
    }

    fn project(_: &FakeAuth) -> &'static str {
        "internal"
    }

    fn user(auth: &FakeAuth) -> Option<String> {
        auth.user.clone()
    }

    fn input_limits(_: &FakeAuth) -> InputLimits {
        InputLimits { password_chars: 5 }
    }
}

latchkey_api_types::input! {
    /// A thing to create.
    struct Thing {
        /// Its name.
        name: String,
        /// How many.
        count: Option<i64>,
        password: Option<latchkey_api_types::input::PasswordText>,
    }
}

latchkey_api_types::input! {
    struct ThingPath { thing_id: latchkey_api_types::UserId }
}

latchkey_api_types::input! {
    struct ThingsQuery { desc: Option<latchkey_api_types::input::QueryBool> }
}

type Outcome<T> = Result<T, Failure>;

async fn create(call: Call<FakeApp>, Body(thing): Body<Thing>) -> Outcome<Created<Value>> {
    let _ = thing.password;
    Ok(Created(json!({ "name": thing.name, "count": thing.count, "as": call.auth.access })))
}

async fn read(
    _: Call<FakeApp>,
    Path(path): Path<ThingPath>,
    Query(query): Query<ThingsQuery>,
) -> Outcome<Json<Value>> {
    Ok(Json(json!({ "id": path.thing_id, "desc": query.desc.is_some_and(|desc| desc.0) })))
}

async fn delete(_: Call<FakeApp>, _: SignedIn) -> Outcome<Success> {
    Ok(Success)
}

async fn delete_all(_: Call<FakeApp>) -> Outcome<Success> {
    Ok(Success)
}

async fn refresh(_: Call<FakeApp>, token: RefreshToken) -> Outcome<Text> {
    Ok(Text(match token {
        RefreshToken::Header(token) => format!("header {token}"),
        RefreshToken::Body(token) => format!("body {token}"),
    }))
}

async fn fail(call: OpenCall<FakeApp>) -> Outcome<Success> {
    let restricted = RestrictedReason { kind: RestrictionKind::Anonymous };
    Err(match call.request.uri.query() {
        Some("known") => KnownError::restricted_user_not_allowed(restricted).into(),
        Some("text") => Failure::text(404, "No such key set."),
        Some("busy") => Failure::Busy { retry_after_seconds: 7 },
        Some("oauth") => Failure::Oauth { error: "invalid_request", description: "No token.".into() },
        Some("panic") => panic!("on purpose"),
        Some("hang") => std::future::pending().await,
        _ => Failure::internal("the secret is 42"),
    })
}

async fn keys(_: OpenCall<FakeApp>) -> Outcome<Cached<Json<Value>, 3600>> {
    Ok(Cached(Json(json!({ "keys": [] }))))
}

async fn token(_: OpenCall<FakeApp>) -> Outcome<OauthJson<Value>> {
    Ok(OauthJson(json!({})))
}

async fn address(call: OpenCall<FakeApp>) -> Outcome<Json<Value>> {
    Ok(Json(json!({ "end_user": call.request.end_user(), "address": call.request.client_address() })))
}

fn routes() -> Vec<Route<FakeApp>> {
    crate::openapi::with_document(vec![
        Route::post("/things", "Create a thing").errors(&[ErrorCode::UserNotFound]).on(ANY, create),
        Route::get("/things/{thing_id}", "Read a thing").on(SERVER, read),
        Route::delete("/things/{thing_id}", "Delete a thing")
            .on(&[AccessType::Client], delete)
            .on(SERVER, delete_all),
        Route::post("/refresh", "Refresh").on(ANY, refresh),
        Route::get("/fail", "Fail").open(fail),
        Route::get("/keys", "Keys").open(keys),
        Route::post("/token", "Token").open(token),
        Route::get("/address", "Address").open(address),
        crate::api::banner(),
    ])
}

fn service_with(config: ServerConfig) -> (Service<FakeApp>, Registry) {
    let mut registry = Registry::default();
    let metrics = Metrics::new(&mut registry);
    let service = Service::new(
        Arc::new(FakeApp),
        Arc::new(config),
        routes(),
        crate::docs::pages(Arc::new(|| Box::pin(async { Ok(()) }))),
        metrics,
    );
    (service, registry)
}

/// A request, written down shortly.
struct Asked {
    method: &'static str,
    uri: String,
    headers: Vec<(&'static str, &'static str)>,
    body: Vec<u8>,
}

fn ask(method: &'static str, uri: &str) -> Asked {
    Asked { method, uri: uri.to_owned(), headers: Vec::new(), body: Vec::new() }
}

impl Asked {
    fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    fn by(self, access: &'static str) -> Self {
        self.header("x-stack-access-type", access).header("x-stack-secret-server-key", "good")
    }

    fn json(self, body: impl Into<Vec<u8>>) -> Self {
        let mut asked = self.header("content-type", "application/json");
        asked.body = body.into();
        asked
    }

    async fn of(self, service: &Service<FakeApp>) -> Answered {
        let mut request = http::Request::builder().method(self.method).uri(&self.uri);
        for (name, value) in &self.headers {
            request = request.header(*name, *value);
        }
        let request = request.body(AxumBody::from(self.body)).unwrap();
        let response: Response = service.respond(request, IpAddr::V4(Ipv4Addr::LOCALHOST)).await;
        let (parts, body) = response.into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Answered { status: parts.status.as_u16(), headers: parts.headers, text }
    }

    async fn answer(self) -> Answered {
        self.of(&service_with(ServerConfig::default()).0).await
    }
}

#[derive(Debug)]
struct Answered {
    status: u16,
    headers: http::HeaderMap,
    text: String,
}

impl Answered {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("(absent)", |value| value.to_str().unwrap())
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    /// The known error, after checking that header and body agree.
    fn code(&self) -> String {
        let code = self.json()["code"].as_str().unwrap_or("(absent)").to_owned();
        assert_eq!(self.header("x-stack-known-error"), code);
        code
    }
}
