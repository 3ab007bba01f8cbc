//! Contract 03 §5.3 and §5.4, design §5: ending sessions, and what an ended one still opens: nothing.

use latchkey_testkit::{TestServer, on_both_engines};
use latchkey_tests::people::{self, Person};
use latchkey_tests::{join_all, stored};
use serde_json::json;

use super::{assert_dead, refresh_by_header, sign_out};

/// Ends a session by its id, as `person` with the given access type.
async fn end(server: &TestServer, person: &Person, id: &str) -> latchkey_testkit::Answer {
    let path = format!("/auth/sessions/{id}?user_id={}", person.id);
    server.delete(&path).client().user(&person.access_token).send().await
}

on_both_engines! {
    async fn a_sign_out_needs_the_access_token_alone(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        assert_eq!(sign_out(&server, &ada.access_token).await.expect(200), json!({ "success": true }));
        assert_dead(&refresh_by_header(&server, &ada.refresh_token).await);
        assert!(stored::event_kinds(&server, &ada.id).await.contains(&"session.ended".to_owned()));
    }

    async fn a_sign_out_ends_the_session_of_the_access_token_not_of_the_header(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let phone = people::sign_in(&server, "ada@example.com").await;
        let request = server.delete("/auth/sessions/current").client().user(&ada.access_token);
        request.header("x-stack-refresh-token", &phone.refresh_token).send().await.expect(200);
        assert_dead(&refresh_by_header(&server, &ada.refresh_token).await);
        refresh_by_header(&server, &phone.refresh_token).await.expect(200);
    }

    async fn a_sign_out_without_access_token_is_told_that_it_expired_now(server) {
        let answer = server.delete("/auth/sessions/current").client().send().await;
        let details = answer.expect_error(401, "ACCESS_TOKEN_EXPIRED");
        let now = server.app().now();
        let expected = json!({
            "expired_at_millis": now, "project_id": null, "user_id": null, "refresh_token_id": null,
        });
        assert_eq!(details, expected);
    }

    async fn a_second_sign_out_is_told_that_the_session_is_gone(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        sign_out(&server, &ada.access_token).await.expect(200);
        assert_dead(&sign_out(&server, &ada.access_token).await);
    }

    async fn racing_sign_outs_are_answered_200_or_401(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let answers = join_all((0..12).map(|_| sign_out(&server, &ada.access_token))).await;
        assert!(answers.iter().any(|answer| answer.status == 200));
        for answer in answers.iter().filter(|answer| answer.status != 200) {
            assert_dead(answer);
        }
    }

    async fn a_sign_out_of_a_deleted_user_finds_no_session(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        server.delete(&format!("/users/{}", ada.id)).server().send().await.expect(200);
        assert_dead(&sign_out(&server, &ada.access_token).await);
    }

    async fn the_access_token_of_an_ended_session_is_nobody_at_once(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let phone = people::sign_in(&server, "ada@example.com").await;
        people::seen_by_self(&server, &phone).await;
        sign_out(&server, &phone.access_token).await.expect(200);
        for request in [server.get("/users/me"), server.patch("/users/me").json(&json!({})), server.delete("/users/me")] {
            let answer = request.client().user(&phone.access_token).send().await;
            answer.expect_error(400, "CANNOT_GET_OWN_USER_WITHOUT_USER");
        }
        let set = server.post("/auth/password/set").client().user(&phone.access_token);
        set.json(&json!({ "password": people::PASSWORD })).send().await.expect_error(400, "SCHEMA_ERROR");
        people::seen_by_self(&server, &ada).await;
    }

    async fn a_session_is_ended_by_its_id(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let phone = people::sign_in(&server, "ada@example.com").await;
        assert_eq!(end(&server, &ada, &phone.session_id()).await.expect(200), json!({ "success": true }));
        assert_dead(&refresh_by_header(&server, &phone.refresh_token).await);
        end(&server, &ada, &phone.session_id()).await.expect_text(404);
        let answer = server.get("/users/me").client().user(&phone.access_token).send().await;
        answer.expect_error(400, "CANNOT_GET_OWN_USER_WITHOUT_USER");
    }

    async fn the_current_session_is_not_ended_by_its_id_at_any_level(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let path = format!("/auth/sessions/{}?user_id=me", ada.session_id());
        for request in [server.delete(&path).client(), server.delete(&path).server(), server.delete(&path).admin()] {
            let answer = request.user(&ada.access_token).send().await;
            assert!(answer.expect_error(400, "CANNOT_DELETE_CURRENT_SESSION").is_null());
        }
        refresh_by_header(&server, &ada.refresh_token).await.expect(200);
    }

    async fn clients_end_their_own_sessions_only(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let bo = people::sign_up(&server, "bo@example.com").await;
        end(&server, &ada, &bo.session_id()).await.expect_text(404);
        refresh_by_header(&server, &bo.refresh_token).await.expect(200);
        let path = format!("/auth/sessions/{}?user_id={}", bo.session_id(), bo.id);
        let nobody = server.delete(&path).client().send().await;
        assert!((400..500).contains(&nobody.status), "{}", nobody.text());
        refresh_by_header(&server, &bo.refresh_token).await.expect(200);
    }

    async fn servers_end_any_session(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        // The user in the query is validated, not matched.
        let path = format!("/auth/sessions/{}?user_id=00000000-0000-4000-8000-00000000dead", ada.session_id());
        server.delete(&path).server().send().await.expect(200);
        assert_dead(&refresh_by_header(&server, &ada.refresh_token).await);
    }

    async fn an_unknown_session_is_a_text_error_and_a_strange_id_a_violation(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        end(&server, &ada, "00000000-0000-4000-8000-00000000dead").await.expect_text(404);
        end(&server, &ada, "7").await.expect_error(400, "SCHEMA_ERROR");
        let path = format!("/auth/sessions/{}", ada.session_id());
        let answer = server.delete(&path).client().user(&ada.access_token).send().await;
        answer.expect_error(400, "SCHEMA_ERROR");
        let answer = server.delete(&format!("{path}?user_id=you")).server().send().await;
        answer.expect_error(400, "SCHEMA_ERROR");
    }

    async fn the_session_of_another_project_is_unknown(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let other = server.other_project().clone();
        let path = format!("/auth/sessions/{}?user_id={}", ada.session_id(), ada.id);
        let request = people::speaking_for(server.delete(&path), &other, "server");
        request.send().await.expect_text(404);
        refresh_by_header(&server, &ada.refresh_token).await.expect(200);
    }
}
