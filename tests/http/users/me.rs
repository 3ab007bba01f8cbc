//! Contract 05 §2: `/users/me`.

use latchkey_testkit::{TestServer, on_both_engines};
use latchkey_tests::people;
use latchkey_tests::tokens::keys;
use serde_json::{Value, json};

use super::TOTP;

const CLIENT_FIELDS: [&str; 21] = [
    "auth_with_email",
    "client_metadata",
    "client_read_only_metadata",
    "display_name",
    "has_password",
    "id",
    "is_anonymous",
    "is_restricted",
    "oauth_providers",
    "otp_auth_enabled",
    "passkey_auth_enabled",
    "primary_email",
    "primary_email_verified",
    "profile_image_url",
    "requires_totp_mfa",
    "restricted_by_admin",
    "restricted_by_admin_reason",
    "restricted_reason",
    "selected_team",
    "selected_team_id",
    "signed_up_at_millis",
];
const SERVER_FIELDS: [&str; 7] = [
    "country_code",
    "last_active_at_millis",
    "primary_email_auth_enabled",
    "restricted_by_admin_private_details",
    "risk_scores",
    "server_metadata",
    "",
];

on_both_engines! {
    async fn a_client_sees_the_contracts_fields_and_no_others(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let user = people::seen_by_self(&server, &ada).await;
        assert_eq!(keys(&user), CLIENT_FIELDS);
        assert_eq!(user, json!({
            "id": ada.id, "display_name": null, "primary_email": "ada@example.com", "primary_email_verified": false,
            "profile_image_url": null, "signed_up_at_millis": server.app().now(), "client_metadata": null,
            "client_read_only_metadata": null, "has_password": true, "otp_auth_enabled": false,
            "passkey_auth_enabled": false, "auth_with_email": true, "requires_totp_mfa": false, "oauth_providers": [],
            "selected_team_id": null, "selected_team": null, "is_anonymous": false, "is_restricted": false,
            "restricted_reason": null, "restricted_by_admin": false, "restricted_by_admin_reason": null,
        }));
    }

    async fn servers_and_admins_see_six_fields_more(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let user = server.get("/users/me").server().user(&ada.access_token).send().await.expect(200);
        let mut expected: Vec<&str> = CLIENT_FIELDS.into_iter().chain(SERVER_FIELDS).filter(|name| !name.is_empty()).collect();
        expected.sort_unstable();
        assert_eq!(keys(&user), expected);
        assert_eq!(user["primary_email_auth_enabled"], true);
        assert_eq!(user["last_active_at_millis"], server.app().now());
        assert_eq!(user["server_metadata"], Value::Null);
        assert_eq!(user["risk_scores"], json!({ "sign_up": { "bot": 0, "free_trial_abuse": 0 } }));
        assert_eq!(server.get("/users/me").admin().user(&ada.access_token).send().await.expect(200), user);
        assert_eq!(people::seen_by_server(&server, &ada.id).await, user);
    }

    async fn what_only_servers_see_never_reaches_a_client(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        people::change(&server, &ada.id, &json!({
            "server_metadata": { "k": "hidden-metadata" }, "restricted_by_admin": true,
            "restricted_by_admin_reason": "shown", "restricted_by_admin_private_details": "hidden-details",
        })).await;
        let get = server.get("/users/me").client().user(&ada.access_token).send().await;
        let patch = server.patch("/users/me").client().user(&ada.access_token).json(&json!({ "display_name": "A" }));
        for answer in [get, patch.send().await] {
            let user = answer.expect(200);
            assert_eq!(user["restricted_by_admin_reason"], "shown");
            assert!(!user.to_string().contains("hidden"), "{user}");
        }
    }

    async fn a_client_may_change_these_fields(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let change = |fields: Value| {
            server.patch("/users/me").client().user(&ada.access_token).json(&fields).send()
        };
        let user = change(json!({ "display_name": "Ada", "client_metadata": { "theme": [1, null] } })).await.expect(200);
        assert_eq!(keys(&user), CLIENT_FIELDS);
        assert_eq!((&user["display_name"], &user["client_metadata"]), (&json!("Ada"), &json!({ "theme": [1, null] })));
        let user = change(json!({ "totp_secret_base64": TOTP })).await.expect(200);
        assert_eq!(user["requires_totp_mfa"], true);
        assert_eq!(user["display_name"], "Ada", "what is absent stays");
        let user = change(json!({ "totp_secret_base64": null, "passkey_auth_enabled": false })).await.expect(200);
        assert_eq!(user["requires_totp_mfa"], false);
        let user = change(json!({ "otp_auth_enabled": false, "selected_team_id": null })).await.expect(200);
        assert_eq!(user["otp_auth_enabled"], false);
        let user = change(json!({ "primary_email": "new@example.com" })).await.expect(200);
        assert_eq!((&user["primary_email"], &user["primary_email_verified"]), (&json!("new@example.com"), &json!(false)));
        assert_eq!(change(json!({})).await.expect(200), user);
    }

    async fn a_client_may_change_nothing_else(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let before = people::seen_by_server(&server, &ada.id).await;
        let fields = [
            ("server_metadata", json!({})), ("client_read_only_metadata", json!({})), ("primary_email_verified", json!(true)),
            ("primary_email_auth_enabled", json!(true)), ("password", json!("a new quiet harbour")),
            ("password_hash", json!("$2b$05$x")), ("is_anonymous", json!(false)), ("restricted_by_admin", json!(false)),
            ("restricted_by_admin_reason", json!("x")), ("restricted_by_admin_private_details", json!("x")),
            ("country_code", json!("DE")), ("risk_scores", json!({ "sign_up": { "bot": 0, "free_trial_abuse": 0 } })),
            ("oauth_providers", json!([])), ("id", json!(ada.id)), ("has_password", json!(false)),
            ("requires_totp_mfa", json!(false)), ("signed_up_at_millis", json!(0)), ("odd", json!(1)),
        ];
        for (field, value) in fields {
            let body = json!({ "display_name": "Mallory", field: value });
            let answer = server.patch("/users/me").client().user(&ada.access_token).json(&body).send().await;
            let details = answer.expect_error(400, "SCHEMA_ERROR");
            assert!(details["message"].as_str().is_some_and(|text| text.contains(field)), "{field}: {details}");
        }
        assert_eq!(people::seen_by_server(&server, &ada.id).await, before);
    }

    async fn a_server_may_change_everything_of_me(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let body = json!({ "server_metadata": { "plan": "x" }, "primary_email_verified": true, "country_code": " de " });
        let user = server.patch("/users/me").server().user(&ada.access_token).json(&body).send().await.expect(200);
        assert_eq!(user["server_metadata"], json!({ "plan": "x" }));
        assert_eq!(user["primary_email_verified"], true);
        assert_eq!(user["country_code"], "DE");
    }

    async fn codes_by_mail_cannot_be_switched_on_where_the_project_has_none(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let body = json!({ "otp_auth_enabled": true });
        let answer = server.patch("/users/me").client().user(&ada.access_token).json(&body).send().await;
        answer.expect_text(400);
    }

    async fn codes_by_mail_are_switched_where_the_project_has_them(
        server, builder = TestServer::builder().project(|settings| settings.auth.otp.allow_sign_in = true)
    ) {
        let ada = people::created(&server, &json!({})).await;
        for (value, shown) in [(true, true), (true, true), (false, false)] {
            let body = json!({ "otp_auth_enabled": value });
            let request = server.patch("/users/me").client().user(&ada.access_token).json(&body);
            let user = request.send().await.expect(200);
            assert_eq!((&user["otp_auth_enabled"], &user["auth_with_email"]), (&json!(shown), &json!(shown)));
        }
    }

    async fn clients_delete_themselves_only_where_the_project_lets_them(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        server.delete("/users/me").client().user(&ada.access_token).send().await.expect_text(400);
        people::seen_by_self(&server, &ada).await;
        let answer = server.delete("/users/me").server().user(&ada.access_token).send().await;
        assert_eq!(answer.expect(200), json!({ "success": true }), "servers may");
    }

    async fn where_they_may_they_are_gone(
        server, builder = TestServer::builder().project(|settings| settings.users.allow_client_user_deletion = true)
    ) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let delete = || server.delete("/users/me").client().user(&ada.access_token).send();
        assert_eq!(delete().await.expect(200), json!({ "success": true }));
        delete().await.expect_error(400, "CANNOT_GET_OWN_USER_WITHOUT_USER");
        server.get(&format!("/users/{}", ada.id)).server().send().await.expect_error(404, "USER_NOT_FOUND");
        assert_ne!(people::sign_up(&server, "ada@example.com").await.id, ada.id);
    }

    async fn concurrent_changes_of_different_fields_are_all_kept(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let fields = [
            json!({ "display_name": "Ada" }), json!({ "client_metadata": 1 }), json!({ "totp_secret_base64": TOTP }),
            json!({ "primary_email": "new@example.com" }),
        ];
        let change = |fields| server.patch("/users/me").client().user(&ada.access_token).json(fields).send();
        for answer in latchkey_tests::join_all(fields.iter().map(change)).await {
            answer.expect(200);
        }
        let user = people::seen_by_self(&server, &ada).await;
        assert_eq!(
            (&user["display_name"], &user["client_metadata"], &user["requires_totp_mfa"], &user["primary_email"]),
            (&json!("Ada"), &json!(1), &json!(true), &json!("new@example.com")),
        );
    }

    async fn a_refresh_token_alone_makes_nobody_the_current_user(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let requests = [
            server.get("/users/me").client(), server.patch("/users/me").client().json(&json!({ "display_name": "x" })),
            server.delete("/users/me").client(), server.get("/users/me").server(), server.delete("/users/me").server(),
            server.patch("/users/me").server().json(&json!({})), server.get("/users/me").admin(),
        ];
        for request in requests {
            let answer = request.header("x-stack-refresh-token", &ada.refresh_token).send().await;
            assert!(answer.expect_error(400, "CANNOT_GET_OWN_USER_WITHOUT_USER").is_null());
        }
    }

    async fn codes_that_are_on_already_may_be_switched_on_where_the_project_has_none_any_more(
        server, builder = TestServer::builder().project(|settings| settings.auth.otp.allow_sign_in = true)
    ) {
        let ada = people::created(&server, &json!({ "otp_auth_enabled": true })).await;
        let body = json!({ "config": { "magic_link_enabled": false } });
        server.patch("/internal/projects/current").admin().json(&body).send().await.expect(200);
        let change = |on: bool| {
            server.patch("/users/me").client().user(&ada.access_token).json(&json!({ "otp_auth_enabled": on })).send()
        };
        assert_eq!(change(true).await.expect(200)["otp_auth_enabled"], true);
        assert_eq!(change(false).await.expect(200)["otp_auth_enabled"], false);
        change(true).await.expect_text(400);
    }
}
