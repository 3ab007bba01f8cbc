//! Contract 04 §5.3 and §5.4: setting the first password, and changing it.

use latchkey_testkit::{Answer, Builder, TestServer, on_both_engines};
use latchkey_tests::people::{self, OTHER_PASSWORD, PASSWORD, Person};
use latchkey_tests::{join_all, stored};
use serde_json::json;

use super::try_sign_in;

async fn set(server: &TestServer, person: &Person, password: &str) -> Answer {
    let body = json!({ "password": password });
    server.post("/auth/password/set").client().user(&person.access_token).json(&body).send().await
}

async fn update(
    server: &TestServer,
    person: &Person,
    old: &str,
    new: &str,
    refresh_token: Option<&str>,
) -> Answer {
    let body = json!({ "old_password": old, "new_password": new });
    let request = server.post("/auth/password/update").client().user(&person.access_token).json(&body);
    let request = match refresh_token {
        Some(token) => request.header("x-stack-refresh-token", token),
        None => request,
    };
    request.send().await
}

/// Whether a session can still be refreshed.
async fn lives(server: &TestServer, person: &Person) -> bool {
    let request = server.post("/auth/sessions/current/refresh").client();
    let answer = request.header("x-stack-refresh-token", &person.refresh_token).send().await;
    if answer.status != 200 {
        answer.expect_error(401, "REFRESH_TOKEN_NOT_FOUND_OR_EXPIRED");
    }
    answer.status == 200
}

fn without_passwords() -> Builder {
    TestServer::builder().project(|settings| settings.auth.password.allow_sign_in = false)
}

