//! A Svix server as its public API describes it, as far as this one calls it: strict about what it is sent, and with a
//! memory. What breaks its rules is answered as Svix does and kept for the test to see.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::receiver::{Received, read};

/// The token of its API.
pub const TOKEN: &str = "testsk_one-for-the-whole-server";

/// A message that it took.
#[derive(Clone, Debug)]
pub struct Message {
    /// The uid of its application.
    pub application: String,
    /// The event id that it came with.
    pub event_id: String,
    /// The name of the event.
    pub event_type: String,
    /// What endpoints are sent.
    pub payload: Value,
}

/// What goes wrong with the next request.
#[derive(Clone, Copy, Debug)]
pub enum Trouble {
    /// It is refused with this status.
    Status(u16),
    /// It is done, and the answer gets lost.
    LostAnswer,
}

#[derive(Default)]
struct State {
    /// Uid and name of each application.
    applications: BTreeMap<String, String>,
    messages: Vec<Message>,
    troubles: VecDeque<Trouble>,
    /// Whether applications are made by themselves only, not along with a message or the wish for a token.
    is_old: bool,
    /// Status of attempts at the one endpoint, `ep_known`.
    attempt_status: u8,
    requests: Vec<String>,
    violations: Vec<String>,
}

/// A server on a port of its own; gone when dropped.
pub struct SvixServer {
    /// Where it listens.
    pub url: String,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

impl Drop for SvixServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl SvixServer {
    /// Starts one on any free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let state = Arc::<Mutex<State>>::default();
        let held = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&held)));
            }
        });
        Self { url, state, task }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on it is of a version that makes applications only by themselves.
    pub fn grow_old(&self) {
        self.state().is_old = true;
    }

    /// What happens to the next requests, one after the other.
    pub fn trouble(&self, troubles: impl IntoIterator<Item = Trouble>) {
        self.state().troubles.extend(troubles);
    }

    /// Every attempt at the endpoint `ep_known` has this status: 0 success, 2 failure.
    pub fn attempts_end_with(&self, status: u8) {
        self.state().attempt_status = status;
    }

    /// Uid and name of the applications.
    pub fn applications(&self) -> BTreeMap<String, String> {
        self.state().applications.clone()
    }

    /// The messages that it took, in order.
    pub fn messages(&self) -> Vec<Message> {
        self.state().messages.clone()
    }

    /// Method and path of the requests that came, in order.
    pub fn requests(&self) -> Vec<String> {
        self.state().requests.clone()
    }

    /// Checks that no request broke the rules of the API.
    #[track_caller]
    pub fn assert_content(&self) {
        assert_eq!(self.state().violations, Vec::<String>::new());
    }
}

async fn serve(mut stream: TcpStream, state: Arc<Mutex<State>>) {
    while let Some(request) = read(&mut stream).await {
        let answer = {
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            state.requests.push(request.target.clone());
            match state.troubles.pop_front() {
                Some(Trouble::Status(status)) => {
                    Some((status, json!({ "code": "trouble", "detail": "Not now." })))
                }
                Some(Trouble::LostAnswer) => {
                    state.answer(&request);
                    None
                }
                None => Some(state.answer(&request)),
            }
        };
        let Some((status, body)) = answer else { return };
        let body = body.to_string();
        let head = format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        if stream.write_all((head + &body).as_bytes()).await.is_err() {
            return;
        }
    }
}

/// Whether a text may be an uid, an event id or the name of an event.
fn is_word(text: &Value) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    text.as_str().is_some_and(|text| (1..=256).contains(&text.len()) && text.chars().all(legal))
}

/// Uid and name of an `ApplicationIn`.
fn check_application(body: &Value) -> Result<(String, String), &'static str> {
    let body = body.as_object().ok_or("no application")?;
    if body.keys().any(|key| !["uid", "name"].contains(&key.as_str())) {
        return Err("an application with another field");
    }
    let name = body.get("name").and_then(Value::as_str).filter(|name| !name.trim().is_empty());
    match (body.get("uid").filter(|uid| is_word(uid)), name) {
        (Some(uid), Some(name)) => Ok((uid.as_str().unwrap_or_default().to_owned(), name.to_owned())),
        _ => Err("an application without uid or name"),
    }
}

