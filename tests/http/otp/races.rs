//! Codes that are used at the same time.

use latchkey_testkit::on_both_engines;
use latchkey_tests::people::{self, PASSWORD};
use latchkey_tests::{join_all, mail};
use serde_json::json;

use super::{code_for, sign_in, using, verified, with_otp};

on_both_engines! {
    async fn of_many_uses_of_one_code_one_succeeds(server, builder = with_otp()) {
        let ada = verified(&server, "ada@example.com").await;
        let code = code_for(&server, "ada@example.com").await;
        let answers = join_all((0..24).map(|_| sign_in(&server, &code))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
        let refusals = ["VERIFICATION_CODE_ALREADY_USED", "VERIFICATION_CODE_MAX_ATTEMPTS_REACHED"];
        for answer in answers.iter().filter(|answer| answer.status != 200) {
            let code = answer.header("x-stack-known-error").expect("a known error");
            assert!(refusals.contains(&code), "{}", answer.text());
        }
        let sessions = server.get(&format!("/auth/sessions?user_id={ada}")).server().send().await.expect(200);
        assert_eq!(sessions["items"].as_array().map(Vec::len), Some(1));
    }

    async fn of_many_uses_of_a_code_for_somebody_new_one_makes_the_account(server, builder = with_otp()) {
        let code = code_for(&server, "ada@example.com").await;
        let answers = join_all((0..16).map(|_| sign_in(&server, &code))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
        for answer in answers.iter().filter(|answer| answer.status != 200) {
            answer.expect_error(409, "VERIFICATION_CODE_ALREADY_USED");
        }
        let users = server.get("/users").server().send().await.expect(200);
        assert_eq!(users["items"].as_array().map(Vec::len), Some(1));
    }

    async fn two_codes_for_a_new_address_make_one_account(server, builder = with_otp()) {
        for round in 0..4 {
            let email = format!("person{round}@example.com");
            let first = code_for(&server, &email).await;
            server.clock().advance_seconds(1);
            let second = code_for(&server, &email).await;
            let (first, second) = tokio::join!(sign_in(&server, &first), sign_in(&server, &second));
            let (first, second) = (first.expect(200), second.expect(200));
            assert_eq!(first["user_id"], second["user_id"]);
            assert_ne!(first["is_new_user"], second["is_new_user"]);
        }
    }

    async fn a_code_and_a_sign_up_with_a_password_do_not_join(server, builder = with_otp()) {
        for round in 0..6 {
            let email = format!("person{round}@example.com");
            let code = code_for(&server, &email).await;
            let body = json!({ "email": email, "password": PASSWORD });
            let sign_up = server.post("/auth/password/sign-up").client().json(&body).send();
            let (by_code, by_password) = tokio::join!(sign_in(&server, &code), sign_up);
            // Whoever chose the password must never share the account of whoever reads the mail.
            if by_code.status == 200 {
                by_password.expect_error(409, "USER_EMAIL_ALREADY_EXISTS");
            } else {
                by_code.expect_error(409, "USER_EMAIL_ALREADY_EXISTS");
                by_password.expect(200);
            }
        }
    }

    async fn one_anonymous_caller_becomes_one_of_two_new_users(server, builder = with_otp()) {
        let nobody = people::anonymous(&server).await;
        let (first, second) = (code_for(&server, "ada@example.com").await, code_for(&server, "bo@example.com").await);
        let as_nobody = |code: &str| using(&server, code).user(&nobody.access_token).send();
        let (first, second) = tokio::join!(as_nobody(&first), as_nobody(&second));
        let (first, second) = (first.expect(200), second.expect(200));
        let kept = [&first, &second].iter().filter(|answer| answer["user_id"] == nobody.id.as_str()).count();
        assert_eq!(kept, 1, "{first} {second}");
        assert_eq!(mail::to(&server, "ada@example.com").await.len(), 1);
    }
}
