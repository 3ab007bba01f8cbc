//! Contract 03 §5.2, §8 and §9: who sees which sessions, and what of them.

use latchkey_testkit::on_both_engines;
use latchkey_tests::people;
use latchkey_tests::tokens::keys;
use serde_json::{Value, json};

use super::refresh_by_header;

fn ids(list: &Value) -> Vec<&str> {
    list["items"].as_array().expect("a list").iter().filter_map(|session| session["id"].as_str()).collect()
}

on_both_engines! {
    async fn sessions_are_listed_newest_first_with_the_contracts_fields(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let begun = server.app().now();
        server.clock().advance_seconds(60);
        let phone = people::sign_in(&server, "ada@example.com").await;
        let list = server.get("/auth/sessions?user_id=me").client().user(&ada.access_token).send().await.expect(200);
        assert_eq!(ids(&list), [phone.session_id(), ada.session_id()]);
        let expected = json!({
            "id": ada.session_id(), "user_id": ada.id, "created_at": begun, "last_used_at": begun,
            "is_impersonation": false, "is_current_session": true,
        });
        assert_eq!(list["items"][1], expected);
        assert_eq!(list["items"][0]["is_current_session"], false);
        assert_eq!(list["items"][0]["created_at"], begun + 60_000);
    }

    async fn a_refresh_moves_the_last_use(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        server.clock().advance_seconds(60);
        refresh_by_header(&server, &ada.refresh_token).await.expect(200);
        let list = server.get(&format!("/auth/sessions?user_id={}", ada.id)).server().send().await.expect(200);
        assert_eq!(list["items"][0]["last_used_at"], server.app().now());
        assert_eq!(list["items"][0]["created_at"], server.app().now() - 60_000);
    }

    async fn the_user_is_required_at_every_level(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let path = "/auth/sessions";
        for request in [server.get(path).client(), server.get(path).server(), server.get(path).admin()] {
            request.user(&ada.access_token).send().await.expect_error(400, "SCHEMA_ERROR");
        }
    }

    async fn clients_see_their_own_sessions_only(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let bo = people::sign_up(&server, "bo@example.com").await;
        let path = format!("/auth/sessions?user_id={}", bo.id);
        server.get(&path).client().user(&ada.access_token).send().await.expect_text(403);
        server.get(&path).client().send().await.expect_error(400, "CANNOT_GET_OWN_USER_WITHOUT_USER");
        let own = format!("/auth/sessions?user_id={}", ada.id);
        let list = server.get(&own).client().user(&ada.access_token).send().await.expect(200);
        assert_eq!(ids(&list), [ada.session_id()]);
    }

    async fn servers_see_anybodys_and_an_empty_list_for_nobody(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let list = server.get(&format!("/auth/sessions?user_id={}", ada.id)).server().send().await.expect(200);
        assert_eq!(ids(&list), [ada.session_id()]);
        assert_eq!(list["items"][0]["is_current_session"], false);
        let path = "/auth/sessions?user_id=00000000-0000-4000-8000-00000000dead";
        let list = server.get(path).admin().send().await.expect(200);
        assert_eq!(list, json!({ "items": [], "is_paginated": false }));
    }

    async fn impersonation_is_shown_to_admins_only(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let body = json!({ "user_id": ada.id, "is_impersonation": true });
        let acting = server.post("/auth/sessions").server().json(&body).send().await.expect(200);
        let acting_token = acting["access_token"].as_str().expect("a token");
        let acting_id = latchkey_tests::tokens::claim(acting_token, "refresh_token_id");
        let path = format!("/auth/sessions?user_id={}", ada.id);
        let client = server.get(&path).client().user(&ada.access_token).send().await.expect(200);
        assert_eq!(ids(&client), [ada.session_id()]);
        let actor = server.get(&path).client().user(acting_token).send().await.expect(200);
        assert_eq!(ids(&actor), [ada.session_id()], "nor to whoever acts");
        assert_eq!(ids(&server.get(&path).server().send().await.expect(200)), [ada.session_id()]);
        let admin = server.get(&path).admin().send().await.expect(200);
        assert_eq!(ids(&admin).len(), 2);
        let hidden = admin["items"].as_array().expect("a list").iter().find(|session| session["id"] == acting_id);
        assert_eq!(hidden.expect("the impersonation")["is_impersonation"], true);
    }

    async fn impersonation_leaves_no_trace_in_the_tokens_and_is_revocable(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let body = json!({ "user_id": ada.id, "is_impersonation": true });
        let acting = server.post("/auth/sessions").server().json(&body).send().await.expect(200);
        let token = acting["access_token"].as_str().expect("a token");
        assert_eq!(keys(&latchkey_tests::tokens::claims(token)), keys(&latchkey_tests::tokens::claims(&ada.access_token)));
        let id = latchkey_tests::tokens::claim(token, "refresh_token_id");
        server.delete(&format!("/auth/sessions/{id}?user_id={}", ada.id)).server().send().await.expect(200);
        let answer = refresh_by_header(&server, acting["refresh_token"].as_str().expect("a token")).await;
        answer.expect_error(401, "REFRESH_TOKEN_NOT_FOUND_OR_EXPIRED");
    }

    async fn expired_sessions_are_still_listed(server) {
        let user = people::create(&server, &json!({})).await;
        let body = json!({ "user_id": user["id"], "expires_in_millis": 1000 });
        server.post("/auth/sessions").server().json(&body).send().await.expect(200);
        server.clock().advance_seconds(5);
        let path = format!("/auth/sessions?user_id={}", user["id"].as_str().expect("an id"));
        assert_eq!(ids(&server.get(&path).server().send().await.expect(200)).len(), 1);
    }

    async fn the_end_users_address_is_recorded_for_browsers_only(server) {
        let body = json!({ "email": "ada@example.com", "password": people::PASSWORD });
        let plain = server.post("/auth/password/sign-up").client().json(&body).send().await.expect(200);
        let browser = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36";
        server.clock().advance_seconds(1);
        let sign_in = server.post("/auth/password/sign-in").client().json(&body).header("user-agent", browser);
        sign_in.send().await.expect(200);
        let path = format!("/auth/sessions?user_id={}", plain["user_id"].as_str().expect("an id"));
        let list = server.get(&path).server().send().await.expect(200);
        assert_eq!(list["items"][0]["last_used_at_end_user_ip_info"]["ip"], "127.0.0.1");
        assert!(list["items"][1].get("last_used_at_end_user_ip_info").is_none(), "{list}");
    }

    async fn sessions_of_another_project_are_not_listed(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let other = server.other_project().clone();
        let path = format!("/auth/sessions?user_id={}", ada.id);
        let list = people::speaking_for(server.get(&path), &other, "admin").send().await.expect(200);
        assert_eq!(ids(&list), [""; 0]);
    }
}
