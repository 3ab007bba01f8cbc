//! Nobody guesses a code: attempts are limited for each sign-in and for each user.

use latchkey_testkit::{Answer, TestServer, on_both_engines};
use latchkey_tests::second_factors::{
    attempt, backup, call, code, complete, person, set_up, totp, wrong_code,
};
use latchkey_tests::{join_all, people, stored};
use serde_json::json;

/// A wrong code, with an attempt of its own as somebody has who knows the password.
async fn guess(server: &TestServer) -> Answer {
    let attempt = attempt(server, "ada@example.com").await;
    complete(server, &attempt, &totp(&wrong_code(server))).await
}

/// Until when the user is locked, milliseconds from now.
#[track_caller]
fn pause(server: &TestServer, answer: &Answer) -> i64 {
    let details = answer.expect_error(403, "TOO_MANY_FAILED_ATTEMPTS");
    details["retry_at_millis"].as_i64().expect("a time") - server.app().now()
}

on_both_engines! {
    async fn guesses_are_counted_for_the_user_with_pauses_that_grow_to_an_hour(server) {
        person(&server, "ada@example.com").await;
        for _ in 0..5 {
            guess(&server).await.expect_error(400, "INVALID_TOTP_CODE");
        }
        let mut pauses = Vec::new();
        for _ in 0..10 {
            let locked = pause(&server, &guess(&server).await);
            pauses.push(locked / 1000);
            server.clock().advance_millis(locked);
            guess(&server).await.expect_error(400, "INVALID_TOTP_CODE");
        }
        assert_eq!(pauses, [30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]);
    }

    async fn while_locked_the_right_code_is_refused_and_does_not_count(server) {
        let ada = person(&server, "ada@example.com").await;
        for _ in 0..5 {
            guess(&server).await.expect_error(400, "INVALID_TOTP_CODE");
        }
        let attempt = attempt(&server, "ada@example.com").await;
        let locked = pause(&server, &complete(&server, &attempt, &totp(&code(&server))).await);
        assert_eq!(pause(&server, &complete(&server, &attempt, &totp(&code(&server))).await), locked);
        server.clock().advance_millis(locked);
        complete(&server, &attempt, &totp(&code(&server))).await.expect(200);
        server.flush().await;
        let events = stored::events(&server, &ada.id).await;
        assert!(events.iter().any(|event| event.kind == "second_factor.refused" && event.details.contains("locked_until")));
    }

    async fn a_success_forgives_the_failures_before_it(server) {
        person(&server, "ada@example.com").await;
        for _ in 0..3 {
            for _ in 0..4 {
                guess(&server).await.expect_error(400, "INVALID_TOTP_CODE");
            }
            server.clock().advance_seconds(30);
            let attempt = attempt(&server, "ada@example.com").await;
            complete(&server, &attempt, &totp(&code(&server))).await.expect(200);
        }
    }

    async fn guesses_at_once_are_counted_one_by_one(server) {
        person(&server, "ada@example.com").await;
        let answers = join_all((0..24).map(|_| guess(&server))).await;
        let looked_at = answers.iter().filter(|answer| answer.header("x-stack-known-error") == Some("INVALID_TOTP_CODE"));
        assert_eq!(looked_at.count(), 5);
        assert!(answers.iter().all(|answer| answer.status == 400 || answer.status == 403));
    }

    async fn one_sign_in_has_twenty_attempts(server) {
        let (_, _, codes) = set_up(&server, "ada@example.com").await;
        let attempt = attempt(&server, "ada@example.com").await;
        for _ in 0..20 {
            complete(&server, &attempt, &backup("00000-00000")).await.expect_error(400, "INVALID_BACKUP_CODE");
        }
        let answer = complete(&server, &attempt, &backup(&codes[0])).await;
        answer.expect_error(400, "VERIFICATION_CODE_MAX_ATTEMPTS_REACHED");
    }

    async fn a_backup_code_works_while_totp_is_locked_and_ends_the_lock(server) {
        let (_, secret, codes) = set_up(&server, "ada@example.com").await;
        for _ in 0..6 {
            let attempt = attempt(&server, "ada@example.com").await;
            complete(&server, &attempt, &totp("no code")).await;
        }
        pause(&server, &guess(&server).await);
        let first = attempt(&server, "ada@example.com").await;
        complete(&server, &first, &backup(&codes[0])).await.expect(200);
        server.clock().advance_seconds(30);
        let second = attempt(&server, "ada@example.com").await;
        complete(&server, &second, &totp(&secret.code_at(server.app().now()))).await.expect(200);
    }

    async fn the_lock_of_one_user_is_not_that_of_another(server) {
        person(&server, "ada@example.com").await;
        person(&server, "bo@example.com").await;
        for _ in 0..6 {
            guess(&server).await;
        }
        let attempt = attempt(&server, "bo@example.com").await;
        complete(&server, &attempt, &totp(&code(&server))).await.expect(200);
    }

    async fn a_stolen_session_is_no_way_around_the_limit(server) {
        let (ada, _, _) = set_up(&server, "ada@example.com").await;
        for path in ["/auth/mfa/totp/disable", "/auth/reauthenticate", "/auth/mfa/totp/disable", "/auth/reauthenticate", "/auth/reauthenticate"] {
            call(&server, &ada, path, &totp("000")).await.expect_error(400, "INVALID_TOTP_CODE");
        }
        for path in ["/auth/mfa/totp/disable", "/auth/reauthenticate"] {
            pause(&server, &call(&server, &ada, path, &totp("000")).await);
        }
        let bo = people::sign_up(&server, "bo@example.com").await;
        let wrong = json!({ "type": "password", "password": "not the password" });
        for _ in 0..5 {
            call(&server, &bo, "/auth/reauthenticate", &wrong).await.expect_error(400, "PASSWORD_CONFIRMATION_MISMATCH");
        }
        pause(&server, &call(&server, &bo, "/auth/reauthenticate", &wrong).await);
        people::sign_in(&server, "bo@example.com").await;
    }
}
