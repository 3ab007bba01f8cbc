//! Endpoint management for admins: our own routes beside the contract.

use latchkey_testkit::on_both_engines;
use latchkey_tests::people;
use latchkey_tests::receiver::Receiver;
use latchkey_tests::tokens::keys;
use serde_json::json;

use super::{attempts, audited, endpoint, endpoint_with, grant, granted, id, with_receivers};

on_both_engines! {
    async fn an_endpoint_is_created_read_listed_changed_and_deleted(server) {
        let now = server.app().now();
        let body = json!({ "url": "https://hooks.example.com/a", "description": "a", "event_types": ["user.created"] });
        let made = endpoint_with(&server, &body).await;
        assert!(made["secret"].as_str().is_some_and(|secret| secret.starts_with("whsec_")));
        let mut shown = made.clone();
        shown.as_object_mut().expect("an object").remove("secret");
        assert_eq!(
            shown,
            json!({
                "id": made["id"], "url": "https://hooks.example.com/a", "description": "a",
                "event_types": ["user.created"], "is_disabled": false, "failing_since_millis": null,
                "created_at_millis": now, "updated_at_millis": now,
            })
        );
        let path = format!("/webhooks/endpoints/{}", id(&made));
        assert_eq!(server.get(&path).admin().send().await.expect(200), shown);
        let list = server.get("/webhooks/endpoints").admin().send().await.expect(200);
        assert_eq!(list, json!({ "items": [shown], "is_paginated": false }));
        server.clock().advance_seconds(1);
        let change = json!({ "url": "https://hooks.example.com/b", "event_types": null });
        let changed = server.patch(&path).admin().json(&change).send().await.expect(200);
        assert_eq!((&changed["url"], &changed["event_types"]), (&change["url"], &json!(null)));
        assert_eq!((&changed["description"], &changed["updated_at_millis"]), (&json!("a"), &json!(now + 1000)));
        server.delete(&path).admin().send().await.expect(200);
        server.get(&path).admin().send().await.expect_text(404);
        server.patch(&path).admin().json(&json!({})).send().await.expect_text(404);
        server.delete(&path).admin().send().await.expect_text(404);
        let mut kinds = audited(&server).await;
        kinds.sort();
        assert_eq!(kinds, ["webhook_endpoint.created", "webhook_endpoint.deleted", "webhook_endpoint.updated"]);
    }

    async fn what_cannot_be_called_safely_is_refused(server) {
        for url in [
            "http://hooks.example.com/", "ftp://hooks.example.com/", "https://user:secret@hooks.example.com/",
            "https://127.0.0.1/", "https://10.0.0.1/", "https://[::1]/", "https://169.254.169.254/latest/meta-data",
            "https://2130706433/", "http://127.0.0.1:1/",
        ] {
            let answer = server.post("/webhooks/endpoints").admin().json(&json!({ "url": url })).send().await;
            assert_eq!(answer.status, 400, "{url}: {}", answer.text());
        }
        for body in [
            json!({}), json!({ "url": "no url" }), json!({ "url": "https://a.example", "event_types": ["user.born"] }),
            json!({ "url": "https://a.example", "name": "x" }),
        ] {
            server.post("/webhooks/endpoints").admin().json(&body).send().await.expect_error(400, "SCHEMA_ERROR");
        }
        for secret in ["hunter2", "whsec_", "whsec_AAAA"] {
            let body = json!({ "url": "https://a.example", "secret": secret });
            server.post("/webhooks/endpoints").admin().json(&body).send().await.expect_text(400);
        }
        let body = json!({ "url": "https://a.example", "description": "x".repeat(257) });
        server.post("/webhooks/endpoints").admin().json(&body).send().await.expect_text(400);
    }

    async fn a_project_has_at_most_fifty_endpoints(server) {
        for number in 0..50 {
            endpoint(&server, &format!("https://hooks.example.com/{number}")).await;
        }
        let body = json!({ "url": "https://hooks.example.com/51" });
        server.post("/webhooks/endpoints").admin().json(&body).send().await.expect_text(400);
        let other = server.other_project().clone();
        people::speaking_for(server.post("/webhooks/endpoints"), &other, "admin").json(&body).send().await.expect(201);
    }

    async fn attempts_come_in_pages_newest_first(server, builder = with_receivers()) {
        let receiver = Receiver::start().await;
        let made = endpoint(&server, &receiver.url).await;
        for name in ["a", "b", "c"] {
            grant(&server, name).await;
        }
        server.flush().await;
        let path = format!("/webhooks/endpoints/{}/attempts", id(&made));
        let first = server.get(&format!("{path}?limit=2")).admin().send().await.expect(200);
        assert_eq!(first["items"].as_array().expect("a list").len(), 2);
        assert_eq!(
            keys(&first["items"][0]),
            ["attempted_at_millis", "duration_millis", "endpoint_id", "id", "message_id", "response", "status_code", "succeeded", "url"]
        );
        let cursor = first["pagination"]["next_cursor"].as_str().expect("a cursor").to_owned();
        let second = server.get(&format!("{path}?limit=2&cursor={cursor}")).admin().send().await.expect(200);
        assert_eq!(second["pagination"], json!({ "next_cursor": null }));
        let message = |page: &serde_json::Value, index: usize| page["items"][index]["message_id"].as_str().expect("an id").to_owned();
        let oldest = message(&second, 0);
        assert_eq!(oldest, receiver.received()[0].header("svix-id"));
        assert_eq!(message(&first, 0), receiver.received()[2].header("svix-id"));
        let read = server.get(&format!("/webhooks/messages/{oldest}")).admin().send().await.expect(200);
        assert_eq!(
            read,
            json!({
                "id": oldest, "event_type": "project_permission.created", "created_at_millis": server.app().now(),
                "payload": receiver.received()[0].json(),
            })
        );
    }

    async fn a_message_is_sent_again_on_demand(server, builder = with_receivers()) {
        let receiver = Receiver::start().await;
        let made = endpoint(&server, &receiver.url).await;
        grant(&server, "a").await;
        server.flush().await;
        let message = receiver.received()[0].header("svix-id").to_owned();
        let path = format!("/webhooks/messages/{message}/resend");
        let body = json!({ "endpoint_id": id(&made) });
        server.post(&path).admin().json(&body).send().await.expect(200);
        server.flush().await;
        assert_eq!(granted(&receiver.received()), ["a", "a"]);
        assert_eq!(attempts(&server, id(&made)).await.len(), 2);
        let nobody = "msg_000000000000000000000000000";
        server.post(&format!("/webhooks/messages/{nobody}/resend")).admin().json(&body).send().await.expect_text(404);
        let body = json!({ "endpoint_id": "ep_000000000000000000000000000" });
        server.post(&path).admin().json(&body).send().await.expect_text(404);
    }

    async fn a_deleted_endpoint_gets_nothing_more(server, builder = with_receivers()) {
        let receiver = Receiver::start().await;
        let made = endpoint(&server, &receiver.url).await;
        receiver.fail(1, 500);
        grant(&server, "a").await;
        server.flush().await;
        server.delete(&format!("/webhooks/endpoints/{}", id(&made))).admin().send().await.expect(200);
        server.clock().advance_seconds(3600);
        grant(&server, "b").await;
        server.flush().await;
        assert_eq!(receiver.received().len(), 1);
    }

    async fn ids_of_one_project_mean_nothing_to_another(server, builder = with_receivers()) {
        let receiver = Receiver::start().await;
        let made = endpoint(&server, &receiver.url).await;
        grant(&server, "a").await;
        server.flush().await;
        let message = receiver.received()[0].header("svix-id").to_owned();
        let (endpoint, other) = (id(&made), server.other_project().clone());
        let outside = |request| people::speaking_for(request, &other, "admin");
        let own = format!("/webhooks/endpoints/{endpoint}");
        outside(server.get(&own)).send().await.expect_text(404);
        outside(server.patch(&own)).json(&json!({ "is_disabled": true })).send().await.expect_text(404);
        outside(server.delete(&own)).send().await.expect_text(404);
        outside(server.get(&format!("{own}/secret"))).send().await.expect_text(404);
        outside(server.post(&format!("{own}/secret/rotate"))).json(&json!({})).send().await.expect_text(404);
        outside(server.get(&format!("{own}/attempts"))).send().await.expect_text(404);
        outside(server.get(&format!("/webhooks/messages/{message}"))).send().await.expect_text(404);
        let body = json!({ "endpoint_id": endpoint });
        outside(server.post(&format!("/webhooks/messages/{message}/resend"))).json(&body).send().await.expect_text(404);
        let test = outside(server.post("/internal/send-test-webhook")).json(&body).send().await.expect(200);
        assert_eq!(test["success"], false);
        let theirs = json!({ "url": "https://hooks.example.com/theirs" });
        let theirs = outside(server.post("/webhooks/endpoints")).json(&theirs).send().await.expect(201);
        let crossed = json!({ "endpoint_id": theirs["id"] });
        server.post(&format!("/webhooks/messages/{message}/resend")).admin().json(&crossed).send().await.expect_text(404);
        assert_eq!(receiver.received().len(), 1);
    }
}
