//! A program that works for an anonymous user already: the browser may take that user over, once.

use latchkey_testkit::{TestServer, on_both_engines};
use latchkey_tests::join_all;
use latchkey_tests::people::{self, PASSWORD, Person};
use latchkey_tests::tokens::{claims, keys};
use serde_json::json;

use super::{Codes, check, claim, complete, poll, start, start_with, status};

/// An attempt of a program that works for an anonymous user.
async fn begun(server: &TestServer) -> (Person, Codes) {
    let nobody = people::anonymous(server).await;
    let body = json!({ "anon_refresh_token": nobody.refresh_token });
    let codes = Codes::of(&start_with(server, &body).await.expect(200));
    (nobody, codes)
}

on_both_engines! {
    async fn a_browser_signs_up_as_the_program_s_user(server) {
        let (nobody, codes) = begun(&server).await;
        assert_eq!(check(&server, &codes).await.expect(200), json!({ "cli_session_state": "anonymous" }));
        let claimed = claim(&server, &codes).await.expect(200);
        assert_eq!(keys(&claimed), ["access_token", "refresh_token"]);
        assert_eq!(claimed["refresh_token"], nobody.refresh_token);
        let token = claimed["access_token"].as_str().expect("a token");
        assert_eq!((&claims(token)["sub"], &claims(token)["is_anonymous"]), (&json!(nobody.id), &json!(true)));
        let body = json!({ "email": "ada@example.com", "password": PASSWORD });
        let sign_up = server.post("/auth/password/sign-up").client().user(token).json(&body);
        let ada = Person::of(&sign_up.send().await.expect(200));
        assert_eq!(ada.id, nobody.id);
        complete(&server, &codes, &ada.refresh_token).await.expect(200);
        assert_eq!(poll(&server, &codes).await.expect(201)["refresh_token"], ada.refresh_token);
    }

    async fn a_session_is_claimed_once(server) {
        let (_, codes) = begun(&server).await;
        for _ in 0..2 {
            assert_eq!(check(&server, &codes).await.expect(200)["cli_session_state"], "anonymous", "asking uses nothing up");
        }
        let answers = join_all((0..8).map(|_| claim(&server, &codes))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
        for answer in answers.iter().filter(|answer| answer.status != 200) {
            answer.expect_text(400);
        }
        claim(&server, &codes).await.expect_text(400);
        assert_eq!(check(&server, &codes).await.expect(200)["cli_session_state"], "none");
        assert_eq!(status(&server, &codes).await, "waiting");
    }

    async fn without_an_anonymous_session_there_is_nothing_to_claim(server) {
        let codes = start(&server).await;
        assert_eq!(check(&server, &codes).await.expect(200), json!({ "cli_session_state": "none" }));
        claim(&server, &codes).await.expect_text(400);
    }

    async fn only_a_living_session_of_an_anonymous_user_of_the_project_is_taken_along(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let gone = people::anonymous(&server).await;
        server.delete(&format!("/users/{}", gone.id)).server().send().await.expect(200);
        let ended = people::anonymous(&server).await;
        server.delete("/auth/sessions/current").client().user(&ended.access_token).send().await.expect(200);
        let other = server.other_project().clone();
        let there = people::speaking_for(server.post("/auth/anonymous/sign-up"), &other, "client");
        let foreign = Person::of(&there.send().await.expect(200));
        let unknown = "0".repeat(45);
        for token in [&ada.refresh_token, &gone.refresh_token, &ended.refresh_token, &foreign.refresh_token, &unknown] {
            start_with(&server, &json!({ "anon_refresh_token": token })).await.expect_text(400);
        }
    }

    async fn somebody_who_signed_up_meanwhile_is_not_given_away(server) {
        let (nobody, codes) = begun(&server).await;
        let body = json!({ "email": "ada@example.com", "password": PASSWORD });
        server.post("/auth/password/sign-up").client().user(&nobody.access_token).json(&body).send().await.expect(200);
        assert_eq!(check(&server, &codes).await.expect(200)["cli_session_state"], "none");
        claim(&server, &codes).await.expect_text(400);
    }

    async fn a_session_that_ended_meanwhile_is_not_claimed(server) {
        let (nobody, codes) = begun(&server).await;
        server.delete("/auth/sessions/current").client().user(&nobody.access_token).send().await.expect(200);
        assert_eq!(check(&server, &codes).await.expect(200)["cli_session_state"], "none");
        claim(&server, &codes).await.expect_text(400);
    }

    async fn claiming_and_completing_at_once_leave_one_outcome(server) {
        for round in 0..4 {
            let (nobody, codes) = begun(&server).await;
            let ada = people::sign_up(&server, &format!("ada{round}@example.com")).await;
            let (claimed, completed) =
                tokio::join!(claim(&server, &codes), complete(&server, &codes, &ada.refresh_token));
            completed.expect(200);
            if claimed.status == 200 {
                assert_eq!(claimed.json()["refresh_token"], nobody.refresh_token);
            } else {
                claimed.expect_text(400);
            }
            claim(&server, &codes).await.expect_text(400);
            assert_eq!(poll(&server, &codes).await.expect(201)["refresh_token"], ada.refresh_token);
            let left = people::seen_by_server(&server, &nobody.id).await;
            assert_eq!(left["is_anonymous"], true, "the program's user is merged with nobody");
        }
    }
}