on_both_engines! {
    async fn a_first_password_is_set_and_sessions_stay(server) {
        let fields = json!({ "primary_email": "ada@example.com", "primary_email_auth_enabled": true });
        let ada = people::created(&server, &fields).await;
        let elsewhere = people::session_for(&server, &ada.id).await;
        assert_eq!(set(&server, &ada, PASSWORD).await.expect(200), json!({ "success": true }));
        assert!(lives(&server, &ada).await && lives(&server, &elsewhere).await);
        assert_eq!(people::sign_in(&server, "ada@example.com").await.id, ada.id);
        assert!(stored::event_kinds(&server, &ada.id).await.contains(&"password.set".to_owned()));
    }

    async fn a_first_password_needs_no_email(server) {
        let ada = people::created(&server, &json!({})).await;
        set(&server, &ada, PASSWORD).await.expect(200);
        assert_eq!(people::seen_by_self(&server, &ada).await["has_password"], true);
    }

    async fn a_second_first_password_is_a_text_error(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        set(&server, &ada, OTHER_PASSWORD).await.expect_text(400);
        people::sign_in(&server, "ada@example.com").await;
    }

    async fn of_racers_for_the_first_password_one_wins(server) {
        let ada = people::created(&server, &json!({})).await;
        let answers = join_all((0..8).map(|_| set(&server, &ada, PASSWORD))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
        for answer in answers.iter().filter(|answer| answer.status != 200) {
            answer.expect_text(400);
        }
    }

    async fn a_first_password_obeys_the_rules(server) {
        let ada = people::created(&server, &json!({})).await;
        let details = set(&server, &ada, "7 chars").await.expect_error(400, "PASSWORD_TOO_SHORT");
        assert_eq!(details, json!({ "min_length": 8 }));
        set(&server, &ada, &"x".repeat(71)).await.expect_error(400, "SCHEMA_ERROR");
        set(&server, &ada, "password1").await.expect_error(400, "PASSWORD_REQUIREMENTS_NOT_MET");
    }

    async fn passwords_off_is_told_first(server, builder = without_passwords()) {
        let ada = people::created(&server, &json!({})).await;
        let code = "PASSWORD_AUTHENTICATION_NOT_ENABLED";
        assert!(set(&server, &ada, "short").await.expect_error(400, code).is_null());
        update(&server, &ada, "old", "short", None).await.expect_error(400, code);
    }

    async fn an_update_changes_the_password(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let answer = update(&server, &ada, PASSWORD, OTHER_PASSWORD, None).await;
        assert_eq!(answer.expect(200), json!({ "success": true }));
        try_sign_in(&server, "ada@example.com", PASSWORD).await.expect_error(400, "EMAIL_PASSWORD_MISMATCH");
        try_sign_in(&server, "ada@example.com", OTHER_PASSWORD).await.expect(200);
        assert!(stored::event_kinds(&server, &ada.id).await.contains(&"password.changed".to_owned()));
    }

    async fn an_update_spares_exactly_the_session_of_the_header(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let phone = people::sign_in(&server, "ada@example.com").await;
        let tablet = people::sign_in(&server, "ada@example.com").await;
        let bo = people::sign_up(&server, "bo@example.com").await;
        // The access token is of one session, the header of another: the header counts.
        let answer = update(&server, &ada, PASSWORD, OTHER_PASSWORD, Some(&phone.refresh_token)).await;
        answer.expect(200);
        assert!(lives(&server, &phone).await);
        assert!(!lives(&server, &ada).await && !lives(&server, &tablet).await);
        assert!(lives(&server, &bo).await, "nobody else is signed out");
    }

    async fn without_the_header_an_update_ends_every_session(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let phone = people::sign_in(&server, "ada@example.com").await;
        update(&server, &ada, PASSWORD, OTHER_PASSWORD, None).await.expect(200);
        assert!(!lives(&server, &ada).await && !lives(&server, &phone).await);
    }

    async fn a_refresh_token_of_somebody_else_spares_nothing(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let bo = people::sign_up(&server, "bo@example.com").await;
        update(&server, &ada, PASSWORD, OTHER_PASSWORD, Some(&bo.refresh_token)).await.expect(200);
        assert!(!lives(&server, &ada).await);
        assert!(lives(&server, &bo).await);
        let ada = try_sign_in(&server, "ada@example.com", OTHER_PASSWORD).await.expect(200);
        update(&server, &Person::of(&ada), OTHER_PASSWORD, PASSWORD, Some("nonsense")).await.expect(200);
        assert!(!lives(&server, &Person::of(&ada)).await);
    }

    async fn a_short_new_password_is_told_before_a_missing_old_one(server) {
        let ada = people::created(&server, &json!({})).await;
        let details = update(&server, &ada, "old password", "short", None).await.expect_error(400, "PASSWORD_TOO_SHORT");
        assert_eq!(details, json!({ "min_length": 8 }));
        let answer = update(&server, &ada, "old password", OTHER_PASSWORD, None).await;
        assert!(answer.expect_error(400, "USER_DOES_NOT_HAVE_PASSWORD").is_null());
    }

    async fn a_wrong_old_password_changes_nothing(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let answer = update(&server, &ada, "not the old one", OTHER_PASSWORD, None).await;
        assert!(answer.expect_error(400, "PASSWORD_CONFIRMATION_MISMATCH").is_null());
        assert!(lives(&server, &ada).await);
        people::sign_in(&server, "ada@example.com").await;
    }

    async fn a_session_is_no_way_to_guess_the_password(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        for _ in 0..5 {
            let wrong = update(&server, &ada, "not the old one", OTHER_PASSWORD, None).await;
            wrong.expect_error(400, "PASSWORD_CONFIRMATION_MISMATCH");
        }
        let right = || update(&server, &ada, PASSWORD, OTHER_PASSWORD, None);
        right().await.expect_error(403, "TOO_MANY_FAILED_ATTEMPTS");
        // Nor is writing a secret a way to have the failures forgotten.
        let body = json!({ "totp_secret_base64": null });
        server.patch("/users/me").client().user(&ada.access_token).json(&body).send().await.expect(200);
        right().await.expect_error(403, "TOO_MANY_FAILED_ATTEMPTS");
        server.clock().advance_seconds(31);
        right().await.expect(200);
    }

    async fn of_racing_updates_one_wins(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let passwords: Vec<String> = (0..6).map(|index| format!("{OTHER_PASSWORD} {index}")).collect();
        let spare = Some(ada.refresh_token.as_str());
        let answers = join_all(passwords.iter().map(|new| update(&server, &ada, PASSWORD, new, spare))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1, "{answers:?}");
        let mut working = 0;
        for password in &passwords {
            working += usize::from(try_sign_in(&server, "ada@example.com", password).await.status == 200);
        }
        assert_eq!(working, 1);
    }

    async fn a_sign_in_that_races_an_update_never_outlives_it(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let sign_ins = join_all((0..8).map(|_| try_sign_in(&server, "ada@example.com", PASSWORD)));
        let (answers, updated) =
            tokio::join!(sign_ins, update(&server, &ada, PASSWORD, OTHER_PASSWORD, None));
        updated.expect(200);
        for answer in answers {
            if answer.status == 200 {
                assert!(!lives(&server, &Person::of(&answer.json())).await, "a session with the old password lives on");
            } else {
                answer.expect_error(400, "EMAIL_PASSWORD_MISMATCH");
            }
        }
    }
}