impl State {
    fn answer(&mut self, request: &Received) -> (u16, Value) {
        if request.headers.get("authorization") != Some(&format!("Bearer {TOKEN}")) {
            return (401, json!({ "code": "authentication_failed", "detail": "Invalid token" }));
        }
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        let parts: Vec<&str> = path.split('/').collect();
        let (["POST " | "GET ", "api", "v1"], rest) = parts.split_at(3.min(parts.len())) else {
            return self.violation(request, "no path of the API");
        };
        match (path.starts_with("POST "), rest) {
            (true, ["app"]) => match self.json(request) {
                Ok(body) => self.create_application(request, &body),
                Err(answer) => answer,
            },
            (true, ["app", uid, "msg"]) => match self.json(request) {
                Ok(body) => self.create_message(request, uid, &body),
                Err(answer) => answer,
            },
            (true, ["auth", "app-portal-access", uid]) => match self.json(request) {
                Ok(body) => self.portal_access(request, uid, &body),
                Err(answer) => answer,
            },
            (false, ["app", uid, "endpoint", "ep_known"]) if self.applications.contains_key(*uid) => (
                200,
                json!({ "id": "ep_known", "url": "https://hooks.example.com/known", "version": 1, "description": "",
                    "metadata": {}, "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z" }),
            ),
            (false, ["app", uid, "attempt", "endpoint", "ep_known"])
                if self.applications.contains_key(*uid) =>
            {
                if query != "limit=50" {
                    return self.violation(request, "another query");
                }
                let attempts: Vec<Value> = (0..self.messages.len())
                    .rev()
                    .map(|number| {
                        json!({ "id": format!("atmpt_{number}"), "msgId": format!("msg_of_svix_{number}"),
                            "endpointId": "ep_known", "url": "https://hooks.example.com/known", "response": "",
                            "responseStatusCode": if self.attempt_status == 0 { 200 } else { 503 },
                            "responseDurationMs": 1, "status": self.attempt_status, "triggerType": 0,
                            "timestamp": "2026-01-01T00:00:00Z" })
                    })
                    .collect();
                (200, json!({ "data": attempts, "iterator": null, "prevIterator": null, "done": true }))
            }
            _ => (404, json!({ "code": "not_found", "detail": "Entity not found" })),
        }
    }

    fn violation(&mut self, request: &Received, what: &str) -> (u16, Value) {
        self.violations.push(format!("{}: {what}: {}", request.target, request.body));
        (422, json!({ "detail": [{ "loc": ["body"], "msg": what, "type": "value_error" }] }))
    }

    fn json(&mut self, request: &Received) -> Result<Value, (u16, Value)> {
        match serde_json::from_str::<Value>(&request.body) {
            Ok(body) if body.is_object() && request.header("content-type") == "application/json" => Ok(body),
            _ => Err(self.violation(request, "no JSON object")),
        }
    }

    fn create_application(&mut self, request: &Received, body: &Value) -> (u16, Value) {
        match check_application(body) {
            Err(problem) => self.violation(request, problem),
            Ok((uid, _)) if self.applications.contains_key(&uid) => {
                (409, json!({ "code": "conflict", "detail": "The uid is taken" }))
            }
            Ok((uid, name)) => {
                let answer = json!({ "id": "app_1", "uid": uid, "name": name, "metadata": {},
                    "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z" });
                self.applications.insert(uid, name);
                (201, answer)
            }
        }
    }

    /// Makes the application that came along, where the version does so; says whether the one of the path is there.
    fn knows(&mut self, request: &Received, uid: &str, body: &Value) -> Result<bool, (u16, Value)> {
        match body.get("application").map(check_application) {
            Some(Err(problem)) => Err(self.violation(request, problem)),
            Some(Ok((named, _))) if named != uid => {
                Err(self.violation(request, "an application of another uid"))
            }
            Some(Ok((_, name))) if !self.is_old && !self.applications.contains_key(uid) => {
                self.applications.insert(uid.to_owned(), name);
                Ok(true)
            }
            _ => Ok(self.applications.contains_key(uid)),
        }
    }

    fn create_message(&mut self, request: &Received, uid: &str, body: &Value) -> (u16, Value) {
        let known = ["eventId", "eventType", "payload", "application"];
        let fields = body.as_object().expect("an object");
        if fields.keys().any(|key| !known.contains(&key.as_str())) {
            return self.violation(request, "a message with another field");
        }
        if !is_word(&body["eventType"]) || !is_word(&body["eventId"]) || !body["payload"].is_object() {
            return self.violation(request, "a message without event type, event id or payload");
        }
        match self.knows(request, uid, body) {
            Err(answer) => return answer,
            Ok(false) => return (404, json!({ "code": "not_found", "detail": "Entity not found" })),
            Ok(true) => {}
        }
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        let (event_id, event_type) = (text("eventId"), text("eventType"));
        if self.messages.iter().any(|message| message.application == uid && message.event_id == event_id) {
            return (409, json!({ "code": "conflict", "detail": "Event with this id exists" }));
        }
        let id = format!("msg_of_svix_{}", self.messages.len());
        let answer = json!({ "id": id, "eventId": event_id, "eventType": event_type, "payload": body["payload"],
            "timestamp": "2026-01-01T00:00:00Z" });
        let payload = body["payload"].clone();
        self.messages.push(Message { application: uid.to_owned(), event_id, event_type, payload });
        (202, answer)
    }

    fn portal_access(&mut self, request: &Received, uid: &str, body: &Value) -> (u16, Value) {
        match self.knows(request, uid, body) {
            Err(answer) => answer,
            Ok(false) => (404, json!({ "code": "not_found", "detail": "Entity not found" })),
            Ok(true) => {
                let (url, token) = (format!("https://app.svix.example/login#{uid}"), format!("appsk_{uid}"));
                (200, json!({ "url": url, "token": token }))
            }
        }
    }
}
