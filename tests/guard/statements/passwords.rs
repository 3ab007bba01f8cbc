//! Passwords: changed, set, removed, forgotten; and codes by mail that sign up.

use latchkey_testkit::TestServer;
use latchkey_tests::people::{self, OTHER_PASSWORD, PASSWORD, Person};
use serde_json::json;

/// Ada changes hers twice; somebody without one sets it and loses it again. Whoever that was.
pub(super) async fn tour(server: &TestServer, ada: &Person) -> Person {
    let update = |old: &str, new: &str| {
        let body = json!({ "old_password": old, "new_password": new });
        server.post("/auth/password/update").client().user(&ada.access_token).json(&body)
    };
    let spared = update(PASSWORD, OTHER_PASSWORD).header("x-stack-refresh-token", &ada.refresh_token);
    spared.send().await.expect(200);
    update(OTHER_PASSWORD, PASSWORD).send().await.expect(200);
    let bo = people::created(server, &json!({})).await;
    let set = server
        .post("/auth/password/set")
        .client()
        .user(&bo.access_token)
        .json(&json!({ "password": PASSWORD }));
    set.send().await.expect(200);
    people::change(server, &bo.id, &json!({ "password": null })).await;
    mailed_codes(server).await;
    bo
}

/// Somebody signs up by a mailed code, and sets a password by another one.
async fn mailed_codes(server: &TestServer) {
    let ask = |path: &str| {
        let body = json!({ "email": "di@example.com", "callback_url": "http://localhost/" });
        server.post(path).client().json(&body).send()
    };
    ask("/auth/otp/send-sign-in-code").await.expect(200);
    let code = latchkey_tests::mail::code_to(server, "di@example.com").await;
    let body = json!({ "code": code });
    server.post("/auth/otp/sign-in").client().json(&body).send().await.expect(200);
    server.clock().advance_seconds(1);
    ask("/auth/password/send-reset-code").await.expect(200);
    let code = latchkey_tests::mail::code_to(server, "di@example.com").await;
    let body = json!({ "code": code, "password": PASSWORD });
    server.post("/auth/password/reset").client().json(&body).send().await.expect(200);
}
