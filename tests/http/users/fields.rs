//! Contract 05 §1: computed fields, evaluated on every read.

use latchkey_testkit::{TestServer, on_both_engines};
use latchkey_tests::people::{self, PASSWORD};
use serde_json::{Value, json};

use super::with_github;

on_both_engines! {
    async fn the_first_reason_for_a_restriction_is_shown(
        server, builder = TestServer::builder().project(|settings| settings.onboarding.require_email_verification = true)
    ) {
        let table = [
            (json!({ "is_anonymous": true, "restricted_by_admin": true }), json!({ "type": "anonymous" })),
            (json!({ "restricted_by_admin": true }), json!({ "type": "email_not_verified" })),
            (json!({ "primary_email": "a@example.com" }), json!({ "type": "email_not_verified" })),
            (
                json!({ "primary_email": "b@example.com", "primary_email_verified": true, "restricted_by_admin": true }),
                json!({ "type": "restricted_by_administrator" }),
            ),
            (json!({ "primary_email": "c@example.com", "primary_email_verified": true }), Value::Null),
        ];
        for (fields, reason) in table {
            let user = people::create(&server, &fields).await;
            assert_eq!(user["restricted_reason"], reason, "{fields}");
            assert_eq!(user["is_restricted"], !reason.is_null());
            assert_eq!(people::seen_by_server(&server, user["id"].as_str().expect("an id")).await, user);
        }
    }

    async fn an_unverified_email_restricts_nobody_unless_the_project_says_so(server) {
        let user = people::create(&server, &json!({ "primary_email": "a@example.com" })).await;
        assert_eq!((&user["is_restricted"], &user["restricted_reason"]), (&json!(false), &Value::Null));
    }

    async fn signing_in_with_email_means_a_password_or_a_code(
        server, builder = TestServer::builder().project(|settings| settings.auth.otp.allow_sign_in = true)
    ) {
        for (fields, expected) in [
            (json!({}), false), (json!({ "password": PASSWORD }), true), (json!({ "otp_auth_enabled": true }), true),
            (json!({ "password": PASSWORD, "otp_auth_enabled": true }), true),
        ] {
            assert_eq!(people::create(&server, &fields).await["auth_with_email"], expected, "{fields}");
        }
    }

    async fn the_last_activity_begins_with_the_creation(server) {
        let user = people::create(&server, &json!({})).await;
        assert_eq!(user["last_active_at_millis"], user["signed_up_at_millis"]);
    }

    async fn accounts_that_sign_nobody_in_are_shown_as_well(server, builder = with_github()) {
        let user = people::create(&server, &json!({ "oauth_providers": [{ "id": "github", "account_id": "7" }] })).await;
        let id = user["id"].as_str().expect("an id");
        let listed = server.get(&format!("/oauth-providers?user_id={id}")).server().send().await.expect(200);
        let account = &listed["items"][0];
        assert_eq!((&account["allow_sign_in"], &account["allow_connected_accounts"]), (&json!(true), &json!(true)), "both are on");
        let path = format!("/oauth-providers/{id}/{}", account["id"].as_str().expect("an id"));
        server.patch(&path).server().json(&json!({ "allow_sign_in": false })).send().await.expect(200);
        let seen = people::seen_by_server(&server, id).await;
        assert_eq!(seen["oauth_providers"], json!([{ "id": "github", "account_id": "7", "email": null }]));
    }
}
