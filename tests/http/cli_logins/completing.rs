//! Start, poll, complete: who gets the token, and how often.

use latchkey_storage::engine::stmt;
use latchkey_testkit::on_both_engines;
use latchkey_tests::people::{self, PASSWORD};
use latchkey_tests::tokens::{claims, keys};
use latchkey_tests::{join_all, stored};
use serde_json::{Value, json};

use super::{Codes, check, claim, complete, complete_with, poll, start, start_with, status};

on_both_engines! {
    async fn a_program_waits_and_gets_the_token_of_the_browser_once(server) {
        let codes = start(&server).await;
        assert_eq!(status(&server, &codes).await, "waiting");
        let ada = people::sign_up(&server, "ada@example.com").await;
        assert_eq!(complete(&server, &codes, &ada.refresh_token).await.expect(200), json!({ "success": true }));
        let answer = poll(&server, &codes).await.expect(201);
        assert_eq!(answer, json!({ "status": "success", "refresh_token": ada.refresh_token }));
        assert_eq!(status(&server, &codes).await, "used");
        let refresh = server.post("/auth/sessions/current/refresh").client();
        let token = refresh.header("x-stack-refresh-token", &ada.refresh_token).send().await.expect(200);
        assert_eq!(claims(token["access_token"].as_str().expect("a token"))["sub"], ada.id);
        assert!(stored::event_kinds(&server, &ada.id).await.contains(&"session.given_to_program".to_owned()));
    }

    async fn an_attempt_begins_without_a_body_and_says_when_it_ends(server) {
        let answer = server.post("/auth/cli").client().send().await.expect(200);
        assert_eq!(keys(&answer), ["expires_at", "login_code", "polling_code"]);
        let end = |answer: &Value| answer["expires_at"].as_str().expect("a time").to_owned();
        assert!(end(&answer).ends_with('Z') && end(&answer).contains('T'));
        let codes = Codes::of(&answer);
        assert_ne!(codes.polling, codes.login);
        server.clock().advance_seconds(2 * 60 * 60 - 1);
        assert_eq!(status(&server, &codes).await, "waiting");
        server.clock().advance_seconds(1);
        assert_eq!(status(&server, &codes).await, "expired");
        for lifetime in [json!(86_400_001), json!(-1), json!("soon"), json!(1.5)] {
            start_with(&server, &json!({ "expires_in_millis": lifetime })).await.expect_error(400, "SCHEMA_ERROR");
        }
        let short = Codes::of(&start_with(&server, &json!({ "expires_in_millis": 1000 })).await.expect(200));
        server.clock().advance_millis(999);
        assert_eq!(status(&server, &short).await, "waiting");
        server.clock().advance_millis(1);
        assert_eq!(status(&server, &short).await, "expired");
    }

    async fn the_end_wins_over_everything(server) {
        let (open, done, used) = (start(&server).await, start(&server).await, start(&server).await);
        let ada = people::sign_up(&server, "ada@example.com").await;
        complete(&server, &done, &ada.refresh_token).await.expect(200);
        complete(&server, &used, &ada.refresh_token).await.expect(200);
        poll(&server, &used).await.expect(201);
        server.clock().advance_seconds(2 * 60 * 60);
        for codes in [&open, &done, &used] {
            assert_eq!(status(&server, codes).await, "expired");
            complete(&server, codes, &ada.refresh_token).await.expect_text(400);
        }
    }

    async fn an_unknown_polling_code_is_an_error_and_a_login_code_is_none(server) {
        let codes = start(&server).await;
        let swapped = Codes { polling: codes.login.clone(), login: codes.polling.clone() };
        poll(&server, &swapped).await.expect_error(400, "INVALID_POLLING_CODE");
        let ada = people::sign_up(&server, "ada@example.com").await;
        complete(&server, &swapped, &ada.refresh_token).await.expect_text(400);
        let unknown = Codes { polling: "z".repeat(45), login: "z".repeat(45) };
        poll(&server, &unknown).await.expect_error(400, "INVALID_POLLING_CODE");
        for mode in ["check", "claim-anon-session", "complete"] {
            let body = json!({ "login_code": unknown.login, "mode": mode, "refresh_token": ada.refresh_token });
            complete_with(&server, &body).await.expect_text(400);
        }
        let body = json!({ "login_code": codes.login, "mode": "steal" });
        complete_with(&server, &body).await.expect_error(400, "SCHEMA_ERROR");
        assert_eq!(status(&server, &codes).await, "waiting");
    }

    async fn only_the_refresh_token_of_a_living_session_of_the_project_completes(server) {
        let codes = start(&server).await;
        complete_with(&server, &json!({ "login_code": codes.login })).await.expect_text(400);
        let ada = people::sign_up(&server, "ada@example.com").await;
        server.delete("/auth/sessions/current").client().user(&ada.access_token).send().await.expect(200);
        let other = server.other_project().clone();
        let body = json!({ "email": "ada@example.com", "password": PASSWORD });
        let there = people::speaking_for(server.post("/auth/password/sign-up"), &other, "client").json(&body);
        let foreign = people::Person::of(&there.send().await.expect(200));
        let user = people::create(&server, &json!({})).await;
        let body = json!({ "user_id": user["id"], "expires_in_millis": 1000 });
        let short = server.post("/auth/sessions").server().json(&body).send().await.expect(200);
        server.clock().advance_seconds(1);
        let expired = short["refresh_token"].as_str().expect("a token");
        for token in [&ada.refresh_token, &ada.access_token, &foreign.refresh_token, expired, "", &"0".repeat(45)] {
            let answer = complete(&server, &codes, token).await;
            assert_eq!(answer.status, 400, "{token}");
        }
        assert_eq!(status(&server, &codes).await, "waiting");
        let bo = people::sign_up(&server, "bo@example.com").await;
        complete(&server, &codes, &bo.refresh_token).await.expect(200);
    }

    async fn a_rotated_away_token_completes_nothing_and_ends_its_session(server) {
        let codes = start(&server).await;
        let ada = people::sign_up(&server, "ada@example.com").await;
        let refresh = server.post("/auth/sessions/current/refresh").client();
        let body = json!({ "refresh_token": ada.refresh_token });
        let next = refresh.json(&body).send().await.expect(200)["refresh_token"].as_str().expect("a token").to_owned();
        server.clock().advance_seconds(31);
        complete(&server, &codes, &ada.refresh_token).await.expect_text(400);
        complete(&server, &codes, &next).await.expect_text(400);
        assert!(stored::event_kinds(&server, &ada.id).await.contains(&"session.reuse_detected".to_owned()));
    }

    async fn codes_of_one_project_mean_nothing_in_another(server) {
        let codes = start(&server).await;
        let other = server.other_project().clone();
        let there = |path: &str| people::speaking_for(server.post(path), &other, "client");
        let body = json!({ "email": "mallory@example.com", "password": PASSWORD });
        let mallory = people::Person::of(&there("/auth/password/sign-up").json(&body).send().await.expect(200));
        let body = json!({ "login_code": codes.login, "refresh_token": mallory.refresh_token });
        there("/auth/cli/complete").json(&body).send().await.expect_text(400);
        let ada = people::sign_up(&server, "ada@example.com").await;
        complete(&server, &codes, &ada.refresh_token).await.expect(200);
        let body = json!({ "polling_code": codes.polling });
        there("/auth/cli/poll").json(&body).send().await.expect_error(400, "INVALID_POLLING_CODE");
        poll(&server, &codes).await.expect(201);
    }

    async fn a_completed_attempt_is_completed_by_nobody_else(server) {
        let codes = start(&server).await;
        let ada = people::sign_up(&server, "ada@example.com").await;
        let bo = people::sign_up(&server, "bo@example.com").await;
        complete(&server, &codes, &ada.refresh_token).await.expect(200);
        complete(&server, &codes, &bo.refresh_token).await.expect_text(400);
        check(&server, &codes).await.expect_text(400);
        claim(&server, &codes).await.expect_text(400);
        assert_eq!(poll(&server, &codes).await.expect(201)["refresh_token"], ada.refresh_token);
        complete(&server, &codes, &bo.refresh_token).await.expect_text(400);
        assert_eq!(status(&server, &codes).await, "used");
    }

    async fn of_racing_browsers_one_completes_and_of_racing_polls_one_gets_the_token(server) {
        let codes = start(&server).await;
        let mut people = Vec::new();
        for name in ["ada", "bo", "cy", "di", "ed", "flo"] {
            people.push(people::sign_up(&server, &format!("{name}@example.com")).await);
        }
        let answers = join_all(people.iter().map(|person| complete(&server, &codes, &person.refresh_token))).await;
        let winners: Vec<_> = answers.iter().zip(&people).filter(|(answer, _)| answer.status == 200).collect();
        assert_eq!(winners.len(), 1);
        assert!(answers.iter().all(|answer| [200, 400].contains(&answer.status)), "{answers:?}");
        let polls = join_all((0..8).map(|_| poll(&server, &codes))).await;
        let given: Vec<_> = polls.iter().filter(|answer| answer.status == 201).collect();
        assert_eq!(given.len(), 1, "{polls:?}");
        assert_eq!(given[0].json()["refresh_token"], winners[0].1.refresh_token);
        assert!(polls.iter().all(|answer| answer.status == 201 || answer.json()["status"] == "used"));
    }

    async fn a_second_factor_stands_before_the_program_too(server) {
        let codes = start(&server).await;
        let ada = people::sign_up(&server, "ada@example.com").await;
        people::change(&server, &ada.id, &json!({ "totp_secret_base64": "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=" })).await;
        let body = json!({ "email": "ada@example.com", "password": PASSWORD });
        let answer = server.post("/auth/password/sign-in").client().json(&body).send().await;
        let details = answer.expect_error(400, "MULTI_FACTOR_AUTHENTICATION_REQUIRED");
        let attempt = details["attempt_code"].as_str().expect("a code");
        complete(&server, &codes, attempt).await.expect_text(400);
        assert_eq!(status(&server, &codes).await, "waiting");
    }

    async fn neither_codes_nor_tokens_stand_in_the_database(server) {
        let nobody = people::anonymous(&server).await;
        let codes = Codes::of(&start_with(&server, &json!({ "anon_refresh_token": nobody.refresh_token })).await.expect(200));
        let ada = people::sign_up(&server, "ada@example.com").await;
        let everything = || async {
            let rows = stmt("SELECT polling_code_hash, login_code_hash, refresh_token_sealed, anonymous_token_sealed FROM cli_logins", Vec::new());
            let outcomes = server.app().store.batch(vec![rows]).await.expect("rows");
            outcomes[0].first::<(Vec<u8>, Vec<u8>, Option<Vec<u8>>, Option<Vec<u8>>)>().expect("columns").expect("a row")
        };
        let holds = |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        let (polling, login, token, anonymous) = everything().await;
        assert!(token.is_none());
        let anonymous = anonymous.expect("a sealed token");
        for secret in [&codes.polling, &codes.login, &nobody.refresh_token] {
            assert!(![&polling, &login, &anonymous].iter().any(|bytes| holds(bytes, secret)));
        }
        complete(&server, &codes, &ada.refresh_token).await.expect(200);
        let (_, _, token, anonymous) = everything().await;
        assert!(anonymous.is_none(), "nobody can claim it any more");
        assert!(!holds(&token.expect("a sealed token"), &ada.refresh_token));
        poll(&server, &codes).await.expect(201);
        assert!(everything().await.2.is_none(), "what was handed out is gone");
    }

    async fn attempts_go_a_day_after_their_end(server) {
        start(&server).await;
        server.clock().advance_seconds(26 * 60 * 60);
        assert_eq!(latchkey_identity::clean_up::run(server.app()).await.expect("a clean-up"), 0);
        server.clock().advance_millis(1);
        assert_eq!(latchkey_identity::clean_up::run(server.app()).await.expect("a clean-up"), 1);
    }

    async fn a_new_master_key_takes_over_what_waits(server) {
        let codes = start(&server).await;
        let ada = people::sign_up(&server, "ada@example.com").await;
        complete(&server, &codes, &ada.refresh_token).await.expect(200);
        let new = "new:bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmU=";
        let both = format!("{new},{}", latchkey_testkit::MASTER_KEY);
        let rotating = server.twin_with(|builder| builder.config("security.master_keys", &both)).await;
        latchkey_identity::master_key_rotation::reseal(rotating.app()).await.expect("secrets to seal again");
        let rotated = server.twin_with(|builder| builder.config("security.master_keys", new)).await;
        assert_eq!(poll(&rotated, &codes).await.expect(201)["refresh_token"], ada.refresh_token);
    }
}
