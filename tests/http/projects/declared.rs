//! Projects that the configuration declares: applied at each start, beside what administrators change.

use latchkey_testkit::{TestServer, on_both_engines};
use serde_json::{Value, json};

async fn current(server: &TestServer) -> Value {
    server.get("/internal/projects/current").admin().send().await.expect(200)
}

async fn configure(server: &TestServer, config: &Value) {
    let body = json!({ "config": config });
    server.patch("/internal/projects/current").admin().json(&body).send().await.expect(200);
}

on_both_engines! {
    async fn a_start_leaves_alone_what_is_not_declared(server) {
        configure(&server, &json!({ "magic_link_enabled": true, "credential_enabled": false })).await;
        let body = json!({ "description": "mine", "logo_url": "https://example.com/a.png", "onboarding_status": "welcome" });
        server.patch("/internal/projects/current").admin().json(&body).send().await.expect(200);
        let before = current(&server).await;
        let twin = server.twin().await;
        assert_eq!(current(&twin).await, before);
    }

    async fn a_start_brings_back_what_is_declared(
        server,
        builder = TestServer::builder().project(|settings| settings.auth.otp.allow_sign_in = true)
    ) {
        configure(&server, &json!({ "magic_link_enabled": false, "passkey_enabled": true })).await;
        server.patch("/internal/projects/current").admin().json(&json!({ "display_name": "Other" })).send().await.expect(200);
        let twin = server.twin().await;
        let seen = current(&twin).await;
        assert_eq!((&seen["config"]["magic_link_enabled"], &seen["config"]["passkey_enabled"]), (&json!(true), &json!(true)));
        assert_eq!(seen["display_name"], "The test project");
    }

    async fn a_revoked_declared_key_stays_revoked_until_another_one_is_declared(server) {
        let list = server.get("/internal/api-keys").admin().send().await.expect(200);
        let path = format!("/internal/api-keys/{}", list["items"][0]["id"].as_str().expect("an id"));
        server.patch(&path).admin().json(&json!({ "revoked": true })).send().await.expect(200);
        server.get("/internal/api-keys").admin().send().await.expect_error(401, "INVALID_SUPER_SECRET_ADMIN_KEY");
        let twin = server.twin().await;
        twin.get("/internal/api-keys").admin().send().await.expect_error(401, "INVALID_SUPER_SECRET_ADMIN_KEY");
    }

    async fn internal_is_a_project_like_any_other_with_its_own_roles(server) {
        let internal = server.get("/projects/current").header("x-stack-access-type", "client").header("x-stack-project-id", "internal");
        let seen = internal.send().await.expect(200);
        let config = &seen["config"];
        assert_eq!((&config["credential_enabled"], &config["client_team_creation_enabled"], &config["sign_up_enabled"]), (&json!(true), &json!(true), &json!(true)));
        let id = latchkey_api_types::ids::ProjectId::internal();
        let project = latchkey_identity::projects::find(server.app(), &id).await;
        let settings = project.expect("a project").expect("a project").settings.clone();
        assert!(settings.teams.create_personal_team_on_sign_up && !settings.onboarding.require_email_verification);
        let contained = |id: &str| settings.rbac.permissions[id].contained_permission_ids.keys().cloned().collect::<Vec<_>>();
        assert_eq!(contained("team_member"), ["$read_members"]);
        assert_eq!(contained("team_admin"), ["$read_members", "$remove_members", "$update_team"]);
    }
}
