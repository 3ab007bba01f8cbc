//! Contract 07 §5.4: the configuration and its overrides. The rules of merging have their tests beside the code.

use latchkey_testkit::{Answer, TestServer, on_both_engines};
use latchkey_tests::join_all;
use reqwest::Method;
use serde_json::{Value, json};

fn path(level: &str) -> String {
    format!("/internal/config/override/{level}")
}

async fn stored(server: &TestServer, level: &str) -> Value {
    let answer = server.get(&path(level)).admin().send().await.expect(200);
    serde_json::from_str(answer["config_string"].as_str().expect("a text")).expect("JSON")
}

async fn rendered(server: &TestServer) -> Value {
    let answer = server.get("/internal/config").admin().send().await.expect(200);
    assert_eq!(answer.as_object().expect("an object").len(), 1);
    serde_json::from_str(answer["config_string"].as_str().expect("a text")).expect("JSON")
}

async fn put(server: &TestServer, level: &str, keys: &Value) -> Answer {
    let mut body = json!({ "config_string": keys.to_string() });
    if level == "branch" {
        body["source"] = json!({ "type": "pushed-from-unknown" });
    }
    server.api(Method::PUT, &path(level)).admin().json(&body).send().await
}

async fn patch(server: &TestServer, level: &str, keys: &Value) -> Answer {
    let body = json!({ "config_override_string": keys.to_string() });
    server.patch(&path(level)).admin().json(&body).send().await
}

