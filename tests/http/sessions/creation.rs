//! Contract 03 §5.1: a server opens a session for a user.

use latchkey_testkit::on_both_engines;
use latchkey_tests::people;
use latchkey_tests::tokens::{claims, keys};
use serde_json::json;

use super::{assert_dead, refresh_by_header};

on_both_engines! {
    async fn a_server_opens_a_session_and_gets_both_tokens(server) {
        let user = people::create(&server, &json!({})).await;
        let body = json!({ "user_id": user["id"] });
        let answer = server.post("/auth/sessions").server().json(&body).send().await.expect(200);
        assert_eq!(keys(&answer), ["access_token", "refresh_token"]);
        let token = answer["access_token"].as_str().expect("a token");
        assert_eq!(claims(token)["sub"], user["id"]);
        refresh_by_header(&server, answer["refresh_token"].as_str().expect("a token")).await.expect(200);
    }

    async fn a_session_for_nobody_is_refused_with_the_id(server) {
        let id = "00000000-0000-4000-8000-00000000dead";
        let answer = server.post("/auth/sessions").server().json(&json!({ "user_id": id })).send().await;
        assert_eq!(answer.expect_error(400, "USER_ID_DOES_NOT_EXIST"), json!({ "user_id": id }));
    }

    async fn a_session_lives_as_long_as_was_asked(server) {
        let user = people::create(&server, &json!({})).await;
        let open = |millis: i64| {
            server.post("/auth/sessions").server().json(&json!({ "user_id": user["id"], "expires_in_millis": millis }))
        };
        let short = open(5000).send().await.expect(200);
        let refresh_token = short["refresh_token"].as_str().expect("a token");
        // The access token lives as long as any other.
        let access = claims(short["access_token"].as_str().expect("a token"));
        assert_eq!(access["exp"].as_i64().zip(access["iat"].as_i64()).map(|(end, start)| end - start), Some(600));
        server.clock().advance_millis(4999);
        refresh_by_header(&server, refresh_token).await.expect(200);
        server.clock().advance_millis(1);
        assert_dead(&refresh_by_header(&server, refresh_token).await);
        for millis in [0, -1] {
            let dead = open(millis).send().await.expect(200);
            assert_dead(&refresh_by_header(&server, dead["refresh_token"].as_str().expect("a token")).await);
        }
    }

    async fn a_session_lives_a_year_unless_told_otherwise_and_367_days_at_most(server) {
        let user = people::create(&server, &json!({})).await;
        let session = people::session_for(&server, user["id"].as_str().expect("an id")).await;
        let day = 24 * 60 * 60;
        server.clock().advance_seconds(365 * day - 1);
        refresh_by_header(&server, &session.refresh_token).await.expect(200);
        server.clock().advance_seconds(1);
        assert_dead(&refresh_by_header(&server, &session.refresh_token).await);
        let open = |millis: i64| {
            server.post("/auth/sessions").server().json(&json!({ "user_id": user["id"], "expires_in_millis": millis }))
        };
        open(31_708_800_000).send().await.expect(200);
        open(31_708_800_001).send().await.expect_error(400, "SCHEMA_ERROR");
    }

    async fn tokens_are_of_the_users_kind(server) {
        let table = [
            (json!({}), "", "projects"), (json!({ "restricted_by_admin": true }), ":restricted", "projects-restricted-users"),
            (json!({ "is_anonymous": true }), ":anon", "projects-anonymous-users"),
        ];
        for (fields, suffix, segment) in table {
            let person = people::created(&server, &fields).await;
            let claims = claims(&person.access_token);
            assert_eq!(claims["aud"], format!("{}{suffix}", server.project_id()));
            assert!(claims["iss"].as_str().is_some_and(|iss| iss.contains(&format!("/api/v1/{segment}/"))), "{claims}");
        }
    }

    async fn no_second_factor_is_asked_for(server) {
        let fields = json!({ "totp_secret_base64": "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=" });
        let user = people::create(&server, &json!({})).await;
        let id = user["id"].as_str().expect("an id");
        people::change(&server, id, &fields).await;
        let person = people::session_for(&server, id).await;
        assert_eq!(claims(&person.access_token)["requires_totp_mfa"], true);
    }

    async fn the_fields_are_validated(server) {
        let id = "00000000-0000-4000-8000-00000000dead";
        let bodies = [
            json!({}), json!({ "user_id": null }), json!({ "user_id": "you" }), json!({ "user_id": id, "odd": 1 }),
            json!({ "user_id": id, "expires_in_millis": 1.5 }), json!({ "user_id": id, "expires_in_millis": "soon" }),
            json!({ "user_id": id, "is_impersonation": "maybe" }), json!({ "user_id": id, "expires_in_millis": null }),
        ];
        for body in bodies {
            let answer = server.post("/auth/sessions").server().json(&body).send().await;
            answer.expect_error(400, "SCHEMA_ERROR");
        }
    }
}
