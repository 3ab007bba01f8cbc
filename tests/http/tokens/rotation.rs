//! Contract 03 §3 and issue part 5: signing keys are rotated without breaking a live token.

use latchkey_identity::{master_key_rotation, signing_keys};
use latchkey_testkit::{Builder, MASTER_KEY, TestServer, on_both_engines};
use latchkey_tests::people;
use latchkey_tests::tokens::header;
use serde_json::{Value, json};

async fn rotate(server: &TestServer) -> Vec<String> {
    let project = server.project_id().parse().expect("a project id");
    signing_keys::rotate(server.app(), &project, true).await.expect("a rotation").signing
}

async fn kids(server: &TestServer) -> Vec<Value> {
    let path = format!("/projects/{}/.well-known/jwks.json", server.project_id());
    let set = server.get(&path).send().await.expect(200);
    set["keys"].as_array().expect("keys").iter().map(|key| key["kid"].clone()).collect()
}

/// Servers that are reached under the same address, as several machines behind a balancer are.
fn behind_one_address() -> Builder {
    TestServer::builder().config("server.public_url", "https://auth.example.com")
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

    async fn a_key_that_cached_key_sets_do_not_hold_yet_signs_only_when_forced(server) {
        people::sign_up(&server, "ada@example.com").await;
        let before = kids(&server).await;
        let project = server.project_id().parse().expect("a project id");
        let gentle = async || signing_keys::rotate(server.app(), &project, false).await.expect("a rotation");
        server.clock().advance_seconds(3599);
        let refused = gentle().await;
        assert_eq!((refused.signing.len(), refused.too_fresh), (0, vec![before[1].as_str().expect("a kid").to_owned()]));
        assert_eq!(kids(&server).await, before);
        server.clock().advance_seconds(1);
        assert_eq!(gentle().await.signing, [before[1].as_str().expect("a kid")]);
        assert_eq!(gentle().await.too_fresh.len(), 1, "a second rotation at once");
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

    async fn a_key_that_another_server_made_is_known_at_once(server, builder = behind_one_address()) {
        let ada = people::created(&server, &json!({})).await;
        people::seen_by_self(&server, &ada).await;
        let twin = server.twin().await;
        for _ in 0..2 {
            rotate(&twin).await;
        }
        let there = people::session_for(&twin, &ada.id).await;
        assert!(!kids(&server).await.contains(&kid(&there.access_token)), "it is not even published here yet");
        people::seen_by_self(&server, &there).await;
        people::seen_by_self(&twin, &ada).await;
    }

    async fn a_new_master_key_takes_over_without_a_pause(server, builder = behind_one_address()) {
        let fields = json!({ "totp_secret_base64": "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=" });
        let ada = people::created(&server, &json!({})).await;
        people::change(&server, &ada.id, &fields).await;
        let next = people::session_for(&server, &ada.id).await;
        let body = json!({ "refresh_token": next.refresh_token });
        let refresh = async |server: &TestServer| {
            server.post("/auth/sessions/current/refresh").client().json(&body).send().await.expect(200)["refresh_token"].clone()
        };
        let successor = refresh(&server).await;

        let both = format!("new:bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmU=,{MASTER_KEY}");
        let between = server.twin_with(|builder| builder.config("security.master_keys", &both)).await;
        assert_eq!(refresh(&between).await, successor, "the rotation key is the same");
        people::seen_by_self(&between, &ada).await;
        assert!(master_key_rotation::reseal(between.app()).await.expect("a new seal") > 2);
        assert_eq!(master_key_rotation::reseal(between.app()).await.expect("nothing to do"), 0);

        let only = "new:bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmU=";
        let after = server.twin_with(|builder| builder.config("security.master_keys", only)).await;
        assert_eq!(refresh(&after).await, successor);
        let fresh = people::session_for(&after, &ada.id).await;
        people::seen_by_self(&after, &fresh).await;
        people::seen_by_self(&after, &ada).await;
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
