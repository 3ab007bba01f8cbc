//! Setting another password by a code (§5.6).

use latchkey_testkit::on_both_engines;
use latchkey_tests::people::{self, OTHER_PASSWORD, PASSWORD};
use latchkey_tests::stored;
use serde_json::{Value, json};

use super::super::try_sign_in;
use super::{check, code_for, reset, reset_to};

on_both_engines! {
    async fn the_new_password_signs_in_and_the_old_one_does_not(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let code = code_for(&server, "ada@example.com").await;
        assert_eq!(check(&server, &code).await.expect(200), json!({ "is_code_valid": true }));
        assert_eq!(reset(&server, &code.to_uppercase()).await.expect(200), json!({ "success": true }), "and no tokens");
        try_sign_in(&server, "ada@example.com", PASSWORD).await.expect_error(400, "EMAIL_PASSWORD_MISMATCH");
        assert_eq!(try_sign_in(&server, "ada@example.com", OTHER_PASSWORD).await.expect(200)["user_id"], ada.id);
        assert!(stored::event_kinds(&server, &ada.id).await.contains(&"password.reset".to_owned()));
    }

    async fn all_sessions_end_at_once(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let other = people::sign_in(&server, "ada@example.com").await;
        let code = code_for(&server, "ada@example.com").await;
        // Even that of the caller.
        let body = json!({ "code": code, "password": OTHER_PASSWORD });
        let request = server.post("/auth/password/reset").client().user(&ada.access_token);
        request.header("x-stack-refresh-token", &ada.refresh_token).json(&body).send().await.expect(200);
        for person in [&ada, &other] {
            let me = server.get("/users/me").client().user(&person.access_token).send().await;
            me.expect_error(400, "CANNOT_GET_OWN_USER_WITHOUT_USER");
            let refresh = server.post("/auth/sessions/current/refresh").client().header("x-stack-refresh-token", &person.refresh_token);
            refresh.send().await.expect_error(401, "REFRESH_TOKEN_NOT_FOUND_OR_EXPIRED");
        }
    }

    async fn a_link_ends_when_the_password_changes(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let code = code_for(&server, "ada@example.com").await;
        let body = json!({ "old_password": PASSWORD, "new_password": OTHER_PASSWORD });
        server.post("/auth/password/update").client().user(&ada.access_token).json(&body).send().await.expect(200);
        reset_to(&server, &code, "a third one for thieves").await.expect_error(409, "VERIFICATION_CODE_ALREADY_USED");
        try_sign_in(&server, "ada@example.com", OTHER_PASSWORD).await.expect(200);
    }

    async fn a_user_without_a_password_gets_one(server) {
        let fields = json!({ "primary_email": "ada@example.com", "primary_email_auth_enabled": true });
        let ada = people::create(&server, &fields).await;
        reset(&server, &code_for(&server, "ada@example.com").await).await.expect(200);
        assert_eq!(try_sign_in(&server, "ada@example.com", OTHER_PASSWORD).await.expect(200)["user_id"], ada["id"]);
    }

    async fn the_address_is_not_verified_by_it(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        reset(&server, &code_for(&server, "ada@example.com").await).await.expect(200);
        assert_eq!(people::seen_by_server(&server, &ada.id).await["primary_email_verified"], false);
    }

    async fn a_second_factor_is_not_asked_for_and_stays(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        people::change(&server, &ada.id, &json!({ "totp_secret_base64": "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=" })).await;
        reset(&server, &code_for(&server, "ada@example.com").await).await.expect(200);
        let answer = try_sign_in(&server, "ada@example.com", OTHER_PASSWORD).await;
        answer.expect_error(400, "MULTI_FACTOR_AUTHENTICATION_REQUIRED");
    }

    async fn a_password_that_the_rules_refuse_uses_the_code_up(server) {
        people::sign_up(&server, "ada@example.com").await;
        for (password, error) in [("short", "PASSWORD_TOO_SHORT"), ("password123", "PASSWORD_REQUIREMENTS_NOT_MET")] {
            server.clock().advance_seconds(1);
            let code = code_for(&server, "ada@example.com").await;
            reset_to(&server, &code, password).await.expect_error(400, error);
            reset(&server, &code).await.expect_error(409, "VERIFICATION_CODE_ALREADY_USED");
        }
        try_sign_in(&server, "ada@example.com", PASSWORD).await.expect(200);
    }

    async fn a_request_that_violates_the_schema_leaves_the_code_as_it_was(server) {
        people::sign_up(&server, "ada@example.com").await;
        let code = code_for(&server, "ada@example.com").await;
        reset_to(&server, &code, &"x".repeat(71)).await.expect_error(400, "SCHEMA_ERROR");
        reset_to(&server, &code[1..], OTHER_PASSWORD).await.expect_error(400, "SCHEMA_ERROR");
        let body = json!({ "code": code, "password": OTHER_PASSWORD, "email": "bo@example.com" });
        server.post("/auth/password/reset").client().json(&body).send().await.expect_error(400, "SCHEMA_ERROR");
        reset(&server, &code).await.expect(200);
    }

    async fn passwords_that_were_switched_off_refuse_and_use_the_code_up(server) {
        people::sign_up(&server, "ada@example.com").await;
        let code = code_for(&server, "ada@example.com").await;
        let allow = async |allowed: bool| {
            let body = json!({ "config_override_string": json!({ "auth.password.allowSignIn": allowed }).to_string() });
            server.patch("/internal/config/override/environment").admin().json(&body).send().await.expect(200);
        };
        allow(false).await;
        check(&server, &code).await.expect(200);
        reset(&server, &code).await.expect_error(400, "PASSWORD_AUTHENTICATION_NOT_ENABLED");
        allow(true).await;
        reset(&server, &code).await.expect_error(409, "VERIFICATION_CODE_ALREADY_USED");
    }

    async fn a_user_without_a_primary_email_gets_no_password(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let code = code_for(&server, "ada@example.com").await;
        let channels = server.get(&format!("/contact-channels?user_id={}", ada.id)).server().send().await.expect(200);
        let path = format!("/contact-channels/{}/{}", ada.id, channels["items"][0]["id"].as_str().expect("an id"));
        server.patch(&path).server().json(&json!({ "is_primary": false })).send().await.expect(200);
        reset(&server, &code).await.expect_text(400);
        reset(&server, &code).await.expect_error(409, "VERIFICATION_CODE_ALREADY_USED");
    }

    async fn a_link_in_a_mailbox_that_the_user_gave_up_is_of_no_use(server) {
        let ada = people::sign_up(&server, "old@example.com").await;
        let code = code_for(&server, "old@example.com").await;
        people::change(&server, &ada.id, &json!({ "primary_email": "new@example.com" })).await;
        let old = people::seen_by_server(&server, &ada.id).await;
        assert_eq!(old["primary_email"], "new@example.com");
        let channels = server.get(&format!("/contact-channels?user_id={}", ada.id)).server().send().await.expect(200);
        for channel in channels["items"].as_array().expect("items") {
            if channel["value"] == "old@example.com" {
                let path = format!("/contact-channels/{}/{}", ada.id, channel["id"].as_str().expect("an id"));
                server.delete(&path).server().send().await.expect(200);
            }
        }
        reset(&server, &code).await.expect_text(400);
        reset(&server, &code).await.expect_error(409, "VERIFICATION_CODE_ALREADY_USED");
        assert!(people::seen_by_server(&server, &ada.id).await["has_password"] == json!(true));
    }

    async fn somebody_who_is_gone_has_no_password(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let code = code_for(&server, "ada@example.com").await;
        server.delete(&format!("/users/{}", ada.id)).server().send().await.expect(200);
        let bo = people::sign_up(&server, "ada@example.com").await;
        reset(&server, &code).await.expect_text(400);
        try_sign_in(&server, "ada@example.com", PASSWORD).await.expect(200);
        assert_ne!(ada.id, bo.id, "whoever has the address now is somebody else");
    }

    async fn a_code_lives_seven_days(server) {
        people::sign_up(&server, "ada@example.com").await;
        let code = code_for(&server, "ada@example.com").await;
        server.clock().advance_seconds(7 * 24 * 60 * 60 - 1);
        check(&server, &code).await.expect(200);
        server.clock().advance_seconds(1);
        check(&server, &code).await.expect_error(400, "VERIFICATION_CODE_EXPIRED");
        reset(&server, &code).await.expect_error(400, "VERIFICATION_CODE_EXPIRED");
    }

    async fn looking_a_link_up_by_get_changes_nothing(server) {
        people::sign_up(&server, "ada@example.com").await;
        let code = code_for(&server, "ada@example.com").await;
        for path in ["/auth/password/reset", "/auth/password/reset/check-code"] {
            let answer = server.get(&format!("{path}?code={code}&password={OTHER_PASSWORD}")).client().send().await;
            assert_eq!(answer.status, 405, "{}", answer.text());
        }
        assert_ne!(check(&server, &code).await.expect(200), Value::Null);
        reset(&server, &code).await.expect(200);
    }
}
