//! Contract 07 §2 and §3: the project of the request, as administrators read and change it.

use latchkey_testkit::{Answer, TestServer, on_both_engines};
use latchkey_tests::{people, teams};
use serde_json::{Value, json};

async fn read(server: &TestServer) -> Value {
    server.get("/internal/projects/current").admin().send().await.expect(200)
}

async fn patch(server: &TestServer, body: &Value) -> Answer {
    server.patch("/internal/projects/current").admin().json(body).send().await
}

async fn configured(server: &TestServer, config: &Value) -> Value {
    patch(server, &json!({ "config": config })).await.expect(200)["config"].clone()
}

on_both_engines! {
    async fn administrators_see_every_field(server) {
        let project = read(&server).await;
        let created = project["created_at_millis"].clone();
        assert_eq!(project, json!({
            "id": server.project_id(),
            "display_name": "The test project",
            "description": "",
            "logo_url": null, "logo_full_url": null, "logo_dark_mode_url": null, "logo_full_dark_mode_url": null,
            "created_at_millis": created,
            "is_production_mode": false,
            "owner_team_id": project["owner_team_id"],
            "onboarding_status": "completed",
            "config": {
                "allow_localhost": true,
                "sign_up_enabled": true,
                "credential_enabled": true,
                "magic_link_enabled": false,
                "passkey_enabled": false,
                "client_team_creation_enabled": false,
                "client_user_deletion_enabled": false,
                "allow_user_api_keys": false,
                "allow_team_api_keys": false,
                "oauth_providers": [],
                "enabled_oauth_providers": [],
                "domains": [],
                "email_config": { "type": "shared" },
                "email_theme": "1df07ae6-abf3-4a40-83a5-a1a2cbe336ac",
                "create_team_on_sign_up": false,
                "team_creator_default_permissions": [{ "id": "team_admin" }],
                "team_member_default_permissions": [{ "id": "team_member" }],
                "user_default_permissions": [],
                "oauth_account_merge_strategy": "link_method",
            },
        }));
    }

    async fn every_access_type_sees_the_client_view_of_the_current_project(server) {
        configured(&server, &json!({
            "magic_link_enabled": true,
            "domains": [{ "domain": "https://b.example.com", "handler_path": "/h" }, { "domain": "https://**.A.example.com", "handler_path": "/handler" }],
            "oauth_providers": [{ "id": "github", "type": "shared" }, { "id": "google", "type": "standard", "client_id": "i", "client_secret": "s" }],
        })).await;
        let expected = json!({
            "id": server.project_id(),
            "display_name": "The test project",
            "config": {
                "sign_up_enabled": true, "credential_enabled": true, "magic_link_enabled": true, "passkey_enabled": false,
                "client_team_creation_enabled": false, "client_user_deletion_enabled": false,
                "allow_user_api_keys": false, "allow_team_api_keys": false,
                "enabled_oauth_providers": [{ "id": "github" }, { "id": "google" }],
                "domains": [{ "domain": "https://**.A.example.com", "handler_path": "/handler" }, { "domain": "https://b.example.com", "handler_path": "/h" }],
            },
        });
        for request in [server.get("/projects/current").client(), server.get("/projects/current").server(), server.get("/projects/current").admin()] {
            assert_eq!(request.send().await.expect(200), expected);
        }
    }

    async fn top_level_fields_are_written_and_what_is_absent_stays(server) {
        let changed = patch(&server, &json!({
            "display_name": "Renamed", "description": "About", "logo_url": "https://example.com/a.png",
            "logo_full_url": "https://example.com/b.png", "logo_dark_mode_url": "https://example.com/c.png",
            "logo_full_dark_mode_url": "https://example.com/d.png", "is_production_mode": true, "onboarding_status": "domain_setup",
        })).await.expect(200);
        assert_eq!((&changed["display_name"], &changed["logo_full_dark_mode_url"]), (&json!("Renamed"), &json!("https://example.com/d.png")));
        assert_eq!((&changed["is_production_mode"], &changed["onboarding_status"]), (&json!(true), &json!("domain_setup")));
        let again = patch(&server, &json!({ "description": null, "logo_url": null })).await.expect(200);
        assert_eq!((&again["description"], &again["logo_url"], &again["display_name"]), (&json!(""), &Value::Null, &json!("Renamed")));
        assert_eq!(read(&server).await, again);
        assert_eq!(server.get("/projects/current").client().send().await.expect(200)["display_name"], "Renamed");
    }

    async fn what_is_not_written_by_administrators_is_refused(server) {
        for body in [
            json!({ "id": "x" }), json!({ "created_at_millis": 1 }), json!({ "owner_team_id": "00000000-0000-4000-8000-0000000000a1" }),
            json!({ "display_name": "" }), json!({ "display_name": null }), json!({ "onboarding_status": "done" }),
            json!({ "config": { "enabled_oauth_providers": [] } }), json!({ "config": { "unknown": true } }),
            json!({ "config": { "sign_up_enabled": null } }), json!({ "config": { "oauth_account_merge_strategy": "x" } }),
            json!({ "config": { "domains": [{ "domain": "example.com", "handler_path": "/h" }] } }),
            json!({ "config": { "domains": [{ "domain": "ftp://example.com", "handler_path": "/h" }] } }),
            json!({ "config": { "domains": [{ "domain": "https://example.com" }] } }),
            json!({ "config": { "oauth_providers": [{ "id": "myspace", "type": "shared" }] } }),
            json!({ "config": { "oauth_providers": [{ "id": "google", "type": "standard", "client_id": "x" }] } }),
            json!({ "config": { "oauth_providers": [{ "id": "google", "type": "standard", "client_id": "x", "client_secret": "" }] } }),
            json!({ "config": { "oauth_providers": [{ "id": "google", "type": "shared", "provider_config_id": "google" }] } }),
            json!({ "config": { "email_config": { "type": "standard", "host": "x" } } }),
            json!({ "config": { "email_config": { "type": "else" } } }),
        ] {
            patch(&server, &body).await.expect_error(400, "SCHEMA_ERROR");
        }
        patch(&server, &json!({ "logo_url": "javascript:alert(1)" })).await.expect_text(400);
        server.patch("/internal/projects/current").client().json(&json!({})).send().await.expect_error(401, "INSUFFICIENT_ACCESS_TYPE");
        server.get("/internal/projects/current").server().send().await.expect_error(401, "INSUFFICIENT_ACCESS_TYPE");
    }

    async fn every_switch_is_written_and_read_and_the_others_stay(server) {
        for field in [
            "allow_localhost", "sign_up_enabled", "credential_enabled", "magic_link_enabled", "passkey_enabled",
            "client_team_creation_enabled", "client_user_deletion_enabled", "allow_user_api_keys", "allow_team_api_keys",
            "create_team_on_sign_up",
        ] {
            let before = read(&server).await["config"].clone();
            for value in [false, true] {
                let after = configured(&server, &json!({ field: value })).await;
                let mut expected = before.clone();
                expected[field] = json!(value);
                assert_eq!(after, expected, "{field}");
            }
            configured(&server, &json!({ field: before[field] })).await;
        }
    }

    async fn every_word_of_a_choice_is_written_and_read(server) {
        for strategy in ["raise_error", "allow_duplicates", "link_method"] {
            configured(&server, &json!({ "oauth_account_merge_strategy": strategy })).await;
            assert_eq!(read(&server).await["config"]["oauth_account_merge_strategy"], strategy);
        }
        for status in [
            "config_choice", "apps_selection", "auth_setup", "domain_setup", "email_theme_setup", "payments_setup", "welcome", "completed",
        ] {
            patch(&server, &json!({ "onboarding_status": status })).await.expect(200);
            assert_eq!(read(&server).await["onboarding_status"], status);
        }
    }

    async fn each_of_the_twelve_providers_takes_credentials_of_the_project_s_own(server) {
        let mut providers: Vec<Value> = [
            "apple", "bitbucket", "discord", "facebook", "github", "gitlab", "google", "linkedin", "microsoft", "spotify", "twitch", "x",
        ].iter().map(|id| json!({ "id": id, "type": "standard", "client_id": format!("client of {id}"), "client_secret": "s" })).collect();
        configured(&server, &json!({ "oauth_providers": providers })).await;
        for provider in &mut providers {
            let key = provider["id"].clone();
            provider["provider_config_id"] = key;
        }
        assert_eq!(read(&server).await["config"]["oauth_providers"], json!(providers));
    }

    async fn requiring_verified_emails_is_written_and_never_read(server) {
        let config = configured(&server, &json!({ "require_email_verification": true })).await;
        assert!(config.get("require_email_verification").is_none());
        let user = people::sign_up(&server, "ada@example.com").await;
        let seen = people::seen_by_server(&server, &user.id).await;
        assert_eq!(seen["restricted_reason"], json!({ "type": "email_not_verified" }));
    }

    async fn oauth_providers_are_replaced_all_at_once_and_sorted(server) {
        let config = configured(&server, &json!({ "oauth_providers": [
            { "id": "microsoft", "type": "standard", "client_id": "m", "client_secret": "s", "microsoft_tenant_id": "t" },
            { "id": "facebook", "type": "standard", "client_id": "f", "client_secret": "s", "facebook_config_id": "c" },
            { "id": "apple", "type": "standard", "client_id": "a", "client_secret": "s", "apple_bundle_ids": ["b.two", "a.one"] },
            { "id": "spotify", "type": "shared" },
        ] })).await;
        assert_eq!(config["oauth_providers"], json!([
            { "provider_config_id": "apple", "id": "apple", "type": "standard", "client_id": "a", "client_secret": "s", "apple_bundle_ids": ["b.two", "a.one"] },
            { "provider_config_id": "facebook", "id": "facebook", "type": "standard", "client_id": "f", "client_secret": "s", "facebook_config_id": "c" },
            { "provider_config_id": "microsoft", "id": "microsoft", "type": "standard", "client_id": "m", "client_secret": "s", "microsoft_tenant_id": "t" },
            { "provider_config_id": "spotify", "id": "spotify", "type": "shared" },
        ]));
        assert_eq!(config["enabled_oauth_providers"], json!([{ "id": "apple" }, { "id": "facebook" }, { "id": "microsoft" }, { "id": "spotify" }]));
        let fewer = configured(&server, &json!({ "oauth_providers": [{ "id": "google", "type": "shared" }] })).await;
        assert_eq!(fewer["enabled_oauth_providers"], json!([{ "id": "google" }]));
        let rendered = server.get("/internal/config").admin().send().await.expect(200);
        let rendered: Value = serde_json::from_str(rendered["config_string"].as_str().expect("a text")).expect("JSON");
        let google = &rendered["auth"]["oauth"]["providers"]["google"];
        assert_eq!((&google["allowSignIn"], &google["allowConnectedAccounts"]), (&json!(true), &json!(true)));
    }

    async fn a_provider_without_sign_in_is_not_listed(server) {
        let keys = json!({ "auth.oauth.providers": { "mine": { "type": "github", "allowSignIn": false }, "typeless": { "allowSignIn": true } } });
        let body = json!({ "config_override_string": keys.to_string() });
        server.patch("/internal/config/override/environment").admin().json(&body).send().await.expect(200);
        assert_eq!(read(&server).await["config"]["oauth_providers"], json!([]));
    }

    async fn shared_keys_exist_for_four_providers_only(server) {
        for id in ["google", "github", "microsoft", "spotify"] {
            configured(&server, &json!({ "oauth_providers": [{ "id": id, "type": "shared" }] })).await;
        }
        for id in ["facebook", "discord", "gitlab", "bitbucket", "linkedin", "apple", "x", "twitch"] {
            let answer = patch(&server, &json!({ "config": { "oauth_providers": [{ "id": id, "type": "shared" }] } })).await;
            assert_eq!(answer.expect_error(400, "INVALID_SHARED_OAUTH_PROVIDER_ID"), json!({ "provider_id": id }));
        }
        let twice = json!({ "config": { "oauth_providers": [{ "id": "google", "type": "shared" }, { "id": "google", "type": "shared" }] } });
        patch(&server, &twice).await.expect_text(400);
    }

    async fn a_mail_server_of_ones_own_needs_every_field_and_shows_its_password(server) {
        let own = json!({
            "type": "standard", "host": "smtp.example.com", "port": 587, "username": "u", "password": "p", "sender_name": "N", "sender_email": "n@example.com",
        });
        assert_eq!(configured(&server, &json!({ "email_config": own })).await["email_config"], own);
        for name in own.as_object().expect("an object").keys() {
            let mut less = own.clone();
            less.as_object_mut().expect("an object").remove(name);
            patch(&server, &json!({ "config": { "email_config": less } })).await.expect_error(400, "SCHEMA_ERROR");
            if name != "port" {
                less[name] = json!("");
                patch(&server, &json!({ "config": { "email_config": less } })).await.expect_error(400, "SCHEMA_ERROR");
            }
        }
        for (name, value) in [("port", json!(65536)), ("port", json!(-1)), ("password", json!("x".repeat(71)))] {
            let mut other = own.clone();
            other[name] = value;
            patch(&server, &json!({ "config": { "email_config": other } })).await.expect_error(400, "SCHEMA_ERROR");
        }
        let shared = configured(&server, &json!({ "email_config": { "type": "shared" } })).await;
        assert_eq!(shared["email_config"], json!({ "type": "shared" }));
    }

    async fn an_unknown_theme_is_refused(server) {
        let dark = "a0172b5d-cff0-463b-83bb-85124697373a";
        assert_eq!(configured(&server, &json!({ "email_theme": dark })).await["email_theme"], dark);
        patch(&server, &json!({ "config": { "email_theme": "00000000-0000-4000-8000-00000000dead" } })).await.expect_text(400);
        patch(&server, &json!({ "config": { "email_theme": "x" } })).await.expect_text(400);
    }

    async fn what_new_members_get_is_written_apart_from_what_creators_get(server) {
        let set = json!([{ "id": "$remove_members" }]);
        let config = configured(&server, &json!({ "team_member_default_permissions": set })).await;
        assert_eq!(config["team_member_default_permissions"], set);
        assert_eq!(config["team_creator_default_permissions"], json!([{ "id": "team_admin" }]));
        assert_eq!(read(&server).await["config"], config);
        let ada = people::sign_up(&server, "ada@example.com").await;
        let bo = people::sign_up(&server, "bo@example.com").await;
        let team = teams::created_by(&server, &ada, "Engines").await;
        teams::add(&server, &team, &bo.id).await.expect(201);
        assert_eq!(teams::permissions(&server, &team, &bo.id, false).await, ["$remove_members"]);
        assert_eq!(teams::permissions(&server, &team, &ada.id, false).await, ["team_admin"]);
    }

    async fn default_permissions_without_a_definition_are_hidden_and_the_rest_is_sorted(server) {
        let config = configured(&server, &json!({
            "team_creator_default_permissions": [{ "id": "team_member" }, { "id": "nothing" }, { "id": "$update_team" }, { "id": "team_admin" }],
            "user_default_permissions": [{ "id": "team_admin" }],
        })).await;
        assert_eq!(config["team_creator_default_permissions"], json!([{ "id": "$update_team" }, { "id": "team_admin" }, { "id": "team_member" }]));
        assert_eq!(config["user_default_permissions"], json!([]), "a team permission is none of a project");
        let keys = json!({ "rbac.permissions.nothing": { "scope": "team" } });
        let body = json!({ "config_override_string": keys.to_string() });
        server.patch("/internal/config/override/environment").admin().json(&body).send().await.expect(200);
        let shown = read(&server).await["config"]["team_creator_default_permissions"].clone();
        assert_eq!(shown, json!([{ "id": "$update_team" }, { "id": "nothing" }, { "id": "team_admin" }, { "id": "team_member" }]));
    }

    async fn a_change_that_breaks_a_rule_changes_nothing(server) {
        let before = read(&server).await;
        let body = json!({ "display_name": "New", "config": { "domains": [{ "domain": "https://a..example.com", "handler_path": "/h" }] } });
        patch(&server, &body).await.expect_text(400);
        assert_eq!(read(&server).await, before);
    }

    async fn logos_come_inline_and_are_served_until_they_are_replaced(server) {
        let png = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
        for field in ["logo_url", "logo_full_url", "logo_dark_mode_url", "logo_full_dark_mode_url"] {
            let shown = patch(&server, &json!({ field: png })).await.expect(200)[field].clone();
            let path = shown.as_str().and_then(|url| url.strip_prefix(server.public_url())).expect("an address of ours").to_owned();
            assert!(path.contains("/project-logos/"), "{path}");
            let get = || server.request(reqwest::Method::GET, &path).send();
            assert_eq!(get().await.status, 200);
            assert_eq!(patch(&server, &json!({ field: null })).await.expect(200)[field], Value::Null);
            get().await.expect_text(404);
        }
        for wrong in ["data:image/png;base64,####", "ftp://example.com/a.png"] {
            patch(&server, &json!({ "logo_url": wrong })).await.expect_text(400);
        }
        patch(&server, &json!({ "logo_url": "" })).await.expect_error(400, "SCHEMA_ERROR");
    }

    async fn mail_servers_of_other_kinds_read_as_standard_ones(server) {
        let own = json!({
            "isShared": false, "provider": "resend", "host": "smtp.example.com", "port": 465, "username": "u", "password": "p",
            "senderName": "N", "senderEmail": "n@example.com",
        });
        let keys = json!({ "emails.server": own });
        let body = json!({ "config_override_string": keys.to_string() });
        server.patch("/internal/config/override/environment").admin().json(&body).send().await.expect(200);
        assert_eq!(read(&server).await["config"]["email_config"], json!({
            "type": "standard", "host": "smtp.example.com", "port": 465, "username": "u", "password": "p", "sender_name": "N",
            "sender_email": "n@example.com",
        }));
    }
}
