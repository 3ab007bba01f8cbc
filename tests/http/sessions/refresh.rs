//! Contract 03 §5.5 and §6: a refresh by header.

use latchkey_testkit::{TestServer, on_both_engines};
use latchkey_tests::join_all;
use latchkey_tests::people::{self, PASSWORD};
use latchkey_tests::tokens::{claims, keys};
use serde_json::json;

use super::{assert_dead, refresh_by_body, refresh_by_header, sign_out};

on_both_engines! {
    async fn a_refresh_by_header_answers_an_access_token_only(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        for _ in 0..3 {
            let answer = refresh_by_header(&server, &ada.refresh_token).await.expect(200);
            assert_eq!(keys(&answer), ["access_token"]);
            let token = answer["access_token"].as_str().expect("a token");
            assert_eq!(latchkey_tests::tokens::claim(token, "refresh_token_id"), ada.session_id());
            server.clock().advance_seconds(3600);
        }
    }

    async fn a_fresh_token_describes_the_user_as_of_now(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        people::change(&server, &ada.id, &json!({ "display_name": "Ada", "primary_email_verified": true })).await;
        let answer = refresh_by_header(&server, &ada.refresh_token).await.expect(200);
        let fresh = claims(answer["access_token"].as_str().expect("a token"));
        assert_eq!((&fresh["name"], &fresh["email_verified"]), (&json!("Ada"), &json!(true)));
        assert_eq!(claims(&ada.access_token)["name"], json!(null));
    }

    async fn the_access_token_is_not_needed_but_checked_if_sent(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        server.clock().advance_seconds(600);
        let request = || {
            let request = server.post("/auth/sessions/current/refresh").client();
            request.header("x-stack-refresh-token", &ada.refresh_token)
        };
        let answer = request().header("x-stack-access-token", &ada.access_token).send().await;
        answer.expect_error(401, "ACCESS_TOKEN_EXPIRED");
        request().send().await.expect(200);
    }

    async fn what_is_no_live_token_is_refused(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let cut = &ada.refresh_token[..44];
        let upper = ada.refresh_token.to_uppercase();
        let unknown = "0".repeat(45);
        let long = format!("{}0", ada.refresh_token);
        for token in ["x", cut, upper.as_str(), unknown.as_str(), long.as_str(), "ä", ada.access_token.as_str()] {
            assert_dead(&refresh_by_header(&server, token).await);
            assert_dead(&refresh_by_body(&server, token).await);
        }
        refresh_by_header(&server, &ada.refresh_token).await.expect(200);
    }

    async fn a_token_of_another_project_is_unknown(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let other = server.other_project().clone();
        let request = people::speaking_for(server.post("/auth/sessions/current/refresh"), &other, "client");
        let answer = request.header("x-stack-refresh-token", &ada.refresh_token).send().await;
        assert_dead(&answer);
        refresh_by_header(&server, &ada.refresh_token).await.expect(200);
    }

    async fn a_session_ends_after_its_lifetime_and_does_not_slide(
        server, builder = TestServer::builder().config("tokens.refresh_token_lifetime", "1h")
    ) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        server.clock().advance_seconds(3599);
        refresh_by_header(&server, &ada.refresh_token).await.expect(200);
        server.clock().advance_seconds(1);
        assert_dead(&refresh_by_header(&server, &ada.refresh_token).await);
        assert_dead(&refresh_by_body(&server, &ada.refresh_token).await);
    }

    async fn the_sessions_of_a_deleted_user_are_dead(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        server.delete(&format!("/users/{}", ada.id)).server().send().await.expect(200);
        assert_dead(&refresh_by_header(&server, &ada.refresh_token).await);
    }

    async fn a_password_written_by_a_server_ends_every_session(server) {
        for fields in [
            json!({ "password": "a new quiet harbour" }),
            json!({ "password_hash": "$2b$05$c0nzIfHPZhtAZphVti7DiuDZ84GsRro/rRqYWp1XoP8r5Ym6xH7Vy" }),
            json!({ "password": null }),
        ] {
            let ada = people::created(&server, &json!({
                "primary_email": "ada@example.com", "password": PASSWORD,
            })).await;
            people::change(&server, &ada.id, &fields).await;
            assert_dead(&refresh_by_header(&server, &ada.refresh_token).await);
            server.delete(&format!("/users/{}", ada.id)).server().send().await.expect(200);
        }
    }

    async fn other_changes_of_the_user_end_no_session(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        for fields in [
            json!({ "totp_secret_base64": "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=" }), json!({ "totp_secret_base64": null }),
            json!({ "primary_email": "new@example.com" }), json!({ "primary_email_verified": true }),
            json!({ "restricted_by_admin": true }), json!({ "restricted_by_admin": false }),
            json!({ "display_name": "Ada" }),
        ] {
            people::change(&server, &ada.id, &fields).await;
            refresh_by_header(&server, &ada.refresh_token).await.expect(200);
        }
    }

    async fn concurrent_refreshes_all_succeed(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        for answer in join_all((0..24).map(|_| refresh_by_header(&server, &ada.refresh_token))).await {
            answer.expect(200);
        }
    }

    async fn a_refresh_that_races_a_sign_out_is_answered_200_or_401(server) {
        for round in 0..5 {
            let ada = people::sign_up(&server, &format!("ada{round}@example.com")).await;
            let by_header = join_all((0..6).map(|_| refresh_by_header(&server, &ada.refresh_token)));
            let by_body = join_all((0..6).map(|_| refresh_by_body(&server, &ada.refresh_token)));
            let out = join_all((0..2).map(|_| sign_out(&server, &ada.access_token)));
            let (by_header, by_body, out) = tokio::join!(by_header, by_body, out);
            for answer in by_header.iter().chain(&by_body).filter(|answer| answer.status != 200) {
                assert_dead(answer);
            }
            assert!(out.iter().any(|answer| answer.status == 200), "{out:?}");
            for answer in out.iter().filter(|answer| answer.status != 200) {
                assert_dead(answer);
            }
            assert_dead(&refresh_by_header(&server, &ada.refresh_token).await);
            for answer in by_body.iter().filter(|answer| answer.status == 200) {
                let successor = answer.json()["refresh_token"].as_str().expect("a token").to_owned();
                assert_dead(&refresh_by_header(&server, &successor).await);
            }
        }
    }

    async fn a_mint_moves_the_last_activity_and_a_read_does_not(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        server.flush().await;
        let active = || async { people::seen_by_server(&server, &ada.id).await["last_active_at_millis"].as_i64() };
        let before = active().await.expect("a time");
        server.clock().advance_seconds(60);
        people::seen_by_self(&server, &ada).await;
        server.flush().await;
        assert_eq!(active().await, Some(before));
        refresh_by_header(&server, &ada.refresh_token).await.expect(200);
        server.flush().await;
        assert_eq!(active().await, Some(before + 60_000));
    }

    async fn without_any_token_the_header_is_named_as_missing(server) {
        for request in [server.post("/auth/sessions/current/refresh"), server.post("/auth/sessions/current/refresh").json(&json!({}))] {
            let details = request.client().send().await.expect_error(400, "SCHEMA_ERROR");
            assert!(details["message"].as_str().is_some_and(|text| text.contains("x-stack-refresh-token")), "{details}");
        }
    }

    async fn the_header_wins_over_the_body(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let request = server.post("/auth/sessions/current/refresh").client();
        let request = request.header("x-stack-refresh-token", &ada.refresh_token).json(&json!({ "refresh_token": "x" }));
        assert_eq!(keys(&request.send().await.expect(200)), ["access_token"]);
    }
}
