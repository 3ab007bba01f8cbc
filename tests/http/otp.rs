//! Contract 04 §6: codes and links by mail that sign in.

mod races;
mod send;
mod sign_in;
mod sign_up;

use latchkey_testkit::{Answer, Builder, Request, TestServer};
use latchkey_tests::mail;
use latchkey_tests::people;
use serde_json::json;

const CALLBACK: &str = "http://localhost:3000/handler/magic-link-callback?next=%2Fhome&code=old";

/// A server whose test project signs in by codes.
fn with_otp() -> Builder {
    TestServer::builder().project(|settings| settings.auth.otp.allow_sign_in = true)
}

/// Somebody asks for a code.
async fn send(server: &TestServer, email: &str) -> Answer {
    let body = json!({ "email": email, "callback_url": CALLBACK });
    server.post("/auth/otp/send-sign-in-code").client().json(&body).send().await
}

/// The code that somebody who asked for one finds in their mail.
async fn code_for(server: &TestServer, email: &str) -> String {
    send(server, email).await.expect(200);
    mail::code_to(server, &email.to_lowercase()).await
}

fn using<'s>(server: &'s TestServer, code: &str) -> Request<'s> {
    server.post("/auth/otp/sign-in").client().json(&json!({ "code": code }))
}

async fn sign_in(server: &TestServer, code: &str) -> Answer {
    using(server, code).send().await
}

async fn check(server: &TestServer, code: &str) -> Answer {
    server.post("/auth/otp/sign-in/check-code").client().json(&json!({ "code": code })).send().await
}

/// The id of somebody new who proved to own this address, and has no way to sign in yet.
async fn verified(server: &TestServer, email: &str) -> String {
    let fields =
        json!({ "primary_email": email, "primary_email_verified": true, "primary_email_auth_enabled": true });
    people::create(server, &fields).await["id"].as_str().expect("an id").to_owned()
}

/// Changes the settings of the test project while the server runs.
async fn set(server: &TestServer, key: &str, value: serde_json::Value) {
    let override_ = json!({ key: value }).to_string();
    let body = json!({ "config_override_string": override_ });
    server.patch("/internal/config/override/environment").admin().json(&body).send().await.expect(200);
}
