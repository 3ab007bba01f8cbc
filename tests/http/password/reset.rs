//! Contract 04 §5.5 and §5.6: forgotten passwords.

mod races;
mod send;
mod using;

use latchkey_testkit::{Answer, TestServer};
use latchkey_tests::mail;
use latchkey_tests::people::OTHER_PASSWORD;
use serde_json::json;

const CALLBACK: &str = "http://localhost:3000/handler/password-reset?next=%2Fhome";

/// Somebody says that they forgot their password.
async fn send(server: &TestServer, email: &str) -> Answer {
    send_to(server, email, CALLBACK).await
}

async fn send_to(server: &TestServer, email: &str, callback: &str) -> Answer {
    let body = json!({ "email": email, "callback_url": callback });
    server.post("/auth/password/send-reset-code").client().json(&body).send().await
}

/// The code that the owner of an address finds in their mail.
async fn code_for(server: &TestServer, email: &str) -> String {
    send(server, email).await.expect(200);
    mail::code_to(server, &email.to_lowercase()).await
}

async fn reset_to(server: &TestServer, code: &str, password: &str) -> Answer {
    let body = json!({ "code": code, "password": password });
    server.post("/auth/password/reset").client().json(&body).send().await
}

async fn reset(server: &TestServer, code: &str) -> Answer {
    reset_to(server, code, OTHER_PASSWORD).await
}

async fn check(server: &TestServer, code: &str) -> Answer {
    server.post("/auth/password/reset/check-code").client().json(&json!({ "code": code })).send().await
}
