//! Contact channels and their verification, accounts as records, notification preferences.

use latchkey_testkit::TestServer;
use serde_json::json;

/// Contact channels, accounts, preferences.
pub(super) async fn tour(server: &TestServer, user: &str) {
    let body = json!({
        "user_id": user, "type": "email", "value": "cy@example.com", "used_for_auth": true, "is_primary": true,
    });
    let channel = server.post("/contact-channels").server().json(&body).send().await.expect(201);
    let path = format!("/contact-channels/{user}/{}", channel["id"].as_str().expect("an id"));
    server.get(&path).server().send().await.expect(200);
    server.get("/contact-channels").server().send().await.expect(200);
    let body = json!({ "callback_url": "http://localhost/" });
    server.post(&format!("{path}/send-verification-code")).server().json(&body).send().await.expect(200);
    let mails = latchkey_tests::mail::to(server, "cy@example.com").await;
    let links = latchkey_tests::mail::links(&mails.first().expect("a mail").text);
    let code = links.iter().find_map(|link| link.split_once("code=")).expect("a code").1.to_owned();
    server.post("/contact-channels/verify").client().json(&json!({ "code": code })).send().await.expect(200);
    server.patch(&path).server().json(&json!({ "value": "cy2@example.com" })).send().await.expect(200);
    server.delete(&path).server().send().await.expect(200);

    let listed = server.get("/oauth-providers").server().send().await.expect(200);
    let path = format!("/oauth-providers/{user}/{}", listed["items"][0]["id"].as_str().expect("an id"));
    server.get(&path).server().send().await.expect(200);
    server.patch(&path).server().json(&json!({ "account_id": "8" })).send().await.expect(200);
    let path = format!("/emails/notification-preference/{user}");
    server.get(&path).server().send().await.expect(200);
    let marketing = format!("{path}/4f6f8873-3d04-46bd-8bef-18338b1a1b4c");
    server.patch(&marketing).server().json(&json!({ "enabled": false })).send().await.expect(200);
}

/// The first account of the list goes.
pub(super) async fn unlink(server: &TestServer) {
    let unlink = server.get("/oauth-providers").server().send().await.expect(200)["items"][0].clone();
    let text = |name: &str| unlink[name].as_str().expect("an id").to_owned();
    let path = format!("/oauth-providers/{}/{}", text("user_id"), text("id"));
    server.delete(&path).server().send().await.expect(200);
}
