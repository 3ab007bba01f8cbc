//! The data vault.

use latchkey_testkit::TestServer;
use serde_json::json;

/// A value is kept and read.
pub(super) async fn tour(server: &TestServer) {
    for (verb, body) in
        [("set", json!({ "hashed_key": "a", "encrypted_value": "x" })), ("get", json!({ "hashed_key": "a" }))]
    {
        let path = format!("/data-vault/stores/secrets/{verb}");
        server.post(&path).server().json(&body).send().await.expect(200);
    }
}
