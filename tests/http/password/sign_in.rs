//! Contract 04 §5.2: signing in.

use latchkey_testkit::{TestServer, on_both_engines};
use latchkey_tests::people::{self, OTHER_PASSWORD, PASSWORD, Person};
use latchkey_tests::stored;
use latchkey_tests::tokens::keys;
use serde_json::json;

use super::try_sign_in;

on_both_engines! {
    async fn a_sign_in_answers_the_token_pair_of_a_new_session(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let answer = try_sign_in(&server, "ada@example.com", PASSWORD).await.expect(200);
        assert_eq!(keys(&answer), ["access_token", "refresh_token", "user_id"]);
        let again = Person::of(&answer);
        assert_eq!(again.id, ada.id);
        assert_ne!(again.session_id(), ada.session_id());
        people::seen_by_self(&server, &ada).await;
        assert!(stored::event_kinds(&server, &ada.id).await.contains(&"user.signed_in".to_owned()));
    }

    async fn a_session_sent_along_does_not_end(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let body = json!({ "email": "ada@example.com", "password": PASSWORD });
        let request = server.post("/auth/password/sign-in").client().user(&ada.access_token).json(&body);
        request.send().await.expect(200);
        people::seen_by_self(&server, &ada).await;
    }

    async fn who_is_unknown_has_no_password_or_errs_is_told_the_same(server) {
        people::sign_up(&server, "ada@example.com").await;
        let fields = json!({ "primary_email": "bo@example.com", "primary_email_auth_enabled": true });
        people::create(&server, &fields).await;
        let fields = json!({ "primary_email": "cy@example.com", "password": PASSWORD });
        people::create(&server, &fields).await;
        let tries = [
            ("nobody@example.com", PASSWORD), ("ada@example.com", OTHER_PASSWORD), ("ada@example.com", ""),
            ("bo@example.com", PASSWORD), ("cy@example.com", PASSWORD), ("nobody@localhost", PASSWORD),
        ];
        let mut bodies = Vec::new();
        for (email, password) in tries {
            let answer = try_sign_in(&server, email, password).await;
            assert!(answer.expect_error(400, "EMAIL_PASSWORD_MISMATCH").is_null());
            bodies.push(answer.text());
        }
        bodies.dedup();
        assert_eq!(bodies.len(), 1, "{bodies:?}");
    }

    async fn a_password_is_compared_exactly(server) {
        people::sign_up(&server, "ada@example.com").await;
        let padded = format!(" {PASSWORD}");
        for wrong in [PASSWORD.to_uppercase(), format!("{PASSWORD} "), padded, PASSWORD[1..].to_owned()] {
            try_sign_in(&server, "ada@example.com", &wrong).await.expect_error(400, "EMAIL_PASSWORD_MISMATCH");
        }
    }

    async fn signing_in_works_while_sign_ups_are_closed(
        server, builder = TestServer::builder().project(|settings| settings.auth.allow_sign_up = false)
    ) {
        let fields = json!({
            "primary_email": "ada@example.com", "primary_email_auth_enabled": true, "password": PASSWORD,
        });
        let user = people::create(&server, &fields).await;
        assert_eq!(people::sign_in(&server, "ada@example.com").await.id, user["id"]);
    }

    async fn a_secondary_address_that_signs_in_does(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        people::change(&server, &ada.id, &json!({ "primary_email": "new@example.com" })).await;
        for email in ["ada@example.com", "new@example.com"] {
            assert_eq!(people::sign_in(&server, email).await.id, ada.id, "{email}");
        }
    }

    async fn an_address_that_was_barred_from_signing_in_does_not(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        people::change(&server, &ada.id, &json!({ "primary_email_auth_enabled": false })).await;
        try_sign_in(&server, "ada@example.com", PASSWORD).await.expect_error(400, "EMAIL_PASSWORD_MISMATCH");
    }

    async fn restricted_people_sign_in_and_get_tokens_of_their_kind(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        people::change(&server, &ada.id, &json!({ "restricted_by_admin": true })).await;
        let again = people::sign_in(&server, "ada@example.com").await;
        let audience = latchkey_tests::tokens::claim(&again.access_token, "aud");
        assert_eq!(audience, format!("{}:restricted", server.project_id()));
    }

    async fn a_second_factor_is_asked_for_and_no_session_opened(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        people::change(&server, &ada.id, &json!({ "totp_secret_base64": "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=" })).await;
        let answer = try_sign_in(&server, "ada@example.com", PASSWORD).await;
        let details = answer.expect_error(400, "MULTI_FACTOR_AUTHENTICATION_REQUIRED");
        assert_eq!(keys(&details), ["attempt_code"]);
        assert_eq!(details["attempt_code"].as_str().map(str::len), Some(45));
        let list = server.get(&format!("/auth/sessions?user_id={}", ada.id)).server().send().await.expect(200);
        assert_eq!(list["items"].as_array().map(Vec::len), Some(1));
        try_sign_in(&server, "ada@example.com", OTHER_PASSWORD).await.expect_error(400, "EMAIL_PASSWORD_MISMATCH");
        people::change(&server, &ada.id, &json!({ "totp_secret_base64": null })).await;
        people::sign_in(&server, "ada@example.com").await;
    }

    async fn passwords_off_is_told_whatever_is_sent(
        server, builder = TestServer::builder().project(|settings| settings.auth.password.allow_sign_in = false)
    ) {
        let answer = try_sign_in(&server, "ada@example.com", "x").await;
        assert!(answer.expect_error(400, "PASSWORD_AUTHENTICATION_NOT_ENABLED").is_null());
    }

    async fn what_is_no_address_and_what_is_too_long_are_violations(server) {
        for email in ["", "ada", "a b@example.com", "@"] {
            try_sign_in(&server, email, PASSWORD).await.expect_error(400, "SCHEMA_ERROR");
        }
        try_sign_in(&server, "ada@example.com", &"x".repeat(71)).await.expect_error(400, "SCHEMA_ERROR");
        try_sign_in(&server, "ada@example.com", &"x".repeat(70)).await.expect_error(400, "EMAIL_PASSWORD_MISMATCH");
    }

    async fn people_of_another_project_are_unknown(server) {
        people::sign_up(&server, "ada@example.com").await;
        let other = server.other_project().clone();
        let body = json!({ "email": "ada@example.com", "password": PASSWORD });
        let request = people::speaking_for(server.post("/auth/password/sign-in"), &other, "client").json(&body);
        request.send().await.expect_error(400, "EMAIL_PASSWORD_MISMATCH");
    }
}
