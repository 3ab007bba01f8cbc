//! Sign-up rules.

use latchkey_testkit::TestServer;
use latchkey_tests::people::{self, PASSWORD};
use serde_json::json;

/// A rule restricts somebody who was anonymous, and what it did is counted.
pub(super) async fn tour(server: &TestServer) {
    let rule = json!({ "auth.signUpRules.all": { "enabled": true, "condition": "true", "action": { "type": "restrict" } } });
    let body = json!({ "config_override_string": rule.to_string() });
    server.patch("/internal/config/override/branch").admin().json(&body).send().await.expect(200);
    let nobody = people::anonymous(server).await;
    let body = json!({ "email": "restricted@example.com", "password": PASSWORD });
    let upgrade = server.post("/auth/password/sign-up").client().user(&nobody.access_token);
    upgrade.json(&body).send().await.expect(200);
    server.get("/internal/sign-up-rules-stats").admin().send().await.expect(200);
}
