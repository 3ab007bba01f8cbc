//! Contract 04 §7: a command-line program signs in by a browser.

mod anonymous;
mod completing;

use latchkey_testkit::{Answer, TestServer};
use serde_json::{Value, json};

/// The codes of an attempt.
struct Codes {
    polling: String,
    login: String,
}

impl Codes {
    #[track_caller]
    fn of(answer: &Value) -> Self {
        let text = |name: &str| answer[name].as_str().expect("a code").to_owned();
        Self { polling: text("polling_code"), login: text("login_code") }
    }
}

async fn start_with(server: &TestServer, body: &Value) -> Answer {
    server.post("/auth/cli").client().json(body).send().await
}

async fn start(server: &TestServer) -> Codes {
    Codes::of(&start_with(server, &json!({})).await.expect(200))
}

async fn poll(server: &TestServer, codes: &Codes) -> Answer {
    server.post("/auth/cli/poll").client().json(&json!({ "polling_code": codes.polling })).send().await
}

/// The status of an attempt that has no result.
async fn status(server: &TestServer, codes: &Codes) -> Value {
    let answer = poll(server, codes).await.expect(200);
    assert_eq!(latchkey_tests::tokens::keys(&answer), ["status"]);
    answer["status"].clone()
}

async fn complete_with(server: &TestServer, body: &Value) -> Answer {
    server.post("/auth/cli/complete").client().json(body).send().await
}

async fn complete(server: &TestServer, codes: &Codes, refresh_token: &str) -> Answer {
    complete_with(server, &json!({ "login_code": codes.login, "refresh_token": refresh_token })).await
}

async fn check(server: &TestServer, codes: &Codes) -> Answer {
    complete_with(server, &json!({ "login_code": codes.login, "mode": "check" })).await
}

async fn claim(server: &TestServer, codes: &Codes) -> Answer {
    complete_with(server, &json!({ "login_code": codes.login, "mode": "claim-anon-session" })).await
}
