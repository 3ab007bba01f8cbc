//! Contract 04 §5.1 and §10: an anonymous caller who signs up stays who they are.

use latchkey_testkit::{Answer, TestServer, on_both_engines};
use latchkey_tests::people::{self, PASSWORD, Person};
use latchkey_tests::tokens::claims;
use latchkey_tests::{join_all, stored};
use serde_json::json;

use super::try_sign_in;

async fn sign_up_as(server: &TestServer, person: &Person, email: &str) -> Answer {
    let body = json!({ "email": email, "password": PASSWORD });
    server.post("/auth/password/sign-up").client().user(&person.access_token).json(&body).send().await
}

on_both_engines! {
    async fn an_anonymous_caller_keeps_id_and_data(server) {
        let nobody = people::anonymous(&server).await;
        people::change(&server, &nobody.id, &json!({ "client_metadata": { "cart": [1] } })).await;
        let before = people::seen_by_server(&server, &nobody.id).await;
        server.clock().advance_seconds(60);
        let ada = Person::of(&sign_up_as(&server, &nobody, "ada@example.com").await.expect(200));
        assert_eq!(ada.id, nobody.id);
        assert_ne!(ada.session_id(), nobody.session_id(), "a new session is opened");
        let user = people::seen_by_server(&server, &ada.id).await;
        assert_eq!(user["is_anonymous"], false);
        assert_eq!(user["is_restricted"], false);
        assert_eq!(user["primary_email"], "ada@example.com");
        assert_eq!(user["has_password"], true);
        assert_eq!(user["client_metadata"], json!({ "cart": [1] }));
        let signed_up = |user: &serde_json::Value| user["signed_up_at_millis"].as_i64().expect("a time");
        assert_eq!(signed_up(&user), signed_up(&before) + 60_000);
        assert!(stored::event_kinds(&server, &ada.id).await.contains(&"user.upgraded".to_owned()));
    }

    async fn tokens_from_before_the_upgrade_stay_good(server) {
        let nobody = people::anonymous(&server).await;
        sign_up_as(&server, &nobody, "ada@example.com").await.expect(200);
        let old = people::seen_by_self(&server, &nobody).await;
        assert_eq!((&old["is_anonymous"], &old["primary_email"]), (&json!(false), &json!("ada@example.com")));
        let without = server.get("/users/me").client().header("x-stack-access-token", &nobody.access_token);
        without.send().await.expect_error(401, "ANONYMOUS_AUTHENTICATION_NOT_ALLOWED");
        let refresh = server.post("/auth/sessions/current/refresh").client();
        let answer = refresh.header("x-stack-refresh-token", &nobody.refresh_token).send().await.expect(200);
        let fresh = claims(answer["access_token"].as_str().expect("a token"));
        assert_eq!((&fresh["is_anonymous"], &fresh["aud"]), (&json!(false), &json!(server.project_id())));
    }

    async fn a_taken_address_leaves_the_anonymous_caller_as_they_are(server) {
        people::sign_up(&server, "ada@example.com").await;
        let nobody = people::anonymous(&server).await;
        sign_up_as(&server, &nobody, "ada@example.com").await.expect_error(409, "USER_EMAIL_ALREADY_EXISTS");
        assert_eq!(people::seen_by_self(&server, &nobody).await["is_anonymous"], true);
    }

    async fn somebody_who_has_signed_up_gets_a_second_account(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let second = Person::of(&sign_up_as(&server, &ada, "ada2@example.com").await.expect(200));
        assert_ne!(second.id, ada.id);
        assert_eq!(people::seen_by_self(&server, &ada).await["primary_email"], "ada@example.com");
    }

    async fn closed_sign_ups_close_the_upgrade_too(
        server, builder = TestServer::builder().project(|settings| settings.auth.allow_sign_up = false)
    ) {
        let nobody = people::anonymous(&server).await;
        sign_up_as(&server, &nobody, "ada@example.com").await.expect_error(400, "SIGN_UP_NOT_ENABLED");
    }

    async fn a_sign_in_never_upgrades_an_anonymous_caller(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let nobody = people::anonymous(&server).await;
        let body = json!({ "email": "ada@example.com", "password": PASSWORD });
        let request = server.post("/auth/password/sign-in").client().user(&nobody.access_token).json(&body);
        assert_eq!(Person::of(&request.send().await.expect(200)).id, ada.id);
        assert_eq!(people::seen_by_self(&server, &nobody).await["is_anonymous"], true);
    }

    async fn an_upgrade_of_somebody_with_a_second_factor_asks_for_it(server) {
        let nobody = people::anonymous(&server).await;
        people::change(&server, &nobody.id, &json!({ "totp_secret_base64": "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=" })).await;
        let answer = sign_up_as(&server, &nobody, "ada@example.com").await;
        let details = answer.expect_error(400, "MULTI_FACTOR_AUTHENTICATION_REQUIRED");
        assert_eq!(details["attempt_code"].as_str().map(str::len), Some(45));
        assert_eq!(people::seen_by_server(&server, &nobody.id).await["is_anonymous"], false);
    }

    async fn of_two_upgrades_at_once_one_succeeds(server) {
        let nobody = people::anonymous(&server).await;
        let emails = ["ada@example.com", "bo@example.com", "cy@example.com", "di@example.com"];
        let answers = join_all(emails.iter().map(|email| sign_up_as(&server, &nobody, email))).await;
        assert!(answers.iter().all(|answer| answer.status < 500), "{answers:?}");
        let same = |answer: &&Answer| answer.status == 200 && answer.json()["user_id"] == nobody.id;
        assert_eq!(answers.iter().filter(same).count(), 1);
        let mut mine = 0;
        for email in emails {
            let answer = try_sign_in(&server, email, PASSWORD).await;
            mine += usize::from(answer.status == 200 && answer.json()["user_id"] == nobody.id);
        }
        assert_eq!(mine, 1, "one address signs in to the upgraded account");
    }
}
