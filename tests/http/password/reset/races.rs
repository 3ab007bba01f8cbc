//! Resets that meet each other, and sign-ins with the old password.

use latchkey_testkit::on_both_engines;
use latchkey_tests::join_all;
use latchkey_tests::people::{self, OTHER_PASSWORD, PASSWORD, Person};
use serde_json::json;

use super::super::try_sign_in;
use super::{code_for, reset, reset_to};

on_both_engines! {
    async fn of_many_uses_of_one_code_one_succeeds(server) {
        people::sign_up(&server, "ada@example.com").await;
        let code = code_for(&server, "ada@example.com").await;
        let passwords: Vec<String> = (0..24).map(|number| format!("a quiet harbour at {number}")).collect();
        let answers = join_all(passwords.iter().map(|password| reset_to(&server, &code, password))).await;
        let winners: Vec<usize> = (0..24).filter(|index| answers[*index].status == 200).collect();
        assert_eq!(winners.len(), 1);
        let refusals = ["VERIFICATION_CODE_ALREADY_USED", "VERIFICATION_CODE_MAX_ATTEMPTS_REACHED"];
        for answer in answers.iter().filter(|answer| answer.status != 200) {
            let code = answer.header("x-stack-known-error").expect("a known error");
            assert!(refusals.contains(&code), "{}", answer.text());
        }
        try_sign_in(&server, "ada@example.com", &passwords[winners[0]]).await.expect(200);
    }

    async fn a_good_and_a_bad_password_at_once_end_in_one_of_the_two(server) {
        for round in 0..6 {
            let email = format!("person{round}@example.com");
            people::sign_up(&server, &email).await;
            let code = code_for(&server, &email).await;
            let (good, bad) = tokio::join!(reset(&server, &code), reset_to(&server, &code, "short"));
            let works = if good.status == 200 { OTHER_PASSWORD } else { PASSWORD };
            if good.status != 200 {
                good.expect_error(409, "VERIFICATION_CODE_ALREADY_USED");
                bad.expect_error(400, "PASSWORD_TOO_SHORT");
            }
            try_sign_in(&server, &email, works).await.expect(200);
        }
    }

    async fn no_session_of_the_old_password_outlives_a_reset(server) {
        for round in 0..6 {
            let email = format!("person{round}@example.com");
            people::sign_up(&server, &email).await;
            let code = code_for(&server, &email).await;
            let sign_ins = join_all((0..4).map(|_| try_sign_in(&server, &email, PASSWORD)));
            let (answer, sign_ins) = tokio::join!(reset(&server, &code), sign_ins);
            answer.expect(200);
            for answer in sign_ins {
                if answer.status != 200 {
                    answer.expect_error(400, "EMAIL_PASSWORD_MISMATCH");
                    continue;
                }
                let person = Person::of(&answer.json());
                let refresh = server.post("/auth/sessions/current/refresh").client();
                let refresh = refresh.json(&json!({ "refresh_token": person.refresh_token }));
                refresh.send().await.expect_error(401, "REFRESH_TOKEN_NOT_FOUND_OR_EXPIRED");
            }
        }
    }
}
