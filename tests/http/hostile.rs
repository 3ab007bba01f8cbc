//! Bad input for every route of the table: always a 4xx in the contract's shape, never a 5xx, never a hang, and the
//! server lives on. The routes come from the served OpenAPI document, so that a new one is attacked by being there.

mod bodies;
mod headers;
mod paths;
mod sockets;

use latchkey_testkit::{Answer, Request, TestServer};
use latchkey_tests::operations::Operation;
use latchkey_tests::people::{self, Person};
use latchkey_tests::raw::PATIENCE;
use reqwest::Method;
use serde_json::{Value, json};

/// Where the routes for Svix's tools are.
const SVIX_PATHS: &str = "/api/v1/app/";

/// What went wrong, collected over a whole table so that one run tells everything.
#[derive(Default)]
struct Findings(Vec<String>);

impl Findings {
    /// Sends a request that must be refused: with a 4xx in the contract's shape, in time.
    async fn refused(&mut self, what: &str, request: Request<'_>) {
        if let Some(answer) = self.answered(what, request).await
            && !(400..500).contains(&answer.status)
        {
            self.0.push(format!("{what}: accepted with {}", answer.status));
        }
    }

    /// Sends a request that may be refused or not, but not with a 5xx and not in another shape.
    async fn answered(&mut self, what: &str, request: Request<'_>) -> Option<Answer> {
        let for_svix = request.url().contains(SVIX_PATHS);
        let Ok(answer) = tokio::time::timeout(PATIENCE, request.send()).await else {
            self.0.push(format!("{what}: no answer in time"));
            return None;
        };
        if answer.status >= 500 {
            self.0.push(format!("{what}: {} {}", answer.status, answer.text()));
        } else if answer.status >= 400
            && let Err(problem) = shape(&answer, for_svix)
        {
            self.0.push(format!("{what}: {problem}"));
        }
        Some(answer)
    }

    #[track_caller]
    fn assert_none(self) {
        let count = self.0.len();
        let shown: Vec<_> = self.0.into_iter().take(40).collect();
        assert!(shown.is_empty(), "{count} findings, the first of them:\n{}", shown.join("\n"));
    }
}

/// Checks the shape of a refusal: a known error, an error of OAuth, text, or, on the routes for Svix's tools only, an
/// error of Svix.
fn shape(answer: &Answer, for_svix: bool) -> Result<(), String> {
    if answer.header("x-stack-request-id").is_none() {
        return Err("no request id".to_owned());
    }
    let content_type = answer.header("content-type").unwrap_or_default();
    match answer.header("x-stack-known-error") {
        Some(code) => {
            let body: Value =
                serde_json::from_slice(&answer.body).map_err(|_| format!("{code} without JSON"))?;
            let details = body.get("details").is_none_or(Value::is_object);
            if body["code"] == code && body["error"].is_string() && details {
                Ok(())
            } else {
                Err(format!("a misshapen known error: {body}"))
            }
        }
        None if content_type == "text/plain; charset=utf-8" => Ok(()),
        None if answer.status == 405 && answer.body.is_empty() => Ok(()),
        None => match serde_json::from_slice::<Value>(&answer.body) {
            Ok(body) if body["error"].is_string() && body["error_description"].is_string() => Ok(()),
            Ok(body) if for_svix && body["code"].is_string() && body["detail"].is_string() => Ok(()),
            _ => Err(format!(
                "neither known error nor text: {} {content_type} {}",
                answer.status,
                answer.text()
            )),
        },
    }
}

/// A request to an operation with everything right but what the test makes wrong: keys of the least access type
/// that may call it and the access token of `person`, or the key to the routes for Svix's tools.
fn request<'s>(server: &'s TestServer, operation: &Operation, path: &str, person: &Person) -> Request<'s> {
    let method = Method::from_bytes(operation.method.as_bytes()).expect("a method");
    let request = server.request(method, &format!("/api/v1{path}"));
    if request.url().contains(SVIX_PATHS) {
        let project = server.project_id().parse().expect("a project id");
        let token = latchkey_identity::webhooks::issue_token(server.app(), &project).expect("a token");
        return request.header("authorization", &format!("Bearer {token}"));
    }
    let request = match operation.access.first().map(String::as_str) {
        Some("client") => request.client(),
        Some("server") => request.server(),
        Some("admin") => request.admin(),
        _ => return request,
    };
    request.user(&person.access_token)
}

/// The path of an operation with parameters that name something, and the required part of its query.
fn path(operation: &Operation, person: &Person) -> String {
    let parameter =
        if operation.path.starts_with("/auth/sessions/") { person.session_id() } else { person.id.clone() };
    let query: Vec<String> = operation.required("query").iter().map(|name| format!("{name}=me")).collect();
    let path = operation.path_in_project(&parameter);
    if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
}

/// Somebody new, for an operation that may do away with them.
async fn somebody(server: &TestServer) -> Person {
    people::created(server, &json!({})).await
}

/// The server still does its main job.
async fn assert_alive(server: &TestServer) {
    server.request(Method::GET, "/health").send().await.expect(200);
    let ada = people::sign_up(server, "alive@example.com").await;
    people::seen_by_self(server, &ada).await;
}
