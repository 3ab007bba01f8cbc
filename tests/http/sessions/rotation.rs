//! Design §5: a refresh by JSON body replaces the token; later use of a replaced one ends the session.

use latchkey_testkit::{Builder, TestServer, on_both_engines};
use latchkey_tests::people::{self, Person};
use latchkey_tests::tokens::keys;
use latchkey_tests::{join_all, stored};
use serde_json::{Value, json};

use super::{assert_dead, refresh_by_body, refresh_by_header};

const REUSE: &str = "session.reuse_detected";

fn always() -> Builder {
    TestServer::builder().project(|settings| settings.latchkey.require_refresh_rotation = true)
}

fn token(answer: &Value) -> String {
    answer["refresh_token"].as_str().expect("a refresh token").to_owned()
}

async fn successor(server: &TestServer, of: &str) -> String {
    token(&refresh_by_body(server, of).await.expect(200))
}

async fn reuses(server: &TestServer, person: &Person) -> usize {
    stored::event_kinds(server, &person.id).await.iter().filter(|kind| *kind == REUSE).count()
}

on_both_engines! {
    async fn a_refresh_by_body_answers_both_tokens_of_the_same_session(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let answer = refresh_by_body(&server, &ada.refresh_token).await.expect(200);
        assert_eq!(keys(&answer), ["access_token", "refresh_token"]);
        let next = token(&answer);
        assert_ne!(next, ada.refresh_token);
        assert_eq!(next.len(), 45);
        let access = answer["access_token"].as_str().expect("a token");
        assert_eq!(latchkey_tests::tokens::claim(access, "refresh_token_id"), ada.session_id());
        let third = successor(&server, &next).await;
        assert!(third != next && third != ada.refresh_token);
        refresh_by_header(&server, &third).await.expect(200);
    }

    async fn of_24_racers_each_gets_the_same_successor(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let answers = join_all((0..24).map(|_| refresh_by_body(&server, &ada.refresh_token))).await;
        let mut successors: Vec<_> = answers.iter().map(|answer| token(&answer.expect(200))).collect();
        successors.dedup();
        assert_eq!(successors.len(), 1);
        assert_eq!(reuses(&server, &ada).await, 0);
        refresh_by_header(&server, &successors[0]).await.expect(200);
    }

    async fn within_the_overlap_the_old_token_gives_the_same_successor(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let next = successor(&server, &ada.refresh_token).await;
        server.clock().advance_seconds(30);
        assert_eq!(successor(&server, &ada.refresh_token).await, next);
        refresh_by_header(&server, &ada.refresh_token).await.expect(200);
        refresh_by_header(&server, &next).await.expect(200);
    }

    async fn after_the_overlap_the_old_token_ends_the_session_and_is_audited(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let elsewhere = people::sign_in(&server, "ada@example.com").await;
        let next = successor(&server, &ada.refresh_token).await;
        server.clock().advance_millis(30_001);
        assert_dead(&refresh_by_body(&server, &ada.refresh_token).await);
        assert_dead(&refresh_by_body(&server, &next).await);
        assert_dead(&refresh_by_header(&server, &next).await);
        let answer = server.get("/users/me").client().user(&ada.access_token).send().await;
        answer.expect_error(400, "CANNOT_GET_OWN_USER_WITHOUT_USER");
        refresh_by_header(&server, &elsewhere.refresh_token).await.expect(200);
        let events = stored::events(&server, &ada.id).await;
        let reuse: Vec<_> = events.iter().filter(|event| event.kind == REUSE).collect();
        assert_eq!(reuse.len(), 1);
        assert_eq!(reuse[0].actor, "system");
        assert_eq!(reuse[0].session_id.map(|id| id.to_string()), Some(ada.session_id()));
    }

    async fn reuse_by_header_ends_the_session_as_well(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let next = successor(&server, &ada.refresh_token).await;
        server.clock().advance_seconds(31);
        assert_dead(&refresh_by_header(&server, &ada.refresh_token).await);
        assert_dead(&refresh_by_header(&server, &next).await);
        assert_eq!(reuses(&server, &ada).await, 1);
    }

    async fn a_token_of_two_rotations_ago_ends_the_session_at_once(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let second = successor(&server, &ada.refresh_token).await;
        let third = successor(&server, &second).await;
        assert_dead(&refresh_by_body(&server, &ada.refresh_token).await);
        assert_dead(&refresh_by_body(&server, &third).await);
        assert_eq!(reuses(&server, &ada).await, 1);
    }

    async fn a_made_up_token_of_a_live_family_ends_it_too(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let forged = format!("{}{}", &ada.refresh_token[..20], "0".repeat(25));
        assert_dead(&refresh_by_body(&server, &forged).await);
        assert_dead(&refresh_by_body(&server, &ada.refresh_token).await);
        assert_eq!(reuses(&server, &ada).await, 1);
    }

    async fn the_overlap_is_configurable(server, builder = TestServer::builder().config("tokens.rotation_overlap", "5s")) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let next = successor(&server, &ada.refresh_token).await;
        server.clock().advance_seconds(5);
        assert_eq!(successor(&server, &ada.refresh_token).await, next);
        server.clock().advance_millis(1);
        assert_dead(&refresh_by_body(&server, &ada.refresh_token).await);
    }

    async fn the_overlap_is_counted_from_the_first_use(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let next = successor(&server, &ada.refresh_token).await;
        for _ in 0..2 {
            server.clock().advance_seconds(15);
            assert_eq!(successor(&server, &ada.refresh_token).await, next);
        }
        server.clock().advance_seconds(1);
        assert_dead(&refresh_by_body(&server, &ada.refresh_token).await);
    }

    async fn a_project_can_require_rotation_everywhere(server, builder = always()) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let answer = refresh_by_header(&server, &ada.refresh_token).await.expect(200);
        let next = token(&answer);
        assert_ne!(next, ada.refresh_token);
        let form = [
            ("grant_type", "refresh_token"), ("refresh_token", next.as_str()), ("client_id", server.project_id()),
            ("client_secret", "__stack_public_client__"),
        ];
        let answer = server.post("/auth/oauth/token").form(&form).send().await.expect(200);
        let third = token(&answer);
        assert_ne!(third, next);
        server.clock().advance_seconds(31);
        assert_dead(&refresh_by_header(&server, &ada.refresh_token).await);
        assert_dead(&refresh_by_header(&server, &third).await);
    }

    async fn rotation_does_not_lengthen_the_session(
        server, builder = TestServer::builder().config("tokens.refresh_token_lifetime", "1h")
    ) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        server.clock().advance_seconds(3599);
        let next = successor(&server, &ada.refresh_token).await;
        server.clock().advance_seconds(1);
        assert_dead(&refresh_by_body(&server, &next).await);
    }

    async fn a_refresh_token_in_the_body_must_be_text(server) {
        for wrong in [json!(7), json!(null), json!(["a"]), json!({ "a": 1 }), json!("")] {
            let answer = server.post("/auth/sessions/current/refresh").client().json(&json!({ "refresh_token": wrong }));
            let answer = answer.send().await;
            let code = answer.json()["code"].clone();
            assert!(answer.status < 500 && (code == "SCHEMA_ERROR" || code == "REFRESH_TOKEN_NOT_FOUND_OR_EXPIRED"), "{wrong}");
        }
    }
}
