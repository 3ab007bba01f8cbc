//! Contract 04 §5 and design §5: accounts with email and password.

mod change;
mod hashes;
mod reset;
mod rules;
mod sign_in;
mod sign_up;
mod upgrade;
mod verification_mail;

use latchkey_testkit::{Answer, TestServer};
use latchkey_tests::people::PASSWORD;
use serde_json::json;

/// Somebody tries to sign up.
async fn try_sign_up(server: &TestServer, email: &str, password: &str) -> Answer {
    let body = json!({ "email": email, "password": password });
    server.post("/auth/password/sign-up").client().json(&body).send().await
}

/// Somebody tries to sign in.
async fn try_sign_in(server: &TestServer, email: &str, password: &str) -> Answer {
    let body = json!({ "email": email, "password": password });
    server.post("/auth/password/sign-in").client().json(&body).send().await
}

/// Somebody tries to sign up with a link to this callback in the verification mail.
async fn try_callback(server: &TestServer, email: &str, callback: &str) -> Answer {
    let body = json!({ "email": email, "password": PASSWORD, "verification_callback_url": callback });
    server.post("/auth/password/sign-up").client().json(&body).send().await
}
