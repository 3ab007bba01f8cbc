//! Completing a sign-in with TOTP.

use latchkey_testkit::{Builder, TestServer, on_both_engines};
use latchkey_tests::people::{self, OTHER_PASSWORD, PASSWORD, Person};
use latchkey_tests::second_factors::{
    STEP, TOTP, attempt, call, code, code_in, complete, person, totp, wrong_code,
};
use latchkey_tests::tokens::keys;
use latchkey_tests::{join_all, second_factors, stored};
use serde_json::json;

fn with_otp() -> Builder {
    TestServer::builder().project(|settings| settings.auth.otp.allow_sign_in = true)
}

async fn sessions_of(server: &TestServer, user: &str) -> usize {
    let list = server.get(&format!("/auth/sessions?user_id={user}")).server().send().await.expect(200);
    list["items"].as_array().map_or(0, Vec::len)
}

on_both_engines! {
    async fn both_factors_open_a_session(server) {
        let ada = person(&server, "ada@example.com").await;
        let attempt = attempt(&server, "ada@example.com").await;
        let answer = complete(&server, &attempt, &totp(&code(&server))).await.expect(200);
        assert_eq!(keys(&answer), ["access_token", "is_new_user", "refresh_token", "user_id"]);
        assert_eq!((&answer["user_id"], &answer["is_new_user"]), (&json!(ada.id), &json!(false)));
        let signed_in = Person::of(&answer);
        assert_eq!(people::seen_by_self(&server, &signed_in).await["requires_totp_mfa"], true);
        let session = stored::session(&server, &signed_in.access_token).await.expect("a session");
        assert_eq!((session.amr.as_str(), session.auth_time), ("pwd otp mfa", server.app().now()));
        let events = stored::event_kinds(&server, &ada.id).await;
        assert!(events.contains(&"second_factor.accepted".to_owned()), "{events:?}");
        assert_eq!(events.iter().filter(|kind| *kind == "user.signed_in").count(), 1, "{events:?}");
    }

    async fn a_wrong_code_leaves_the_attempt_usable_and_is_audited(server) {
        let ada = person(&server, "ada@example.com").await;
        let attempt = attempt(&server, "ada@example.com").await;
        for wrong in [wrong_code(&server), String::new(), "abc".to_owned(), format!("{}0", code(&server))] {
            let refused = complete(&server, &attempt, &totp(&wrong)).await;
            assert!(refused.expect_error(400, "INVALID_TOTP_CODE").is_null());
        }
        complete(&server, &attempt, &totp(&code(&server))).await.expect(200);
        server.flush().await;
        let events = stored::event_kinds(&server, &ada.id).await;
        assert_eq!(events.iter().filter(|kind| *kind == "second_factor.refused").count(), 4, "{events:?}");
    }

    async fn an_attempt_works_once(server) {
        person(&server, "ada@example.com").await;
        let attempt = attempt(&server, "ada@example.com").await;
        complete(&server, &attempt, &totp(&code(&server))).await.expect(200);
        server.clock().advance_seconds(STEP);
        let again = complete(&server, &attempt, &totp(&code(&server))).await;
        again.expect_error(409, "VERIFICATION_CODE_ALREADY_USED");
    }

    async fn an_attempt_ends_after_five_minutes(server) {
        person(&server, "ada@example.com").await;
        let attempt = attempt(&server, "ada@example.com").await;
        server.clock().advance_millis(5 * 60 * 1000);
        let late = complete(&server, &attempt, &totp(&code(&server))).await;
        late.expect_error(400, "VERIFICATION_CODE_EXPIRED");
    }

    async fn a_code_is_accepted_one_step_around_its_own_and_no_further(server) {
        person(&server, "ada@example.com").await;
        for (seconds, accepted) in [(-2 * STEP, false), (2 * STEP, false), (-STEP, true), (STEP, true)] {
            let attempt = attempt(&server, "ada@example.com").await;
            let answer = complete(&server, &attempt, &totp(&code_in(&server, seconds))).await;
            if accepted {
                answer.expect(200);
            } else {
                answer.expect_error(400, "INVALID_TOTP_CODE");
            }
        }
    }

    async fn a_step_is_never_accepted_twice_nor_an_older_one_after_it(server) {
        person(&server, "ada@example.com").await;
        second_factors::sign_in(&server, "ada@example.com").await;
        let seen = code(&server);
        for replayed in [seen.clone(), code_in(&server, -STEP)] {
            let attempt = attempt(&server, "ada@example.com").await;
            complete(&server, &attempt, &totp(&replayed)).await.expect_error(400, "INVALID_TOTP_CODE");
        }
        server.clock().advance_seconds(STEP);
        let attempt = attempt(&server, "ada@example.com").await;
        complete(&server, &attempt, &totp(&seen)).await.expect_error(400, "INVALID_TOTP_CODE");
        complete(&server, &attempt, &totp(&code(&server))).await.expect(200);
    }

    async fn one_code_in_24_sign_ins_at_once_opens_one_session(server) {
        let ada = person(&server, "ada@example.com").await;
        let attempts = join_all((0..24).map(|_| attempt(&server, "ada@example.com"))).await;
        let proof = totp(&code(&server));
        let answers = join_all(attempts.iter().map(|attempt| complete(&server, attempt, &proof))).await;
        let accepted = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(accepted, 1);
        for refused in answers.iter().filter(|answer| answer.status != 200) {
            let code = refused.header("x-stack-known-error").expect("a known error");
            assert!(["INVALID_TOTP_CODE", "TOO_MANY_FAILED_ATTEMPTS"].contains(&code), "{code}");
        }
        assert_eq!(sessions_of(&server, &ada.id).await, 2);
    }

    async fn one_attempt_used_24_times_at_once_opens_one_session(server) {
        let ada = person(&server, "ada@example.com").await;
        let attempt = attempt(&server, "ada@example.com").await;
        let proof = totp(&code(&server));
        let answers = join_all((0..24).map(|_| complete(&server, &attempt, &proof))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
        assert!(answers.iter().all(|answer| answer.status < 500));
        assert_eq!(sessions_of(&server, &ada.id).await, 2);
    }

    async fn an_attempt_of_one_user_is_not_completed_by_the_code_of_another(server) {
        person(&server, "ada@example.com").await;
        let bo = people::sign_up(&server, "bo@example.com").await;
        people::change(&server, &bo.id, &json!({ "totp_secret_base64": "YWJjZGVmZ2hpamtsbW5vcHFyc3Q=" })).await;
        let attempt = attempt(&server, "bo@example.com").await;
        complete(&server, &attempt, &totp(&code(&server))).await.expect_error(400, "INVALID_TOTP_CODE");
    }

    async fn codes_of_other_kinds_and_projects_are_unknown(server) {
        person(&server, "ada@example.com").await;
        let attempt = attempt(&server, "ada@example.com").await;
        let unknown = complete(&server, &"0".repeat(45), &totp(&code(&server))).await;
        unknown.expect_error(404, "VERIFICATION_CODE_NOT_FOUND");
        let verify = server.post("/contact-channels/verify").client().json(&json!({ "code": attempt })).send().await;
        verify.expect_error(404, "VERIFICATION_CODE_NOT_FOUND");
        let mut body = totp(&code(&server));
        body["code"] = json!(attempt);
        let other = server.other_project().clone();
        let request = people::speaking_for(server.post("/auth/mfa/sign-in"), &other, "client").json(&body);
        request.send().await.expect_error(404, "VERIFICATION_CODE_NOT_FOUND");
        complete(&server, &attempt.to_uppercase(), &totp(&code(&server))).await.expect(200);
    }

    async fn the_request_has_the_form_of_its_type(server) {
        let code = "0".repeat(45);
        for body in [
            json!({}), json!({ "type": "totp", "code": code }), json!({ "type": "backup_code", "totp": "1", "code": code }),
            json!({ "type": "sms", "totp": "1", "code": code }), json!({ "type": "totp", "totp": "1", "code": "short" }),
            json!({ "type": "totp", "totp": ["1"], "code": code }), json!({ "type": "totp", "totp": "1", "code": code, "odd": 1 }),
        ] {
            let answer = server.post("/auth/mfa/sign-in").client().json(&body).send().await;
            answer.expect_error(400, "SCHEMA_ERROR");
        }
    }

    async fn a_new_password_ends_sign_ins_that_wait(server) {
        let ada = person(&server, "ada@example.com").await;
        let by_thief = attempt(&server, "ada@example.com").await;
        let body = json!({ "old_password": PASSWORD, "new_password": OTHER_PASSWORD });
        call(&server, &ada, "/auth/password/update", &body).await.expect(200);
        let answer = complete(&server, &by_thief, &totp(&code(&server))).await;
        answer.expect_error(409, "VERIFICATION_CODE_ALREADY_USED");
        people::change(&server, &ada.id, &json!({ "password": PASSWORD })).await;
        let by_thief = attempt(&server, "ada@example.com").await;
        people::change(&server, &ada.id, &json!({ "password": OTHER_PASSWORD })).await;
        let answer = complete(&server, &by_thief, &totp(&code(&server))).await;
        answer.expect_error(409, "VERIFICATION_CODE_ALREADY_USED");
        assert_eq!(sessions_of(&server, &ada.id).await, 0);
    }

    async fn a_password_that_was_reset_ends_sign_ins_that_wait_and_signs_nobody_in(server) {
        let ada = person(&server, "ada@example.com").await;
        let by_thief = attempt(&server, "ada@example.com").await;
        let body = json!({ "email": "ada@example.com", "callback_url": "http://localhost/" });
        server.post("/auth/password/send-reset-code").client().json(&body).send().await.expect(200);
        let mailed = latchkey_tests::mail::code_to(&server, "ada@example.com").await;
        let body = json!({ "code": mailed, "password": PASSWORD });
        let answer = server.post("/auth/password/reset").client().json(&body).send().await.expect(200);
        assert_eq!(keys(&answer), ["success"]);
        let late = complete(&server, &by_thief, &totp(&code(&server))).await;
        late.expect_error(409, "VERIFICATION_CODE_ALREADY_USED");
        assert_eq!(sessions_of(&server, &ada.id).await, 0);
        second_factors::sign_in(&server, "ada@example.com").await;
    }

    async fn a_mailed_code_is_a_first_factor_and_never_the_second(server, builder = with_otp()) {
        let ada = person(&server, "ada@example.com").await;
        people::change(&server, &ada.id, &json!({ "primary_email_verified": true })).await;
        let ask = || async {
            let body = json!({ "email": "ada@example.com", "callback_url": "http://localhost/" });
            server.post("/auth/otp/send-sign-in-code").client().json(&body).send().await.expect(200);
            server.clock().advance_seconds(1);
            latchkey_tests::mail::code_to(&server, "ada@example.com").await
        };
        let mailed = ask().await;
        let body = json!({ "code": mailed });
        let answer = server.post("/auth/otp/sign-in").client().json(&body).send().await;
        let details = answer.expect_error(400, "MULTI_FACTOR_AUTHENTICATION_REQUIRED");
        let attempt = details["attempt_code"].as_str().expect("a code");
        let another = ask().await;
        for second in [&mailed[..6], &another[..6], another.as_str()] {
            complete(&server, attempt, &totp(second)).await.expect_error(400, "INVALID_TOTP_CODE");
        }
        let answer = complete(&server, attempt, &totp(&code(&server))).await.expect(200);
        let token = answer["access_token"].as_str().expect("a token");
        assert_eq!(stored::session(&server, token).await.expect("a session").amr, "otp mfa");
    }

    async fn another_secret_or_none_ends_codes_of_the_old_one(server) {
        let ada = person(&server, "ada@example.com").await;
        let attempt = attempt(&server, "ada@example.com").await;
        people::change(&server, &ada.id, &json!({ "totp_secret_base64": "YWJjZGVmZ2hpamtsbW5vcHFyc3Q=" })).await;
        complete(&server, &attempt, &totp(&code(&server))).await.expect_error(400, "INVALID_TOTP_CODE");
        people::change(&server, &ada.id, &json!({ "totp_secret_base64": null })).await;
        complete(&server, &attempt, &totp(&code(&server))).await.expect_error(400, "INVALID_TOTP_CODE");
        people::sign_in(&server, "ada@example.com").await;
    }

    async fn a_deleted_user_does_not_sign_in(server) {
        let ada = person(&server, "ada@example.com").await;
        let attempt = attempt(&server, "ada@example.com").await;
        server.delete(&format!("/users/{}", ada.id)).server().send().await.expect(200);
        let answer = complete(&server, &attempt, &totp(&code(&server))).await;
        answer.expect_error(404, "VERIFICATION_CODE_NOT_FOUND");
    }

    async fn an_upgraded_account_with_a_second_factor_is_new_after_it(server) {
        let nobody = people::anonymous(&server).await;
        people::change(&server, &nobody.id, &json!({ "totp_secret_base64": TOTP })).await;
        let body = json!({ "email": "ada@example.com", "password": PASSWORD });
        let request = server.post("/auth/password/sign-up").client().user(&nobody.access_token).json(&body);
        let details = request.send().await.expect_error(400, "MULTI_FACTOR_AUTHENTICATION_REQUIRED");
        let attempt = details["attempt_code"].as_str().expect("a code");
        let answer = complete(&server, attempt, &totp(&code(&server))).await.expect(200);
        assert_eq!((&answer["user_id"], &answer["is_new_user"]), (&json!(nobody.id), &json!(true)));
    }

    async fn a_session_opened_by_a_server_needs_no_second_factor(server) {
        let ada = person(&server, "ada@example.com").await;
        let session = people::session_for(&server, &ada.id).await;
        people::seen_by_self(&server, &session).await;
    }

    async fn a_secret_that_could_be_guessed_is_refused(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        // RFC 4226 §4, R6: at least 128 bits.
        for secret in ["", "MTIzNDU2Nzg5MA==", "MTIzNDU2Nzg5MDEyMzQ1"] {
            let body = json!({ "totp_secret_base64": secret });
            server.patch("/users/me").client().user(&ada.access_token).json(&body).send().await.expect_text(400);
            server.patch(&format!("/users/{}", ada.id)).server().json(&body).send().await.expect_text(400);
        }
        let body = json!({ "totp_secret_base64": "MTIzNDU2Nzg5MDEyMzQ1Ng==" });
        server.patch("/users/me").client().user(&ada.access_token).json(&body).send().await.expect(200);
    }
}
