//! Contract 03 §4–§6 and §9, design §5: sessions and their refresh tokens.

mod creation;
mod ending;
mod listing;
mod oauth_token;
mod refresh;
mod rotation;

use latchkey_testkit::{Answer, TestServer};
use serde_json::json;

/// A refresh by header, as the Stack SDKs' server side does it: the token stays.
async fn refresh_by_header(server: &TestServer, token: &str) -> Answer {
    server.post("/auth/sessions/current/refresh").client().header("x-stack-refresh-token", token).send().await
}

/// A refresh by JSON body, as the Python guide does it: the token is replaced.
async fn refresh_by_body(server: &TestServer, token: &str) -> Answer {
    server
        .post("/auth/sessions/current/refresh")
        .client()
        .json(&json!({ "refresh_token": token }))
        .send()
        .await
}

/// The refresh is refused as one with a dead token is.
#[track_caller]
fn assert_dead(answer: &Answer) {
    assert!(answer.expect_error(401, "REFRESH_TOKEN_NOT_FOUND_OR_EXPIRED").is_null());
}

/// Signs out with an access token.
async fn sign_out(server: &TestServer, access_token: &str) -> Answer {
    server.delete("/auth/sessions/current").client().user(access_token).send().await
}
