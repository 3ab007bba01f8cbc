//! Contract 07 §5.4: the configuration and its overrides. The rules of merging have their tests beside the code.

use latchkey_testkit::{Answer, TestServer, on_both_engines};
use latchkey_tests::join_all;
use reqwest::Method;
use serde_json::{Value, json};

const DEFAULT_THEME: &str = "1df07ae6-abf3-4a40-83a5-a1a2cbe336ac";
const RESET: &str = "a70fb3a4-56c1-4e42-af25-49d25603abd0";
/// A theme or a template of the project's own.
const OWN: &str = "00000000-0000-4000-8000-0000000000a1";

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
        let mut config = rendered(&server).await;
        for kind in ["themes", "templates"] {
            for entry in config["emails"][kind].as_object_mut().expect("entries").values_mut() {
                let source = entry.as_object_mut().expect("an entry").remove("tsxSource").expect("a source");
                assert!(source.as_str().is_some_and(|source| !source.is_empty()), "{kind}: {source}");
            }
        }
        assert_eq!(config, json!({
            "project": { "requirePublishableClientKey": false },
            "auth": {
                "allowSignUp": true,
                "password": { "allowSignIn": true }, "otp": { "allowSignIn": false }, "passkey": { "allowSignIn": false },
                "oauth": { "accountMergeStrategy": "link_method", "providers": {} },
                "signUpRules": {}, "signUpRulesDefaultAction": "allow",
            },
            "users": { "allowClientUserDeletion": false },
            "teams": { "createPersonalTeamOnSignUp": false, "allowClientTeamCreation": false },
            "onboarding": { "requireEmailVerification": false },
            "rbac": {
                "permissions": {
                    "team_member": { "scope": "team", "containedPermissionIds": { "$read_members": true, "$invite_members": true } },
                    "team_admin": { "scope": "team", "containedPermissionIds": {
                        "$update_team": true, "$delete_team": true, "$read_members": true, "$remove_members": true,
                        "$invite_members": true, "$manage_api_keys": true,
                    } },
                },
                "defaultPermissions": { "teamCreator": { "team_admin": true }, "teamMember": { "team_member": true }, "signUp": {} },
            },
            "apiKeys": { "enabled": { "user": false, "team": false } },
            "domains": { "allowLocalhost": true, "trustedDomains": {} },
            "emails": {
                "selectedThemeId": DEFAULT_THEME,
                "themes": {
                    DEFAULT_THEME: { "displayName": "Default Light" },
                    "a0172b5d-cff0-463b-83bb-85124697373a": { "displayName": "Default Dark" },
                    "c7e2d94f-8a1b-4e6d-b3f5-9d0a2e7c1b8f": { "displayName": "Default Colorful" },
                },
                "templates": {
                    "e7d009ce-8d47-4528-b245-5bf119f2ffa3": { "displayName": "Email Verification" },
                    RESET: { "displayName": "Password Reset" },
                    "822687fe-8d0a-4467-a0d1-416b6e639478": { "displayName": "Magic Link/OTP" },
                    "e84de395-2076-4831-9c19-8e9a96a868e4": { "displayName": "Team Invitation" },
                    "066dd73c-36da-4fd0-b6d6-ebf87683f8bc": { "displayName": "Sign In Invitation" },
                },
                "server": { "isShared": true, "provider": "smtp" },
            },
            "apps": { "installed": { "authentication": { "enabled": true }, "emails": { "enabled": true } } },
            "dataVault": { "stores": {} },
            "latchkey": {
                "requireRefreshRotation": false, "anonymousTokensUseProjectAudience": false, "extraClaims": [],
                "password": {
                    "minLength": 8, "maxLength": 70, "requireClasses": false, "refuseCommon": true, "breachCheck": true,
                },
                "passkeys": { "requireUserVerification": false, "verifiedPasskeysAreTwoFactors": true },
                "reauthentication": { "maxAgeSeconds": 600, "enforceOn": "latchkey_endpoints" },
            },
        }));
    }

    async fn a_selected_theme_that_does_not_exist_is_rendered_as_the_default_one(server) {
        let selected = async || rendered(&server).await["emails"]["selectedThemeId"].clone();
        patch(&server, "branch", &json!({ "emails.selectedThemeId": OWN })).await.expect(200);
        assert_eq!(selected().await, DEFAULT_THEME);
        assert_eq!(stored(&server, "branch").await["emails.selectedThemeId"], OWN, "what was written stays");
        patch(&server, "branch", &json!({ format!("emails.themes.{OWN}"): { "displayName": "Mine" } })).await.expect(200);
        assert_eq!(selected().await, OWN, "now it exists");
    }

    async fn own_templates_are_rendered_only_with_a_mail_server_of_ones_own(server) {
        let templates = async || rendered(&server).await["emails"]["templates"].clone();
        let built_in = templates().await;
        patch(&server, "branch", &json!({
            format!("emails.templates.{OWN}"): { "displayName": "Mine", "tsxSource": "mine" },
            format!("emails.templates.{RESET}.tsxSource"): "changed",
        })).await.expect(200);
        assert_eq!(templates().await, built_in);
        let own_server = json!({
            "isShared": false, "host": "smtp.example.com", "port": 25, "username": "u", "password": "p", "senderName": "n",
            "senderEmail": "e@example.com",
        });
        patch(&server, "environment", &json!({ "emails.server": own_server })).await.expect(200);
        let mut expected = built_in.clone();
        expected[OWN] = json!({ "displayName": "Mine", "tsxSource": "mine" });
        expected[RESET]["tsxSource"] = json!("changed");
        assert_eq!(templates().await, expected);
        patch(&server, "environment", &json!({ "emails.server": { "isShared": true } })).await.expect(200);
        assert_eq!(templates().await, built_in);
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
