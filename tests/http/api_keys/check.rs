//! `POST …/check`: which answer wins, and what counts as the key.

use latchkey_testkit::{Answer, TestServer, on_both_engines};
use latchkey_tests::people;
use serde_json::json;

use super::{team, team_key, text, user_key, user_key_with, with_keys};

async fn check(server: &TestServer, kind: &str, key: &str) -> Answer {
    server.post(&format!("/{kind}-api-keys/check")).server().json(&json!({ "api_key": key })).send().await
}

on_both_engines! {
    async fn a_valid_key_is_told_without_its_value(server, builder = with_keys()) {
        let user = people::create(&server, &json!({})).await;
        let made = user_key(&server, text(&user, "id")).await;
        let mut expected = made.clone();
        let key = text(&made, "value");
        expected["value"] = json!({ "last_four": key[key.len() - 4..] });
        assert_eq!(check(&server, "user", key).await.expect(200), expected);
        let team = team(&server).await;
        let made = team_key(&server, &team).await;
        assert_eq!(check(&server, "team", text(&made, "value")).await.expect(200)["team_id"], json!(team));
    }

    async fn not_found_comes_before_the_type_that_before_revoked_and_that_before_expired(server, builder = with_keys()) {
        let user = people::create(&server, &json!({})).await;
        let end = server.app().now() + 1000;
        let made = user_key_with(&server, text(&user, "id"), &json!({ "expires_at_millis": end })).await;
        let key = text(&made, "value");
        check(&server, "user", key).await.expect(200);
        server.clock().advance_seconds(1);
        check(&server, "user", key).await.expect_error(401, "API_KEY_EXPIRED");
        let revoke = server.patch(&format!("/user-api-keys/{}", text(&made, "id"))).server();
        revoke.json(&json!({ "revoked": true })).send().await.expect(200);
        check(&server, "user", key).await.expect_error(401, "API_KEY_REVOKED");
        let details = check(&server, "team", key).await.expect_error(400, "WRONG_API_KEY_TYPE");
        assert_eq!(details, json!({ "expected_type": "team", "actual_type": "user" }));
        for wrong in [&key[..key.len() - 1], &format!("{key} "), &key.to_uppercase(), "", "sk_", &"x".repeat(4000)] {
            check(&server, "team", wrong).await.expect_error(404, "API_KEY_NOT_FOUND");
        }
    }

    async fn only_servers_check_keys_and_only_of_their_project(server, builder = with_keys()) {
        let user = people::create(&server, &json!({})).await;
        let made = user_key(&server, text(&user, "id")).await;
        let body = json!({ "api_key": made["value"] });
        server.post("/user-api-keys/check").client().json(&body).send().await.expect_error(401, "INSUFFICIENT_ACCESS_TYPE");
        server.post("/user-api-keys/check").admin().json(&body).send().await.expect(200);
        let other = server.other_project().clone();
        let outside = || people::speaking_for(server.post("/user-api-keys/check"), &other, "server").json(&body).send();
        outside().await.expect_text(400);
        let switch = people::speaking_for(server.patch("/internal/projects/current"), &other, "admin");
        switch.json(&json!({ "config": { "allow_user_api_keys": true } })).send().await.expect(200);
        outside().await.expect_error(404, "API_KEY_NOT_FOUND");
        server.post("/user-api-keys/check").server().json(&body).send().await.expect(200);
    }

    async fn whether_the_owner_is_restricted_is_not_looked_at(server, builder = with_keys()) {
        for fields in [json!({ "restricted_by_admin": true }), json!({ "is_anonymous": true })] {
            let user = people::create(&server, &fields).await;
            let made = user_key(&server, text(&user, "id")).await;
            let checked = check(&server, "user", text(&made, "value")).await.expect(200);
            assert_eq!(checked["user_id"], user["id"]);
        }
    }
}
