//! Registering, using, naming and removing passkeys.

use latchkey_testkit::TestServer;
use latchkey_tests::{passkeys, people};
use serde_json::json;

/// Registering, using, naming and removing passkeys.
pub(super) async fn tour(server: &TestServer, person: &people::Person) {
    let key = passkeys::registered(server, person).await;
    passkeys::sign_in(server, &key).await.expect(200);
    let listed = passkeys::list(server, &person.id).await;
    let path = format!("/passkeys/{}/{}", person.id, listed[0]["id"].as_str().expect("an id"));
    server.patch(&path).server().json(&json!({ "name": "x" })).send().await.expect(200);
    server.delete(&path).server().send().await.expect(200);
    passkeys::registered(server, person).await;
    people::change(server, &person.id, &json!({ "passkey_auth_enabled": false })).await;
}
