//! Owners of projects, sets of keys, and the end of a project.

use latchkey_identity::project_deletion;
use latchkey_testkit::TestServer;
use latchkey_tests::owners;
use serde_json::json;

/// Owners of projects, keys, and the end of a project.
pub(super) async fn tour(server: &TestServer) {
    let owner = owners::sign_up(server, "owner@example.com").await;
    let (one, two) = (
        owners::team(server, &owner, &["team_admin"]).await,
        owners::team(server, &owner, &["team_admin"]).await,
    );
    let project = owners::project(server, &owner, &one, &json!({})).await;
    let id = project["id"].as_str().expect("an id");
    let own = || owners::internal(server.get("/internal/projects")).user(&owner.access_token).send();
    own().await.expect(200);
    let body = json!({ "project_id": id, "new_team_id": two });
    let hand = owners::internal(server.post("/internal/projects/transfer")).user(&owner.access_token);
    hand.json(&body).send().await.expect(200);
    let body = json!({
        "description": "", "expires_at_millis": 1, "has_publishable_client_key": true,
        "has_secret_server_key": false, "has_super_secret_admin_key": false,
    });
    let administering = |request| owners::administering(request, id, &owner);
    let set = administering(server.post("/internal/api-keys")).json(&body).send().await.expect(200);
    let path = format!("/internal/api-keys/{}", set["id"].as_str().expect("an id"));
    administering(server.get(&path)).send().await.expect(200);
    administering(server.patch(&path)).json(&json!({ "revoked": true })).send().await.expect(200);
    administering(server.delete("/internal/projects/current")).send().await.expect(200);
    project_deletion::run_due(server.app()).await.expect("a purge");
    let counts = latchkey_storage::project_deletion::count_all(&id.parse().expect("a project id"));
    server.app().store.batch(counts).await.expect("counts");
}
