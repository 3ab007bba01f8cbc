//! Contract 03 §3 and issue part 5: signing keys are rotated without breaking a live token.

use latchkey_identity::signing_keys;
use latchkey_testkit::{TestServer, on_both_engines};
use latchkey_tests::people;
use latchkey_tests::tokens::header;
use serde_json::{Value, json};

async fn rotate(server: &TestServer) -> Vec<String> {
    let project = server.project_id().parse().expect("a project id");
    signing_keys::rotate(server.app(), &project).await.expect("a rotation")
}

async fn kids(server: &TestServer) -> Vec<Value> {
    let path = format!("/projects/{}/.well-known/jwks.json", server.project_id());
    let set = server.get(&path).send().await.expect(200);
    set["keys"].as_array().expect("keys").iter().map(|key| key["kid"].clone()).collect()
}

fn kid(token: &str) -> Value {
    header(token)["kid"].clone()
}

on_both_engines! {
    async fn a_rotation_breaks_no_live_token_of_any_kind(server) {
        let people = [
            people::sign_up(&server, "ada@example.com").await,
            people::restricted(&server).await,
            people::anonymous(&server).await,
        ];
        for _ in 0..3 {
            assert_eq!(rotate(&server).await.len(), 3);
            for person in &people {
                people::seen_by_self(&server, person).await;
            }
        }
        server.clock().advance_seconds(599);
        people::seen_by_self(&server, &people[0]).await;
    }

    async fn the_key_that_was_announced_signs_after_the_rotation(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let before = kids(&server).await;
        assert_eq!(kid(&ada.access_token), before[0]);
        rotate(&server).await;
        let again = people::sign_in(&server, "ada@example.com").await;
        assert_eq!(kid(&again.access_token), before[1], "verifiers knew it already");
        let after = kids(&server).await;
        assert_eq!(after[0], before[1]);
        assert!(after.contains(&before[0]), "the retired key stays published");
        assert_eq!(after.len(), 3);
    }

    async fn a_retired_key_disappears_after_the_life_of_its_last_token(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        rotate(&server).await;
        server.clock().advance_seconds(599);
        assert!(kids(&server).await.contains(&kid(&ada.access_token)));
        server.clock().advance_seconds(600);
        let left = kids(&server).await;
        assert_eq!(left.len(), 2);
        assert!(!left.contains(&kid(&ada.access_token)));
    }

    async fn sessions_outlive_any_number_of_rotations(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        for _ in 0..3 {
            rotate(&server).await;
            server.clock().advance_seconds(3600);
        }
        let refresh = server.post("/auth/sessions/current/refresh").client();
        let answer = refresh.header("x-stack-refresh-token", &ada.refresh_token).send().await.expect(200);
        let token = answer["access_token"].as_str().expect("a token");
        let user = server.get("/users/me").client().user(token).send().await.expect(200);
        assert_eq!(user["id"], ada.id);
    }

    async fn racing_first_uses_agree_on_one_key(server) {
        let user = people::create(&server, &json!({})).await;
        let id = user["id"].as_str().expect("an id");
        let sessions = latchkey_tests::join_all((0..8).map(|_| people::session_for(&server, id))).await;
        let mut signed_by: Vec<_> = sessions.iter().map(|session| kid(&session.access_token).to_string()).collect();
        signed_by.dedup();
        assert_eq!(signed_by.len(), 1);
        for session in &sessions {
            people::seen_by_self(&server, session).await;
        }
    }
}
