//! Contract 05 §8: which kinds of mail a user wants.

use latchkey_testkit::on_both_engines;
use latchkey_tests::people;
use serde_json::json;

const NOBODY: &str = "00000000-0000-4000-8000-00000000dead";
const TRANSACTIONAL: &str = "7bb82d33-2f54-4a3d-9d23-82739e0d66ef";
const MARKETING: &str = "4f6f8873-3d04-46bd-8bef-18338b1a1b4c";

on_both_engines! {
    async fn both_kinds_are_wanted_until_somebody_decides(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let expected = json!({ "items": [
            {
                "notification_category_id": TRANSACTIONAL, "notification_category_name": "Transactional", "enabled": true,
                "can_disable": false,
            },
            {
                "notification_category_id": MARKETING, "notification_category_name": "Marketing", "enabled": true,
                "can_disable": true,
            },
        ], "is_paginated": false });
        let mine = server.get("/emails/notification-preference/me").client().user(&ada.access_token).send().await.expect(200);
        assert_eq!(mine, expected);
        let theirs = server.get(&format!("/emails/notification-preference/{}", ada.id)).server().send().await.expect(200);
        assert_eq!(theirs, expected);
    }

    async fn a_decision_is_kept_even_one_without_effect(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        for category in [MARKETING, TRANSACTIONAL] {
            for enabled in [false, true, false] {
                let path = format!("/emails/notification-preference/me/{category}");
                let change = server.patch(&path).client().user(&ada.access_token).json(&json!({ "enabled": enabled }));
                let changed = change.send().await.expect(200);
                assert_eq!((&changed["notification_category_id"], &changed["enabled"]), (&json!(category), &json!(enabled)));
            }
        }
        let listed = server.get(&format!("/emails/notification-preference/{}", ada.id)).admin().send().await.expect(200);
        for item in listed["items"].as_array().expect("items") {
            assert_eq!(item["enabled"], false, "{item}");
        }
    }

    async fn a_query_is_refused_and_decides_nothing(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let path = format!("/emails/notification-preference/{}", ada.id);
        let change = server.patch(&format!("{path}/{MARKETING}?odd=1")).json(&json!({ "enabled": false }));
        for request in [server.get(&format!("{path}?odd=1")), change] {
            request.client().user(&ada.access_token).send().await.expect_error(400, "SCHEMA_ERROR");
        }
        let listed = server.get(&path).client().user(&ada.access_token).send().await.expect(200);
        assert_eq!(listed["items"][1]["enabled"], true);
    }

    async fn a_client_decides_for_nobody_else(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let bo = people::sign_up(&server, "bo@example.com").await;
        let list = |user: &str| server.get(&format!("/emails/notification-preference/{user}"));
        let change = |user: &str| {
            server.patch(&format!("/emails/notification-preference/{user}/{MARKETING}")).json(&json!({ "enabled": false }))
        };
        for request in [list(&ada.id), change(&ada.id)] {
            request.client().user(&bo.access_token).send().await.expect_text(403);
        }
        for request in [list(&ada.id), change(&ada.id)] {
            request.client().send().await.expect_error(401, "USER_AUTHENTICATION_REQUIRED");
        }
        for request in [list("me"), change("me")] {
            request.client().send().await.expect_error(400, "CANNOT_GET_OWN_USER_WITHOUT_USER");
        }
        for request in [list(NOBODY), change(NOBODY)] {
            request.server().send().await.expect_error(404, "USER_NOT_FOUND");
        }
        let unknown = server.patch(&format!("/emails/notification-preference/me/{NOBODY}")).json(&json!({ "enabled": false }));
        unknown.client().user(&bo.access_token).send().await.expect_text(404);
        let empty = server.patch(&format!("/emails/notification-preference/me/{MARKETING}")).json(&json!({}));
        empty.client().user(&bo.access_token).send().await.expect_error(400, "SCHEMA_ERROR");
    }
}
