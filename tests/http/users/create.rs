//! Contract 05 §3.1 and §3.2: `POST /users`.

use latchkey_testkit::{TestServer, on_both_engines};
use latchkey_tests::people::{self, PASSWORD};
use latchkey_tests::{join_all, stored, teams};
use serde_json::{Value, json};

use super::{NOBODY, TOTP, with_github};

async fn refused(server: &TestServer, fields: &Value) {
    let answer = server.post("/users").server().json(fields).send().await;
    assert_eq!(answer.status, 400, "{fields}: {}", answer.text());
    answer.expect_text(400);
}

on_both_engines! {
    async fn an_empty_object_makes_a_user_with_the_defaults(server) {
        let user = people::create(&server, &json!({})).await;
        let now = server.app().now();
        let expected = json!({
            "id": user["id"], "display_name": null, "primary_email": null, "primary_email_verified": false,
            "primary_email_auth_enabled": false, "profile_image_url": null, "signed_up_at_millis": now,
            "last_active_at_millis": now, "client_metadata": null, "client_read_only_metadata": null,
            "server_metadata": null, "has_password": false, "otp_auth_enabled": false, "passkey_auth_enabled": false,
            "auth_with_email": false, "requires_totp_mfa": false, "oauth_providers": [], "selected_team_id": null,
            "selected_team": null, "is_anonymous": false, "is_restricted": false, "restricted_reason": null,
            "restricted_by_admin": false, "restricted_by_admin_reason": null,
            "restricted_by_admin_private_details": null, "country_code": null,
            "risk_scores": { "sign_up": { "bot": 0, "free_trial_abuse": 0 } },
        });
        assert_eq!(user, expected);
        assert_eq!(people::seen_by_server(&server, user["id"].as_str().expect("an id")).await, expected);
        assert_eq!(stored::event_kinds(&server, user["id"].as_str().expect("an id")).await, ["user.created"]);
    }

    async fn every_field_is_kept_as_it_was_sent(server, builder = TestServer::builder().project(|settings| {
        settings.auth.otp.allow_sign_in = true;
    })) {
        let fields = json!({
            "display_name": "Ada Lovelace 漢字 😀", "profile_image_url": "https://example.com/a.png",
            "client_metadata": { "a": [1, 2.5, "x", null, true, { "deep": {} }] }, "client_read_only_metadata": "text",
            "server_metadata": [false], "primary_email": "Ada@Example.com", "primary_email_verified": true,
            "primary_email_auth_enabled": true, "password": PASSWORD, "otp_auth_enabled": true,
            "passkey_auth_enabled": true, "restricted_by_admin": true, "restricted_by_admin_reason": "because",
            "restricted_by_admin_private_details": "secretly", "country_code": " ch ",
            "risk_scores": { "sign_up": { "bot": 100, "free_trial_abuse": 1 } },
        });
        let user = people::create(&server, &fields).await;
        for (field, value) in fields.as_object().expect("fields") {
            match field.as_str() {
                "primary_email" => assert_eq!(user[field], "ada@example.com"),
                "country_code" => assert_eq!(user[field], "CH"),
                "passkey_auth_enabled" => assert_eq!(user[field], false, "ignored on create"),
                "password" => assert_eq!(user["has_password"], true),
                _ => assert_eq!(user[field], *value, "{field}"),
            }
        }
        assert_eq!(people::seen_by_server(&server, user["id"].as_str().expect("an id")).await, user);
        assert_eq!(people::sign_in(&server, "ada@example.com").await.id, user["id"]);
    }

    async fn a_totp_secret_is_not_empty(server) {
        refused(&server, &json!({ "totp_secret_base64": "" })).await;
        let user = people::create(&server, &json!({})).await;
        let path = format!("/users/{}", user["id"].as_str().expect("an id"));
        let answer = server.patch(&path).server().json(&json!({ "totp_secret_base64": "" })).send().await;
        assert_eq!(answer.status, 400, "{}", answer.text());
        answer.expect_text(400);
    }

    async fn new_users_get_the_default_permissions_and_a_team_of_their_own(server, builder = TestServer::builder().project(|settings| {
        settings.teams.create_personal_team_on_sign_up = true;
        settings.rbac.permissions.insert("use_engine".to_owned(), latchkey_config::settings::PermissionDefinition {
            scope: latchkey_config::settings::PermissionScope::Project,
            ..Default::default()
        });
        settings.rbac.default_permissions.sign_up.insert("use_engine".to_owned(), true);
    })) {
        let table = [
            (json!({ "display_name": "Ada", "primary_email": "ada@example.com" }), "Ada's Team"),
            (json!({ "primary_email": "bo@example.com" }), "bo@example.com's Team"),
            (json!({}), "Personal Team"),
            (json!({ "is_anonymous": true }), "Personal Team"),
        ];
        for (fields, team) in table {
            let user = people::create(&server, &fields).await;
            assert_eq!((&user["selected_team_id"], &user["selected_team"]), (&Value::Null, &Value::Null), "not yet");
            let id = user["id"].as_str().expect("an id");
            let seen = people::seen_by_server(&server, id).await;
            assert_eq!(seen["selected_team"]["display_name"], team);
            assert_eq!(stored::project_permissions(&server, id).await, ["use_engine"]);
            assert!(stored::is_member(&server, seen["selected_team_id"].as_str().expect("a team"), id).await);
        }
        let cy = people::sign_up(&server, "cy@example.com").await;
        let seen = people::seen_by_server(&server, &cy.id).await;
        assert_eq!(seen["selected_team"]["display_name"], "cy@example.com's Team");
        assert_eq!(latchkey_tests::tokens::claims(&cy.access_token)["selected_team_id"], seen["selected_team_id"]);
        assert_eq!(stored::project_permissions(&server, &cy.id).await, ["use_engine"]);
    }

    async fn an_upgrade_names_the_team_of_somebody_who_had_no_name(server, builder = TestServer::builder().project(|settings| {
        settings.teams.create_personal_team_on_sign_up = true;
    })) {
        let team = |id: String| { let server = &server; async move {
            people::seen_by_server(server, &id).await["selected_team"]["display_name"].clone()
        } };
        let upgrades = [
            (json!({ "is_anonymous": false, "display_name": "Ada", "primary_email": "ada@example.com" }), "Ada's Team"),
            (json!({ "is_anonymous": false, "primary_email": "bo@example.com" }), "bo@example.com's Team"),
            (json!({ "is_anonymous": false }), "Personal Team"),
        ];
        for (fields, name) in upgrades {
            let nobody = people::anonymous(&server).await;
            assert_eq!(team(nobody.id.clone()).await, "Personal Team");
            people::change(&server, &nobody.id, &fields).await;
            assert_eq!(team(nobody.id.clone()).await, name);
            people::change(&server, &nobody.id, &json!({ "display_name": "Other" })).await;
            assert_eq!(team(nobody.id.clone()).await, name, "only an upgrade names a team");
        }
        let named = people::created(&server, &json!({ "is_anonymous": true, "display_name": "Cy" })).await;
        people::change(&server, &named.id, &json!({ "is_anonymous": false, "display_name": "Di" })).await;
        assert_eq!(team(named.id).await, "Cy's Team", "a name that it had stays");
        let nobody = people::anonymous(&server).await;
        let body = json!({ "email": "eve@example.com", "password": PASSWORD });
        server.post("/auth/password/sign-up").client().user(&nobody.access_token).json(&body).send().await.expect(200);
        assert_eq!(team(nobody.id).await, "eve@example.com's Team");
    }

    async fn an_upgrade_names_every_team_of_the_user_that_has_the_default_name(server, builder = TestServer::builder().project(|settings| {
        settings.teams.create_personal_team_on_sign_up = true;
    })) {
        let nobody = people::anonymous(&server).await;
        let other = people::anonymous(&server).await;
        for name in ["Personal Team", "Engines"] {
            server.clock().advance_seconds(1);
            teams::created_by(&server, &nobody, name).await;
        }
        people::change(&server, &nobody.id, &json!({ "is_anonymous": false, "display_name": "Ada" })).await;
        for (user, expected) in [(&nobody, vec!["Ada's Team", "Ada's Team", "Engines"]), (&other, vec!["Personal Team"])] {
            let list = server.get(&format!("/teams?user_id={}", user.id)).server().send().await.expect(200);
            let names: Vec<&Value> = list["items"].as_array().expect("items").iter().map(|team| &team["display_name"]).collect();
            assert_eq!(names, expected);
        }
    }

    async fn a_totp_secret_is_kept_but_not_switched_on(server) {
        let user = people::create(&server, &json!({ "totp_secret_base64": TOTP })).await;
        assert_eq!(user["requires_totp_mfa"], false);
        let id = user["id"].as_str().expect("an id");
        assert_eq!(stored::totp_secret(&server, id).await.as_deref(), Some(TOTP));
    }

    async fn empty_texts_are_null(server) {
        let user = people::create(&server, &json!({
            "display_name": "", "restricted_by_admin": true, "restricted_by_admin_reason": "",
            "restricted_by_admin_private_details": "",
        })).await;
        for field in ["display_name", "restricted_by_admin_reason", "restricted_by_admin_private_details"] {
            assert_eq!(user[field], Value::Null, "{field}");
        }
    }

    async fn an_email_grammar_without_top_level_domain_will_do(server) {
        assert_eq!(people::create(&server, &json!({ "primary_email": "root@localhost" })).await["primary_email"], "root@localhost");
        for email in ["", "ada", "a b@example.com", "@example.com", " ada@example.com", "ada@example.com "] {
            let answer = server.post("/users").server().json(&json!({ "primary_email": email })).send().await;
            answer.expect_error(400, "SCHEMA_ERROR");
        }
    }

    async fn flags_of_an_email_need_an_email(server) {
        refused(&server, &json!({ "primary_email_verified": true })).await;
        refused(&server, &json!({ "primary_email_auth_enabled": true, "primary_email": null })).await;
        people::create(&server, &json!({ "primary_email_verified": false, "primary_email_auth_enabled": false })).await;
    }

    async fn an_email_that_signs_in_is_taken_once(server) {
        people::sign_up(&server, "ada@example.com").await;
        let fields = |used: bool| json!({ "primary_email": "ADA@example.com", "primary_email_auth_enabled": used });
        let answer = server.post("/users").server().json(&fields(true)).send().await;
        let details = answer.expect_error(409, "USER_EMAIL_ALREADY_EXISTS");
        assert_eq!(details, json!({ "email": "ada@example.com", "would_work_if_email_was_verified": false }));
        people::create(&server, &fields(false)).await;
        people::create(&server, &fields(false)).await;
    }

    async fn of_racing_creations_with_one_email_one_wins(server) {
        let fields = json!({ "primary_email": "ada@example.com", "primary_email_auth_enabled": true });
        let answers = join_all((0..50).map(|_| server.post("/users").server().json(&fields).send())).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
        let listed = server.get("/users?query=ada@example.com").server().send().await.expect(200);
        assert_eq!(listed["items"].as_array().map(Vec::len), Some(1));
        for answer in answers.iter().filter(|answer| answer.status != 201) {
            answer.expect_error(409, "USER_EMAIL_ALREADY_EXISTS");
        }
    }

    async fn the_sign_up_switch_is_not_consulted(
        server, builder = TestServer::builder().project(|settings| settings.auth.allow_sign_up = false)
    ) {
        people::create(&server, &json!({ "primary_email": "ada@example.com", "primary_email_auth_enabled": true })).await;
    }

    async fn a_reason_needs_the_restriction_in_the_same_request(server) {
        for field in ["restricted_by_admin_reason", "restricted_by_admin_private_details"] {
            let answer = server.post("/users").server().json(&json!({ field: "x" })).send().await;
            assert_eq!(answer.status, 400, "{}", answer.text());
            let answer = server.post("/users").server().json(&json!({ field: "x", "restricted_by_admin": false })).send().await;
            assert_eq!(answer.status, 400, "{}", answer.text());
        }
    }

    async fn methods_that_the_project_does_not_use_cannot_be_added(server, builder = TestServer::builder().project(|settings| {
        settings.auth.password.allow_sign_in = false;
    })) {
        refused(&server, &json!({ "password": PASSWORD })).await;
        refused(&server, &json!({ "password_hash": "$2b$05$c0nzIfHPZhtAZphVti7DiuDZ84GsRro/rRqYWp1XoP8r5Ym6xH7Vy" })).await;
        refused(&server, &json!({ "otp_auth_enabled": true })).await;
    }

    async fn accounts_elsewhere_must_be_of_the_projects_providers(server, builder = with_github()) {
        let fields = json!({ "oauth_providers": [{ "id": "github", "account_id": "7", "email": "Ada@example.com" }] });
        let user = people::create(&server, &fields).await;
        let expected = json!([{ "id": "github", "account_id": "7", "email": "ada@example.com" }]);
        assert_eq!(user["oauth_providers"], expected);
        let seen = people::seen_by_server(&server, user["id"].as_str().expect("an id")).await;
        assert_eq!(seen["oauth_providers"], expected);
        let person = people::session_for(&server, user["id"].as_str().expect("an id")).await;
        let client = people::seen_by_self(&server, &person).await;
        assert_eq!(client["oauth_providers"], expected, "clients see them too");

        refused(&server, &json!({ "oauth_providers": [{ "id": "google", "account_id": "7" }] })).await;
        let again = server.post("/users").server().json(&fields).send().await;
        again.expect_error(400, "OAUTH_PROVIDER_ACCOUNT_ID_ALREADY_USED_FOR_SIGN_IN");
        let twice = json!({ "oauth_providers": [{ "id": "github", "account_id": "8" }, { "id": "github", "account_id": "8" }] });
        let answer = server.post("/users").server().json(&twice).send().await;
        assert_eq!(answer.status, 400, "{}", answer.text());
    }

    async fn fields_of_other_shapes_are_violations(server) {
        let wrong = [
            json!({ "selected_team_id": null }), json!({ "id": NOBODY }), json!({ "display_name": "x".repeat(257) }),
            json!({ "country_code": "DEU" }), json!({ "country_code": "1" }), json!({ "totp_secret_base64": "not base64!" }),
            json!({ "totp_secret_base64": "MTIz NDU2" }), json!({ "password_hash": "" }), json!({ "password": "x".repeat(71) }),
            json!({ "risk_scores": { "sign_up": { "bot": 1 } } }), json!({ "risk_scores": {} }),
            json!({ "risk_scores": { "sign_up": { "bot": -1, "free_trial_abuse": 0 } } }),
            json!({ "risk_scores": { "sign_up": { "bot": 1.5, "free_trial_abuse": 0 } } }),
            json!({ "oauth_providers": {} }), json!({ "oauth_providers": [7] }), json!({ "profile_image_url": "" }),
            json!({ "is_anonymous": "maybe" }),
        ];
        for fields in wrong {
            let answer = server.post("/users").server().json(&fields).send().await;
            answer.expect_error(400, "SCHEMA_ERROR");
        }
        people::create(&server, &json!({ "display_name": "x".repeat(256) })).await;
    }
}
