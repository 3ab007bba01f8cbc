//! A blocking client of the few endpoints that the bench needs outside wrk.

use std::time::Duration;

use serde_json::{Value, json};
use ureq::Agent;

/// The password of everybody in the bench.
pub const PASSWORD: &str = "seven lamps over water";

/// Requests to one server, for its default project. Each value keeps its own connections.
#[derive(Clone)]
pub struct Api {
    agent: Agent,
    base_url: String,
    /// Headers of a client of the project.
    pub client_headers: Vec<(&'static str, String)>,
    /// Headers of a server of the project.
    pub server_headers: Vec<(&'static str, String)>,
    admin_headers: Vec<(&'static str, String)>,
}

/// Somebody who is signed in.
#[derive(Clone)]
pub struct Session {
    /// The address.
    pub email: String,
    /// A JWT.
    pub access_token: String,
    /// Opaque.
    pub refresh_token: String,
}

impl Api {
    /// `ready` is the content of the ready file.
    pub fn new(base_url: &str, ready: &Value) -> Self {
        let text = |name: &str| ready[name].as_str().unwrap_or_default().to_owned();
        let headers = |access: &str, key: &'static str, value: String| {
            vec![
                ("x-stack-project-id", text("project_id")),
                ("x-stack-access-type", access.to_owned()),
                (key, value),
            ]
        };
        let config =
            Agent::config_builder().http_status_as_error(false).timeout_global(Some(Duration::from_mins(1)));
        Self {
            agent: config.build().into(),
            base_url: base_url.to_owned(),
            client_headers: headers(
                "client",
                "x-stack-publishable-client-key",
                text("publishable_client_key"),
            ),
            server_headers: headers("server", "x-stack-secret-server-key", text("secret_server_key")),
            admin_headers: headers("admin", "x-stack-super-secret-admin-key", text("super_secret_admin_key")),
        }
    }

    /// For clients of the project `internal`, which need no key.
    pub fn internal(base_url: &str) -> Self {
        let headers =
            [("x-stack-project-id", "internal".to_owned()), ("x-stack-access-type", "client".to_owned())];
        Self { client_headers: headers.to_vec(), ..Self::new(base_url, &Value::Null) }
    }

    /// Signs up by password; the status of the answer when it is not 200, or what broke the connection.
    pub fn sign_up(&self, email: &str) -> Result<Session, String> {
        let (status, body) = self.password("sign-up", email, PASSWORD)?;
        if status != 200 {
            return Err(format!("sign-up was answered with {status}: {body}"));
        }
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        let (access_token, refresh_token) = (text("access_token"), text("refresh_token"));
        Ok(Session { email: email.to_owned(), access_token, refresh_token })
    }

    /// Signs in by password; gives the status.
    pub fn sign_in(&self, email: &str, password: &str) -> Result<u16, String> {
        Ok(self.password("sign-in", email, password)?.0)
    }

    /// The JSON of the signed-in user, as it is on the wire.
    pub fn me(&self, session: &Session) -> Result<String, String> {
        let mut request = self.agent.get(format!("{}/api/v1/users/me", self.base_url));
        for (name, value) in &self.client_headers {
            request = request.header(*name, value);
        }
        let answer = request.header("x-stack-access-token", &session.access_token).call();
        let mut answer = answer.map_err(|error| error.to_string())?;
        let text = answer.body_mut().read_to_string().map_err(|error| error.to_string())?;
        if answer.status() == 200 { Ok(text) } else { Err(format!("/users/me: {} {text}", answer.status())) }
    }

    /// Asks as a server; the status and the JSON.
    pub fn get(&self, path: &str) -> Result<(u16, Value), String> {
        let mut request = self.agent.get(format!("{}/api/v1{path}", self.base_url));
        for (name, value) in &self.server_headers {
            request = request.header(*name, value);
        }
        read(request.call())
    }

    /// Sends JSON as a server; the status and the JSON of the answer.
    pub fn post(&self, path: &str, body: &Value) -> Result<(u16, Value), String> {
        let mut request = self.agent.post(format!("{}/api/v1{path}", self.base_url));
        for (name, value) in &self.server_headers {
            request = request.header(*name, value);
        }
        read(request.header("content-type", "application/json").send(body.to_string()))
    }

    /// Deletes the project.
    pub fn delete_project(&self) -> Result<(), String> {
        let mut request = self.agent.delete(format!("{}/api/v1/internal/projects/current", self.base_url));
        for (name, value) in &self.admin_headers {
            request = request.header(*name, value);
        }
        match read(request.call())? {
            (200, _) => Ok(()),
            (status, body) => Err(format!("the deletion of a project was answered with {status}: {body}")),
        }
    }

    /// Signs up so many people.
    pub fn sessions(&self, count: u32) -> Result<Vec<Session>, String> {
        (0..count).map(|number| self.sign_up(&format!("person{number}@example.com"))).collect()
    }

    /// Sends JSON as a client; the status and the JSON of the answer.
    pub fn ask(&self, path: &str, body: &Value) -> Result<(u16, Value), String> {
        let mut request = self.agent.post(format!("{}/api/v1{path}", self.base_url));
        for (name, value) in &self.client_headers {
            request = request.header(*name, value);
        }
        read(request.header("content-type", "application/json").send(body.to_string()))
    }

    fn password(&self, what: &str, email: &str, password: &str) -> Result<(u16, Value), String> {
        self.ask(&format!("/auth/password/{what}"), &json!({ "email": email, "password": password }))
    }
}

/// The status of an answer and its JSON, or its text where it is none.
fn read(answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<(u16, Value), String> {
    let mut answer = answer.map_err(|error| error.to_string())?;
    let text = answer.body_mut().read_to_string().map_err(|error| error.to_string())?;
    Ok((answer.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::String(text))))
}
