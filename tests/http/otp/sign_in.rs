//! Using a code (§6.2): by link or by hand, once, and with what the account is by then.

use latchkey_testkit::on_both_engines;
use latchkey_tests::people::{self, PASSWORD, Person};
use latchkey_tests::{mail, stored, tokens};
use serde_json::json;

use super::{check, code_for, send, set, sign_in, using, verified, with_otp};

on_both_engines! {
    async fn the_link_signs_the_owner_in(server, builder = with_otp()) {
        let ada = verified(&server, "ada@example.com").await;
        let answer = sign_in(&server, &code_for(&server, "ada@example.com").await).await.expect(200);
        assert_eq!(tokens::keys(&answer), ["access_token", "is_new_user", "refresh_token", "user_id"]);
        assert_eq!((&answer["user_id"], &answer["is_new_user"]), (&json!(ada), &json!(false)));
        let person = Person::of(&answer);
        assert_eq!(people::seen_by_self(&server, &person).await["id"], ada);
        let refresh = server.post("/auth/sessions/current/refresh").client().header("x-stack-refresh-token", &person.refresh_token);
        refresh.send().await.expect(200);
        assert!(stored::event_kinds(&server, &ada).await.contains(&"user.signed_in".to_owned()));
    }

    async fn a_code_ends_when_the_password_changes(server, builder = with_otp()) {
        let ada = verified(&server, "ada@example.com").await;
        let code = code_for(&server, "ada@example.com").await;
        let of_somebody_new = code_for(&server, "bo@example.com").await;
        people::change(&server, &ada, &json!({ "password": PASSWORD })).await;
        sign_in(&server, &code).await.expect_error(409, "VERIFICATION_CODE_ALREADY_USED");
        sign_in(&server, &of_somebody_new).await.expect(200);
    }

    async fn six_typed_characters_and_the_nonce_are_the_code_in_any_case(server, builder = with_otp()) {
        for spelling in [str::to_uppercase, str::to_lowercase] as [fn(&str) -> String; 2] {
            let nonce = send(&server, "ada@example.com").await.expect(200)["nonce"].as_str().expect("a nonce").to_owned();
            let typed = mail::code_to(&server, "ada@example.com").await[..6].to_owned();
            server.clock().advance_seconds(1);
            sign_in(&server, &format!("{}{nonce}", spelling(&typed))).await.expect(200);
        }
        let code = code_for(&server, "ada@example.com").await;
        sign_in(&server, &code.to_uppercase()).await.expect(200);
    }

    async fn wrong_typed_characters_are_not_found_and_leave_the_code_good(server, builder = with_otp()) {
        let code = code_for(&server, "ada@example.com").await;
        let wrong = if code.starts_with("000000") { "111111" } else { "000000" };
        sign_in(&server, &format!("{wrong}{}", &code[6..])).await.expect_error(404, "VERIFICATION_CODE_NOT_FOUND");
        for length in ["", &code[..6], &code[6..], &format!("{code}0")] {
            sign_in(&server, length).await.expect_error(400, "SCHEMA_ERROR");
        }
        sign_in(&server, &code).await.expect(200);
    }

    async fn a_code_works_once_and_asking_does_not_use_it(server, builder = with_otp()) {
        let code = code_for(&server, "ada@example.com").await;
        for _ in 0..2 {
            assert_eq!(check(&server, &code).await.expect(200), json!({ "is_code_valid": true }));
        }
        sign_in(&server, &code).await.expect(200);
        sign_in(&server, &code).await.expect_error(409, "VERIFICATION_CODE_ALREADY_USED");
        check(&server, &code).await.expect_error(409, "VERIFICATION_CODE_ALREADY_USED");
        assert_eq!(mail::to(&server, "ada@example.com").await.len(), 1);
    }

    async fn a_code_lives_seven_days_and_expiry_is_said_before_use(server, builder = with_otp()) {
        let (used, code) = (code_for(&server, "ada@example.com").await, code_for(&server, "bo@example.com").await);
        sign_in(&server, &used).await.expect(200);
        server.clock().advance_seconds(7 * 24 * 60 * 60 - 1);
        check(&server, &code).await.expect(200);
        server.clock().advance_seconds(1);
        for code in [&code, &used] {
            check(&server, code).await.expect_error(400, "VERIFICATION_CODE_EXPIRED");
            sign_in(&server, code).await.expect_error(400, "VERIFICATION_CODE_EXPIRED");
        }
    }

    async fn looking_a_link_up_by_get_changes_nothing(server, builder = with_otp()) {
        let code = code_for(&server, "ada@example.com").await;
        for path in ["/auth/otp/sign-in", "/auth/otp/sign-in/check-code"] {
            let answer = server.get(&format!("{path}?code={code}")).client().send().await;
            assert_eq!(answer.status, 405, "{}", answer.text());
        }
        assert_eq!(sign_in(&server, &code).await.expect(200)["is_new_user"], true);
    }

    async fn a_session_that_is_there_already_stays(server, builder = with_otp()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let code = code_for(&server, "bo@example.com").await;
        let bo = Person::of(&using(&server, &code).user(&ada.access_token).send().await.expect(200));
        assert_ne!(bo.id, ada.id, "somebody who has signed up is not upgraded");
        assert_eq!(people::seen_by_self(&server, &ada).await["primary_email"], "ada@example.com");
    }

    async fn an_address_need_not_be_the_primary_one(server, builder = with_otp()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let body = json!({ "user_id": ada.id, "type": "email", "value": "second@example.com", "used_for_auth": true, "is_verified": true });
        server.post("/contact-channels").server().json(&body).send().await.expect(201);
        let answer = sign_in(&server, &code_for(&server, "second@example.com").await).await.expect(200);
        assert_eq!((&answer["user_id"], &answer["is_new_user"]), (&json!(ada.id), &json!(false)));
    }

    async fn a_restricted_user_may_sign_in(server, builder = with_otp()) {
        let ada = verified(&server, "ada@example.com").await;
        people::change(&server, &ada, &json!({ "restricted_by_admin": true })).await;
        assert_eq!(sign_in(&server, &code_for(&server, "ada@example.com").await).await.expect(200)["user_id"], ada);
    }

    async fn an_owner_may_use_a_code_that_was_sent_before_codes_were_switched_off(server, builder = with_otp()) {
        verified(&server, "ada@example.com").await;
        let code = code_for(&server, "ada@example.com").await;
        set(&server, "auth.otp.allowSignIn", json!(false)).await;
        assert_eq!(sign_in(&server, &code).await.expect(200)["is_new_user"], false);
    }

    async fn an_address_that_was_taken_meanwhile_and_not_verified_is_refused_and_the_code_used_up(server, builder = with_otp()) {
        let code = code_for(&server, "ada@example.com").await;
        let taken = people::sign_up(&server, "ada@example.com").await;
        let details = sign_in(&server, &code).await.expect_error(409, "USER_EMAIL_ALREADY_EXISTS");
        assert_eq!(details, json!({ "email": "ada@example.com", "would_work_if_email_was_verified": true }));
        people::change(&server, &taken.id, &json!({ "primary_email_verified": true })).await;
        sign_in(&server, &code).await.expect_error(409, "VERIFICATION_CODE_ALREADY_USED");
    }

    async fn an_address_that_was_taken_and_verified_meanwhile_signs_its_owner_in(server, builder = with_otp()) {
        let code = code_for(&server, "ada@example.com").await;
        let ada = verified(&server, "ada@example.com").await;
        let answer = sign_in(&server, &code).await.expect(200);
        assert_eq!((&answer["user_id"], &answer["is_new_user"]), (&json!(ada), &json!(false)));
        assert_eq!(people::seen_by_server(&server, &ada).await["otp_auth_enabled"], true);
    }

    async fn a_second_factor_is_asked_for_and_the_code_used_up(server, builder = with_otp()) {
        let ada = verified(&server, "ada@example.com").await;
        people::change(&server, &ada, &json!({ "totp_secret_base64": "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=" })).await;
        let code = code_for(&server, "ada@example.com").await;
        let details = sign_in(&server, &code).await.expect_error(400, "MULTI_FACTOR_AUTHENTICATION_REQUIRED");
        assert_eq!(details["attempt_code"].as_str().expect("a code").len(), 45);
        sign_in(&server, &code).await.expect_error(409, "VERIFICATION_CODE_ALREADY_USED");
        let sessions = server.get(&format!("/auth/sessions?user_id={ada}")).server().send().await.expect(200);
        assert_eq!(sessions["items"], json!([]));
    }

    async fn the_password_of_a_verified_owner_still_signs_in(server, builder = with_otp()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        people::change(&server, &ada.id, &json!({ "primary_email_verified": true })).await;
        sign_in(&server, &code_for(&server, "ada@example.com").await).await.expect(200);
        let body = json!({ "email": "ada@example.com", "password": PASSWORD });
        server.post("/auth/password/sign-in").client().json(&body).send().await.expect(200);
        people::seen_by_self(&server, &ada).await;
    }
}
