//! People for the tests: signing up and in by the public API, and looking at them from both sides.

use latchkey_testkit::{Project, Request, TestServer};
use serde_json::{Value, json};

/// A password that every rule but the one about classes accepts.
pub const PASSWORD: &str = "a quiet harbour at 6";

/// Another one.
pub const OTHER_PASSWORD: &str = "two herons by the weir";

/// A user with one session.
#[derive(Clone, Debug)]
pub struct Person {
    /// User id.
    pub id: String,
    /// Access token of the session.
    pub access_token: String,
    /// Refresh token of the session.
    pub refresh_token: String,
}

impl Person {
    /// Reads the answer of a sign-up or sign-in.
    #[track_caller]
    pub fn of(answer: &Value) -> Self {
        let text =
            |name: &str| answer[name].as_str().unwrap_or_else(|| panic!("no {name}: {answer}")).to_owned();
        Self { id: text("user_id"), access_token: text("access_token"), refresh_token: text("refresh_token") }
    }

    /// The id of the session, as the access token tells it.
    pub fn session_id(&self) -> String {
        crate::tokens::claim(&self.access_token, "refresh_token_id")
    }
}

/// A new user who signed up with [`PASSWORD`].
pub async fn sign_up(server: &TestServer, email: &str) -> Person {
    let body = json!({ "email": email, "password": PASSWORD });
    Person::of(&server.post("/auth/password/sign-up").client().json(&body).send().await.expect(200))
}

/// A further session of somebody whose password is [`PASSWORD`].
pub async fn sign_in(server: &TestServer, email: &str) -> Person {
    let body = json!({ "email": email, "password": PASSWORD });
    Person::of(&server.post("/auth/password/sign-in").client().json(&body).send().await.expect(200))
}

/// A user created by the server with these fields; what the server answered.
pub async fn create(server: &TestServer, fields: &Value) -> Value {
    server.post("/users").server().json(fields).send().await.expect(201)
}

/// A session opened by the server for a user.
pub async fn session_for(server: &TestServer, user: &str) -> Person {
    let answer =
        server.post("/auth/sessions").server().json(&json!({ "user_id": user })).send().await.expect(200);
    let text = |name: &str| answer[name].as_str().expect("a token").to_owned();
    Person { id: user.to_owned(), access_token: text("access_token"), refresh_token: text("refresh_token") }
}

/// A user created by the server with these fields, and a session for them.
pub async fn created(server: &TestServer, fields: &Value) -> Person {
    let user = create(server, fields).await;
    session_for(server, user["id"].as_str().expect("an id")).await
}

/// Somebody who has not signed up.
pub async fn anonymous(server: &TestServer) -> Person {
    Person::of(&server.post("/auth/anonymous/sign-up").client().send().await.expect(200))
}

/// Somebody whom an administrator restricted.
pub async fn restricted(server: &TestServer) -> Person {
    created(server, &json!({ "restricted_by_admin": true })).await
}

/// Changes a user as a server; what the server answered.
pub async fn change(server: &TestServer, user: &str, fields: &Value) -> Value {
    server.patch(&format!("/users/{user}")).server().json(fields).send().await.expect(200)
}

/// A user as servers see it.
pub async fn seen_by_server(server: &TestServer, user: &str) -> Value {
    server.get(&format!("/users/{user}")).server().send().await.expect(200)
}

/// A user as they see themselves.
pub async fn seen_by_self(server: &TestServer, person: &Person) -> Value {
    server.get("/users/me").client().user(&person.access_token).send().await.expect(200)
}

/// The request, speaking for `project` with its own key of this access type.
#[must_use]
pub fn speaking_for<'s>(request: Request<'s>, project: &Project, access: &str) -> Request<'s> {
    let (header, key) = match access {
        "client" => ("x-stack-publishable-client-key", &project.keys.publishable),
        "server" => ("x-stack-secret-server-key", &project.keys.secret),
        _ => ("x-stack-super-secret-admin-key", &project.keys.admin),
    };
    request
        .header("x-stack-access-type", access)
        .header("x-stack-project-id", &project.id)
        .header(header, key)
}