on_both_engines! {
    async fn the_rendered_configuration_holds_every_default(server) {
        let config = rendered(&server).await;
        assert_eq!(config["project"], json!({ "requirePublishableClientKey": false }));
        assert_eq!(config["auth"]["allowSignUp"], true);
        assert_eq!(config["auth"]["otp"], json!({ "allowSignIn": false }));
        assert_eq!(config["auth"]["signUpRulesDefaultAction"], "allow");
        assert_eq!(config["domains"], json!({ "allowLocalhost": true, "trustedDomains": {} }));
        assert_eq!(config["emails"]["server"], json!({ "isShared": true, "provider": "smtp" }));
        assert_eq!(config["emails"]["selectedThemeId"], "1df07ae6-abf3-4a40-83a5-a1a2cbe336ac");
        assert_eq!(config["emails"]["themes"].as_object().expect("themes").len(), 3);
        assert_eq!(config["apps"]["installed"]["authentication"], json!({ "enabled": true }));
        assert_eq!(config["dataVault"], json!({ "stores": {} }));
        assert_eq!(config["rbac"]["defaultPermissions"]["teamCreator"], json!({ "team_admin": true }));
    }

    async fn a_put_replaces_an_override_and_a_patch_lays_over_it(server) {
        assert_eq!(put(&server, "branch", &json!({ "auth.allowSignUp": false, "users": {} })).await.expect(200), json!({ "success": true }));
        assert_eq!(stored(&server, "branch").await, json!({ "auth.allowSignUp": false, "users": {} }));
        patch(&server, "branch", &json!({ "teams.allowClientTeamCreation": true, "users": { "allowClientUserDeletion": true } })).await.expect(200);
        assert_eq!(stored(&server, "branch").await, json!({
            "auth.allowSignUp": false, "teams.allowClientTeamCreation": true, "users": { "allowClientUserDeletion": true },
        }));
        put(&server, "branch", &json!({})).await.expect(200);
        assert_eq!(stored(&server, "branch").await, json!({}));
    }

    async fn overrides_change_what_the_server_does_at_once(server) {
        let current = || server.get("/projects/current").client().send();
        assert_eq!(current().await.expect(200)["config"]["sign_up_enabled"], true);
        patch(&server, "branch", &json!({ "auth.allowSignUp": false })).await.expect(200);
        assert_eq!(current().await.expect(200)["config"]["sign_up_enabled"], false);
        let body = json!({ "email": "ada@example.com", "password": "a quiet harbour at 6" });
        server.post("/auth/password/sign-up").client().json(&body).send().await.expect_error(400, "SIGN_UP_NOT_ENABLED");
        patch(&server, "environment", &json!({ "auth.allowSignUp": true })).await.expect(200);
        assert_eq!(current().await.expect(200)["config"]["sign_up_enabled"], true, "the environment wins");
        patch(&server, "environment", &json!({ "auth.allowSignUp": null })).await.expect(200);
        assert_eq!(current().await.expect(200)["config"]["sign_up_enabled"], true, "null is the default");
    }

    async fn what_the_legacy_fields_write_wins_over_the_branch(server) {
        let body = json!({ "config": { "sign_up_enabled": true } });
        server.patch("/internal/projects/current").admin().json(&body).send().await.expect(200);
        assert_eq!(stored(&server, "environment").await["auth.allowSignUp"], true);
        put(&server, "branch", &json!({ "auth.allowSignUp": false })).await.expect(200);
        assert_eq!(rendered(&server).await["auth"]["allowSignUp"], true);
    }

    async fn malformed_overrides_are_refused_and_change_nothing(server) {
        let before = stored(&server, "environment").await;
        let refused = [
            ("environment", json!([])), ("environment", json!("x")),
            ("environment", json!({ "payments": {} })), ("environment", json!({ "auth": { "nothing": 1 } })),
            ("environment", json!({ "auth": { "password.allowSignIn": true } })),
            ("environment", json!({ "auth.allowSignUp": "yes" })),
            ("environment", json!({ "project.requirePublishableClientKey": true })),
            ("branch", json!({ "domains.allowLocalhost": true })),
            ("branch", json!({ "auth.oauth.providers.google.clientSecret": "x" })),
            ("branch", json!({ "emails": { "server": { "host": "x" } } })),
            ("project", json!({ "auth.allowSignUp": true })),
            ("environment", json!({ "domains.trustedDomains.a": { "baseUrl": "https://a b" } })),
            ("environment", json!({ "domains.trustedDomains.a": { "baseUrl": "ftp://*.example.com" } })),
            ("environment", json!({ "domains.trustedDomains.a": { "baseUrl": "https://a..com" } })),
            ("environment", json!({ "domains.trustedDomains.a": { "baseUrl": "https://a.com", "handlerPath": "handler" } })),
            ("environment", json!({ "domains.trustedDomains.-a": { "baseUrl": "https://a.com" } })),
            ("environment", json!({ "rbac.permissions.Upper": {} })),
        ];
        for (level, keys) in refused {
            put(&server, level, &keys).await.expect_text(400);
            patch(&server, level, &keys).await.expect_text(400);
        }
        let broken = json!({ "config_string": "{" });
        server.api(Method::PUT, &path("environment")).admin().json(&broken).send().await.expect_text(400);
        assert_eq!(stored(&server, "environment").await, before);
    }

    async fn a_level_that_does_not_exist_is_a_schema_error(server) {
        for level in ["organization", "main", ""] {
            let answer = server.get(&path(level)).admin().send().await;
            if level.is_empty() { assert_eq!(answer.status, 404) } else { answer.expect_error(400, "SCHEMA_ERROR"); }
        }
        let reset = server.post(&format!("{}/reset-keys", path("project"))).admin().json(&json!({ "keys": [] }));
        reset.send().await.expect_error(400, "SCHEMA_ERROR");
    }

    async fn servers_reach_the_branch_and_nothing_else(server) {
        let body = json!({ "config_string": "{}", "source": { "type": "unlinked" } });
        let change = json!({ "config_override_string": "{}" });
        server.get(&path("branch")).server().send().await.expect(200);
        server.api(Method::PUT, &path("branch")).server().json(&body).send().await.expect(200);
        server.patch(&path("branch")).server().json(&change).send().await.expect(200);
        for level in ["project", "environment"] {
            server.get(&path(level)).server().send().await.expect_text(403);
            server.api(Method::PUT, &path(level)).server().json(&body).send().await.expect_text(403);
            server.patch(&path(level)).server().json(&change).send().await.expect_text(403);
        }
    }

    async fn the_branch_has_a_source_that_a_put_tells_and_a_patch_keeps(server) {
        let source = || server.get("/internal/config/source").admin().send();
        assert_eq!(source().await.expect(200), json!({ "source": { "type": "unlinked" } }));
        let bare = json!({ "config_string": "{}" });
        server.api(Method::PUT, &path("branch")).admin().json(&bare).send().await.expect_text(400);
        server.api(Method::PUT, &path("environment")).admin().json(&bare).send().await.expect(200);
        let github = json!({
            "type": "pushed-from-github", "owner": "acme", "repo": "app", "branch": "main", "commit_hash": "abc",
            "config_file_path": "stack.config.ts",
        });
        let body = json!({ "config_string": "{\"auth.allowSignUp\":false}", "source": github });
        server.api(Method::PUT, &path("branch")).admin().json(&body).send().await.expect(200);
        patch(&server, "branch", &json!({ "users": {} })).await.expect(200);
        assert_eq!(source().await.expect(200), json!({ "source": github }));
        for wrong in [json!({ "type": "pushed-from-github" }), json!({ "type": "x" }), json!("unlinked"), json!({ "type": "unlinked", "owner": "x" })] {
            let body = json!({ "config_string": "{}", "source": wrong });
            server.api(Method::PUT, &path("branch")).admin().json(&body).send().await.expect_error(400, "SCHEMA_ERROR");
        }
        let forgotten = server.delete("/internal/config/source").admin().send().await.expect(200);
        assert_eq!(forgotten, json!({ "success": true }));
        assert_eq!(source().await.expect(200), json!({ "source": { "type": "unlinked" } }));
        assert_eq!(rendered(&server).await["auth"]["allowSignUp"], false, "the values stay");
    }

    async fn keys_are_reset_with_all_below_them_also_inside_values(server) {
        put(&server, "branch", &json!({
            "auth": { "otp": { "allowSignIn": true }, "passkey": { "allowSignIn": true } }, "auth.otp.allowSignIn": true, "teams.allowClientTeamCreation": true,
        })).await.expect(200);
        let body = json!({ "keys": ["auth.otp", "teams", "unknown.key"] });
        server.post(&format!("{}/reset-keys", path("branch"))).admin().json(&body).send().await.expect(200);
        assert_eq!(stored(&server, "branch").await, json!({ "auth": { "passkey": { "allowSignIn": true } } }));
    }

    async fn changes_at_the_same_time_are_not_lost(server) {
        let apps: Vec<String> = (0..24).map(|number| format!("app-{number}")).collect();
        let changes = apps.iter().map(|app| {
            let server = &server;
            async move { patch(server, "environment", &json!({ format!("apps.installed.{app}.enabled"): true })).await.expect(200) }
        });
        join_all(changes).await;
        let installed = rendered(&server).await["apps"]["installed"].clone();
        for app in &apps {
            assert_eq!(installed[app], json!({ "enabled": true }), "{app}");
        }
    }

    async fn credentials_are_shown_to_administrators_and_lie_sealed(server) {
        let secret = "a-credential-of-a-provider";
        patch(&server, "environment", &json!({
            "auth.oauth.providers": { "github": { "type": "github", "isShared": false, "clientId": "id", "clientSecret": secret, "allowSignIn": true } },
            "emails.server": { "isShared": false, "host": "smtp.example.com", "port": 25, "username": "u", "password": secret, "senderName": "n", "senderEmail": "e@example.com" },
        })).await.expect(200);
        let config = rendered(&server).await;
        assert_eq!(config["auth"]["oauth"]["providers"]["github"]["clientSecret"], secret);
        assert_eq!(config["emails"]["server"]["password"], secret);
        let id = server.project_id().parse().expect("a project id");
        let read = server.app().store.read(move |tx| Box::pin(async move { latchkey_storage::projects::get(tx, &id).await }));
        let row = read.await.expect("a row").expect("a project");
        assert!(!row.settings.contains(secret) && row.settings.starts_with("sealed:"));
    }

    async fn another_master_key_seals_the_configuration_again(server) {
        patch(&server, "environment", &json!({ "auth.allowSignUp": false })).await.expect(200);
        let fresh = format!("new:bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmU=,{}", latchkey_testkit::MASTER_KEY);
        let both = server.twin_with(|builder| builder.config("security.master_keys", &fresh)).await;
        latchkey_identity::master_key_rotation::reseal(both.app()).await.expect("sealed again");
        let only = server.twin_with(|builder| builder.config("security.master_keys", "new:bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmU=")).await;
        assert_eq!(rendered(&only).await["auth"]["allowSignUp"], false);
    }

    async fn what_one_server_changes_the_others_see_within_a_second(server) {
        let twin = server.twin().await;
        let enabled = |answer: Value| answer["config"]["magic_link_enabled"].clone();
        assert_eq!(enabled(twin.get("/projects/current").client().send().await.expect(200)), false);
        patch(&server, "environment", &json!({ "auth.otp.allowSignIn": true })).await.expect(200);
        twin.clock().advance_seconds(1);
        assert_eq!(enabled(twin.get("/projects/current").client().send().await.expect(200)), true);
    }

    async fn permission_definitions_are_written_whole_to_the_environment_and_win_over_the_branch(server) {
        put(&server, "branch", &json!({
            "rbac.permissions.pushed": { "scope": "team" }, "rbac.permissions.team_member": { "scope": "team", "description": "pushed" },
        })).await.expect(200);
        let body = json!({ "id": "mine", "contained_permission_ids": ["pushed"] });
        server.post("/team-permission-definitions").admin().json(&body).send().await.expect(201);
        let written = stored(&server, "environment").await["rbac.permissions"].clone();
        let ids: Vec<&String> = written.as_object().expect("a whole map").keys().collect();
        assert_eq!(ids, ["mine", "pushed", "team_admin", "team_member"]);
        assert_eq!(written["mine"], json!({ "scope": "team", "containedPermissionIds": { "pushed": true } }));
        put(&server, "branch", &json!({})).await.expect(200);
        assert!(rendered(&server).await["rbac"]["permissions"].get("pushed").is_some(), "a push takes nothing away any more");
    }

    async fn a_key_into_an_entry_that_does_not_exist_is_kept_without_effect(server) {
        let before = rendered(&server).await;
        patch(&server, "environment", &json!({ "auth.oauth.providers.github.allowSignIn": true })).await.expect(200);
        assert_eq!(stored(&server, "environment").await["auth.oauth.providers.github.allowSignIn"], true);
        assert_eq!(rendered(&server).await, before);
        let github = json!({ "github": { "type": "github" } });
        put(&server, "branch", &json!({ "auth.oauth.providers": github })).await.expect(200);
        assert_eq!(rendered(&server).await["auth"]["oauth"]["providers"]["github"]["allowSignIn"], true, "now it exists");
    }
}
