//! Signing in command-line programs.

use latchkey_testkit::TestServer;
use latchkey_tests::people;
use serde_json::{Value, json};

/// Begins to sign a program in; both codes.
async fn program(server: &TestServer, body: &Value) -> (Value, Value) {
    let codes = server.post("/auth/cli").client().json(body).send().await.expect(200);
    (codes["polling_code"].clone(), codes["login_code"].clone())
}

/// The sign-in of a program, from its beginning to its end.
pub(super) async fn tour(server: &TestServer) {
    let ada = people::sign_in(server, "ada@example.com").await;
    let nobody = people::anonymous(server).await;
    let (polling, login) = program(server, &json!({ "anon_refresh_token": nobody.refresh_token })).await;
    let body = json!({ "login_code": login, "mode": "claim-anon-session" });
    server.post("/auth/cli/complete").client().json(&body).send().await.expect(200);
    let body = json!({ "login_code": login, "refresh_token": ada.refresh_token });
    server.post("/auth/cli/complete").client().json(&body).send().await.expect(200);
    server.post("/auth/cli/poll").client().json(&json!({ "polling_code": polling })).send().await.expect(201);
}

/// Two programs that wait, with a secret of each kind.
pub(super) async fn waiting(server: &TestServer) {
    let ada = people::sign_in(server, "ada@example.com").await;
    let nobody = people::anonymous(server).await;
    program(server, &json!({ "anon_refresh_token": nobody.refresh_token })).await;
    let (_, login) = program(server, &json!({})).await;
    let body = json!({ "login_code": login, "refresh_token": ada.refresh_token });
    server.post("/auth/cli/complete").client().json(&body).send().await.expect(200);
}
