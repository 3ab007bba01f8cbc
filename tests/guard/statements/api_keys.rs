//! Keys of users and teams: made, listed, changed, checked, reported.

use latchkey_testkit::TestServer;
use latchkey_tests::teams;
use serde_json::json;

pub(super) async fn tour(server: &TestServer, user: &str) {
    let team = &*teams::create(server, "Keys").await;
    for (kind, owner, id) in [("user", "user_id", user), ("team", "team_id", team)] {
        let path = format!("/{kind}-api-keys");
        let body = json!({ owner: id, "description": "a", "expires_at_millis": null });
        let key = server.post(&path).server().json(&body).send().await.expect(200);
        server
            .post(&format!("{path}/check"))
            .server()
            .json(&json!({ "api_key": key["value"] }))
            .send()
            .await
            .expect(200);
        server.get(&format!("{path}?{owner}={id}&include=usage")).server().send().await.expect(200);
        let own = format!("{path}/{}?{owner}={id}", key["id"].as_str().expect("an id"));
        server.patch(&own).server().json(&json!({ "description": "b" })).send().await.expect(200);
        let report =
            server.post("/integrations/credential-scanning/revoke").json(&json!({ "api_key": key["value"] }));
        report.send().await.expect(200);
    }
}
